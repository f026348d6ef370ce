#!/usr/bin/env bash
# Three workers share sixty jobs. One of them is killed with kill -9 in the middle: the others do what it has left, at once.
# Then all are stopped, and a worker that starts later goes on where the group was.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

klog() { node "$root/bin/klog.js" "$@"; }
# For the background: `$!` is then klog itself.
start_klog() { exec node "$root/bin/klog.js" "$@"; }
say() { printf '\n%s\n' "$*"; }
show() { printf '$ %s\n' "$*"; }

work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$work"' EXIT
cd "$work"
export KLOG_DIR="$work/.klog"

say '1. A topic of six partitions, and three workers of the group "workers"'
show 'klog topic create jobs -p 6'
klog topic create jobs -p 6 -q
touch done.txt
for name in a b c; do
  show "klog consume jobs -F -g workers --exec 'read job; echo $name \$job >> done.txt; sleep 0.02' &"
  start_klog consume jobs -F -q -g workers --exec "read job; echo $name \$job >> done.txt; sleep 0.02" &
  declare "$name=$!"
done
# Until the group is as it is to be, in columns: name, state, members.
until_group() { until klog group list | grep -q "^workers.$1.$2$"; do sleep 0.05; done; }
until_group Stable 3
show 'klog group list'
klog group list

say '2. Sixty jobs with keys: those of one key stay in order, and are with one worker'
show "seq 60 | sed 's/.*/&:&/' | klog produce jobs -K :"
seq 60 | sed 's/.*/&:&/' | klog produce jobs -K :
for name in a b c; do until grep -q "^$name" done.txt; do sleep 0.02; done; done
echo 'a, b and c are all at work'

say '3. Worker b dies without a word; nobody waits for a time-out'
show 'kill -9 $b'
# The shell would tell of it, in words of its own.
disown "$b"
kill -9 "$b"
show 'klog wait jobs -g workers --timeout 30s'
klog wait jobs -g workers --timeout 30s
echo "$(cut -d ' ' -f 2 done.txt | sort -u | wc -l) jobs are done"
twice=$(cut -d ' ' -f 2 done.txt | sort | uniq -d | wc -l)
test "$twice" -le 1
echo 'at most one of them twice: the one that b had in its hands'
until_group Stable 2
show 'klog group list'
klog group list

say '4. Ctrl-C: they finish, commit and leave; a worker that comes later begins behind that'
show 'kill -INT $a $c'
kill -INT "$a" "$c"
wait "$a" || echo "a: exit code $?"
wait "$c" || echo "c: exit code $?"
show "printf '%s\n' 61 62 63 | klog produce jobs -p 0"
printf '%s\n' 61 62 63 | klog produce jobs -p 0
show 'klog consume jobs -g workers'
klog consume jobs -g workers

say 'Done.'
