#!/usr/bin/env bash
# klog's main job on real input: every line of this project's package-lock.json, fifty times over, becomes an event; the
# events go through the pipe into a log, come out again byte for byte, are tailed, and are replayed by offset and by time.
set -euo pipefail
cd "$(dirname "$0")/.."

klog() { node bin/klog.js "$@"; }
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
if [ ! -t 1 ]; then say() { printf '\n%s\n' "$*"; }; fi
show() { printf '$ %s\n' "$*"; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export KLOG_DIR="$work/.klog"
lines="$work/events.ndjson"

say '1. Real input: each line of package-lock.json as a JSON event, repeated'
node -e '
  const { readFileSync, writeFileSync } = require("node:fs");
  const source = readFileSync("package-lock.json", "utf8").split("\n");
  const events = [];
  for (let round = 0; events.length < 300000; round++)
    source.forEach((text, line) => events.push(JSON.stringify({ file: "package-lock.json", round, line: line + 1, text })));
  writeFileSync(process.argv[1], events.join("\n") + "\n");
' "$lines"
records=$(wc -l <"$lines")
bytes=$(wc -c <"$lines")
echo "$records records, $bytes bytes"

say '2. Produce them through a pipe'
show 'klog topic create events'
klog topic create events
show 'cat events.ndjson | klog produce events -v'
cat "$lines" | klog produce events -v

say '3. Consume them, and compare byte for byte'
show 'klog consume events | cmp - events.ndjson'
klog consume events | cmp - "$lines"
echo "identical: $records records came out as they went in"

say '4. The last three, and one by its offset'
show 'klog tail -n 3 events'
klog tail -n 3 events
middle=$((records / 2))
show "klog get events@$middle"
klog get "events@$middle"

say '5. Keys choose partitions: the same events again, by their text'
klog topic create by-line -p 4
show "… | klog produce by-line -K ' '"
node -e '
  const { createInterface } = require("node:readline");
  let out = "";
  createInterface({ input: process.stdin }).on("line", (text) => {
    const event = JSON.parse(text);
    out += `line-${event.line} ${text}\n`;
    if (out.length > 1e6) { process.stdout.write(out); out = ""; }
  }).on("close", () => process.stdout.write(out));
' <"$lines" | klog produce by-line -K ' ' -v
show "klog consume by-line --order time | wc -l"
test "$(klog consume by-line --order time | wc -l)" -eq "$records"
echo "$records"
show 'klog topic offsets by-line'
klog topic offsets by-line

say '6. Replay: a range by offset, and everything from a point in time, while other consumers notice nothing'
show "klog replay events --from $middle --to $((middle + 3))"
klog replay events --from "$middle" --to "$((middle + 3))"
show 'date; echo {"late":true} | klog produce events; klog replay events --from @…'
sleep 0.05
now=$(node -p 'Date.now()')
echo '{"late":true}' | klog produce events
test "$(klog replay events --from "@$now")" = '{"late":true}'
klog replay events --from "@$now" -f '%o %d{iso} %v\n'
show 'klog replay events --into events-again'
klog replay events --into events-again
klog consume events-again -n "$records" | cmp - "$lines"
echo 'the replayed topic is identical'

say '7. What is on the disk is a Kafka log directory'
ls "$KLOG_DIR/log/events-0"
show 'klog log dump events --json | head -n 1'
klog log dump events --json | head -n 1

say 'Done.'
