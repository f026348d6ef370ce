#!/bin/sh
# Searches every state of the models within the bounds of `searches`, or of another file that is named. Needs spin and gcc; JOBS (2) at a time, up to MEMORY (3000)
# MiB each. Exit 0: the protocol holds in every search and each wrong variant is caught; also, with a word about it, where
# spin is not installed.
here=$(cd "$(dirname "$0")" && pwd)
: "${JOBS:=2}" "${MEMORY:=3000}"
export MEMORY

if [ "${1:-}" = --one ]; then
  number=$2 expected=$3 model=$4
  shift 4
  mkdir "$work/$number" && cd "$work/$number" || exit 1
  if spin -a "$@" "$here/$model.pml" >log 2>&1 && gcc -O1 -DSAFETY -DCOLLAPSE -DMEMLIM="$MEMORY" -o pan pan.c >>log 2>&1; then
    # -E: whether it was right to stop is what the model's own process `judge` says.
    ./pan -E -m2000000 >out 2>&1
  else
    mv log out
  fi
  states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' out)
  if grep -q 'assertion violated' out; then found=caught
  elif grep -q 'max search depth too small\|reached -DMEMLIM\|out of memory' out; then found=unfinished
  elif grep -q 'errors: 0' out; then found=holds
  else found=failed; fi
  verdict=; [ "$found" = "$expected" ] || verdict=" WRONG: expected $expected"
  printf '%-10s %10s states  %-6s %s%s\n' "$found" "${states:--}" "$model" "$*" "$verdict" >"$work/$number.line"
  exit
fi

for tool in spin gcc; do
  command -v "$tool" >/dev/null || { echo "$tool is not installed: nothing was searched"; exit 0; }
done
work=$(mktemp -d) || exit 1
export work
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
sed 's/#.*//; /^ *$/d' "$here/${1:-searches}" | awk '{ printf "%03d %s\n", NR, $0 }' | xargs -P "$JOBS" -L 1 sh "$here/run.sh" --one
cat "$work"/*.line
wrong=$(cat "$work"/*.line | grep -c WRONG)
echo "$(cat "$work"/*.line | wc -l) searches, $wrong wrong"
[ "$wrong" = 0 ]
