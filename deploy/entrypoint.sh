#!/bin/sh
# What the image does with its arguments: the verbs of SeaweedFS's own image, of which this one has the volume server
# and the tools for volumes.
set -eu

program="${SEAWEED_VOLUME:-/opt/seaweedvol/bin/seaweed-volume}"
data="${SEAWEED_DATA:-/data}"

# Started as root: make the data the server's own, as far as they are not, and go on without root's rights.
if [ "$(id -u)" = 0 ]; then
  if [ "$(stat -c %u:%g "$data")" != "$(id -u seaweed):$(id -g seaweed)" ]; then
    echo "$data becomes the property of seaweed" >&2
    chown -R seaweed:seaweed "$data" || echo "warning: $data cannot be given to seaweed; it may not be writable" >&2
  fi
  exec setpriv --reuid=seaweed --regid=seaweed --init-groups --no-new-privs "$0" "$@"
fi

# Whether a flag is among the arguments, in any of its spellings: is_passed max "$@"
is_passed() {
  wanted="$1"
  shift
  for word in "$@"; do
    case "$word" in
      "-$wanted" | "--$wanted" | "-$wanted="* | "--$wanted="*) return 0 ;;
    esac
  done
  return 1
}

verb="${1:-volume}"
case "$verb" in
  volume)
    [ $# -eq 0 ] || shift
    is_passed max "$@" || set -- -max=0 "$@"
    is_passed dir "$@" || set -- "-dir=$data" "$@"
    exec "$program" -logtostderr=true volume "$@"
    ;;
  master | server | mini | filer | s3 | shell | worker | volume-rust | worker-rust)
    echo "Error: this image holds the volume server; run '$verb' from SeaweedFS's own image." >&2
    exit 1
    ;;
  *)
    exec "$program" "$@"
    ;;
esac
