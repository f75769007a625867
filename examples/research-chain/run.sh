#!/usr/bin/env bash
# Human -> research -> retrieval -> database query -> formatting, for real: see scenario.yaml.
# Exits 0 only if every expectation of expected.json holds.
set -euo pipefail
cd "$(dirname "$0")"
delegant=${DELEGANT:-delegant}
"$delegant" demo --json | python3 -c '
import json, sys
said, expected = json.load(sys.stdin), json.load(open("expected.json"))
found = [{k: one[k] for k in ("title", "code", "link")} for one in said["attempts"]]
for one, wanted in zip(found, expected["attempts"]):
    print("ok  " if one == wanted else "BAD ", one["title"], "->", one["code"] or "accepted")
sys.exit(found != expected["attempts"] or said["offline"] != expected["offline"] or not said["held"])
'
