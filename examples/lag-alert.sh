#!/usr/bin/env bash
# Is the group keeping up, and is its work right? Questions of an alert or of CI, answered by exit codes: 0 it is so, 5 not in
# time, 6 it is not so.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

klog() { node "$root/bin/klog.js" "$@"; }
# For the background: `$!` is then klog itself.
start_klog() { exec node "$root/bin/klog.js" "$@"; }
say() { printf '\n%s\n' "$*"; }
# Shows a command and how it ends.
check() {
  printf '$ klog'
  for word; do if [[ $word =~ [^a-zA-Z0-9_./:=-] ]]; then printf " '%s'" "$word"; else printf ' %s' "$word"; fi; done
  echo
  local code=0
  klog "$@" 2>&1 || code=$?
  echo "exit code $code"
}

work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$work"' EXIT
cd "$work"
export KLOG_DIR="$work/.klog"

say '1. Five numbers are there, and the group "squares" has read two of them'
klog topic create numbers -q
klog topic create results -q
seq 5 | klog produce numbers
klog consume numbers -g squares -n 2 > /dev/null

say '2. An alert: more than two remain'
check group describe squares --section offsets -q --fail-if-lag 5 | cut -f 1-5
check group describe squares --section summary -q --fail-if-lag 2 | grep -v '^squares'

say '3. A script waits for the group; nobody works, so it is not in time'
check wait numbers -g squares --timeout 200ms

say '4. Somebody works: it waits as long as that takes'
start_klog consume numbers -F -q -g squares --exec 'read n; echo $((n * n))' | klog produce results &
check wait numbers -g squares --timeout 30s
check group describe squares --section summary -q --fail-if-lag 0 | grep -v '^squares'

say '5. CI: three results, all of them squares, just those of this file'
check expect results -n 3 --timeout 30s
check expect results --filter 'Number.isInteger(Math.sqrt(v))'
printf '%s\n' 9 16 25 > expected.txt
check expect results --file expected.txt
printf '%s\n' 9 15 25 > expected.txt
check expect results --file expected.txt

say 'Done.'
