#!/usr/bin/env bash
# One right candidate among five, found and let into one table, for real: see scenario.yaml.
# Exits 0 only if every expectation of expected.json holds, before and after.
set -euo pipefail
cd "$(dirname "$0")"
delegant=${DELEGANT:-delegant}
for mode in before after; do
  "$delegant" story ans-financial-discovery --mode "$mode" --json
done | python3 -c '
import json, sys
read, decoder, told = sys.stdin.read(), json.JSONDecoder(), []
while read.strip():
    said, end = decoder.raw_decode(read.lstrip())
    told.append(said)
    read = read.lstrip()[end:]
expected = json.load(open("expected.json"))
good = len(told) == 2
for said in told:
    wanted = expected[said["mode"]]
    print(said["mode"])
    for one in said["attempts"]:
        flag = "ok  " if one in wanted["attempts"] else "BAD "
        print(flag, "HARM" if one["harm"] else "    ", one["title"], "->", one["outcome"])
    for one in said["later"]:
        print("not yet checked:", one)
    good &= all(said[member] == wanted[member] for member in wanted) and said["held"]
    good &= said["later"] == expected["later"]
sys.exit(not good)
'
