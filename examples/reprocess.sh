#!/usr/bin/env bash
# A backend that fails: a record that failed is tried again; what fails for good stops the group there, or goes to a topic of
# dead letters and back again once the backend is repaired. What was done wrongly is done once more.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

klog() { node "$root/bin/klog.js" "$@"; }
say() { printf '\n%s\n' "$*"; }
show() { printf '$ %s\n' "$*"; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export KLOG_DIR="$work/.klog"

# Books an order. It is down at its first try; and it can't cope with refunds until somebody repairs it.
cat > backend <<'END'
#!/bin/sh
read -r order
if [ ! -e was-down ]; then touch was-down; echo 'backend: down for a moment' >&2; exit 1; fi
case $order in refund*) if [ ! -e repaired ]; then echo "backend: cannot book '$order'" >&2; exit 1; fi ;; esac
echo "$order" >> booked.txt
END
chmod +x backend
klog topic create orders -q

say '1. Three orders; the backend is down for a moment. The first is tried again, and none is left out'
show "printf '%s\n' tea cups spoons | klog produce orders"
printf '%s\n' tea cups spoons | klog produce orders
show 'klog consume orders -g booking --exec ./backend'
klog consume orders -g booking -q --exec ./backend 2> errors.txt
grep '^backend' errors.txt
show 'cat booked.txt'
cat booked.txt

say '2. An order fails each time: the group stops there, and everything before it is committed'
show "printf '%s\n' milk 'refund of cups' sugar | klog produce orders"
printf '%s\n' milk 'refund of cups' sugar | klog produce orders
show 'klog consume orders -g booking --retries 1 --exec ./backend'
klog consume orders -g booking -q --retries 1 --exec ./backend 2> errors.txt || echo "exit code $?"
grep '^backend' errors.txt
show 'klog consume orders --from-group booking'
klog consume orders --from-group booking

say '3. With a topic of dead letters the work goes on, and the failed order waits there'
show 'klog consume orders -g booking --retries 1 --dlq failed-orders --exec ./backend'
klog consume orders -g booking -q --retries 1 --dlq failed-orders --exec ./backend 2> errors.txt
show 'tail -n 2 booked.txt'
tail -n 2 booked.txt
show 'klog consume failed-orders'
klog consume failed-orders

say '4. The backend is repaired: the dead letters go back to where they came from, and through'
touch repaired
show 'klog replay failed-orders --to-header __connect.errors.topic'
klog replay failed-orders --to-header __connect.errors.topic -q
show 'klog consume orders -g booking --exec ./backend'
klog consume orders -g booking -q --exec ./backend
show 'tail -n 1 booked.txt'
tail -n 1 booked.txt

say '5. The last three records were booked wrongly: the group is moved back, and does them again'
show 'klog group seek booking --to -3 --dry-run'
klog group seek booking --to -3 --dry-run -q
show 'klog group seek booking --to -3 -y'
klog group seek booking --to -3 -y -q > /dev/null
rm booked.txt
klog consume orders -g booking -q --exec ./backend
show 'cat booked.txt'
cat booked.txt

say 'Done.'
