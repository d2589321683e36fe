"""Questions to JSON lines, answered as SeaweedFS does: ``weed/query/json`` over the paths of ``tidwall/gjson`` 1.18.

Knows bytes in and bytes out, nothing of needles. What is no JSON is never an error there, but searched as far as it can
be made out; so it is here. Imports nothing of ours.
"""

from seaweedvol.query.lines import Question, answer, answer_part

__all__ = ["Question", "answer", "answer_part"]
