-- Asks what a plan file says (written by tests/benchmarks/plans.py), and reports one line of JSON at the end.
--
-- Whole requests are taken in turn. Every `counted_every`-th request, if any, is made of a head, a number that no other
-- request of the run has, and a tail.

local whole, heads, tail = {}, {}, ""
local counted_every, number = 0, 0
local turn, whole_turn, head_turn = 0, 0, 0
local is_asked = false

local function read_list(file)
  local list = {}
  for at = 1, file:read("*n") do
    local length = file:read("*n")
    file:read(1)
    list[at] = file:read(length)
  end
  return list
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  counted_every = file:read("*n")
  number = file:read("*n")
  whole = read_list(file)
  heads = read_list(file)
  tail = read_list(file)[1]
  file:close()
end

function request()
  if not is_asked then
    -- wrk asks once before it starts, to look at the request, and does not send it.
    is_asked = true
    return whole[1] or heads[1] .. string.format("%08x", number) .. tail
  end
  turn = turn + 1
  if counted_every > 0 and turn % counted_every == 0 then
    head_turn = head_turn % #heads + 1
    local made = heads[head_turn] .. string.format("%08x", number) .. tail
    number = number + 1
    return made
  end
  whole_turn = whole_turn % #whole + 1
  return whole[whole_turn]
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    'FOUND {"count": %d, "seconds": %.6f, "bytes": %d, "p50": %.4f, "p99": %.4f, "refused": %d, "broken": %d}',
    summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
