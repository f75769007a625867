#!/usr/bin/env bash
# Human -> research -> retrieval -> database query -> formatting, for real: see scenario.yaml.
# Exits 0 only if every expectation of expected.json holds, and the audit record has all of it.
set -euo pipefail
cd "$(dirname "$0")"
delegant=${DELEGANT:-delegant}
"$delegant" demo --json | python3 -c '
import json, sys
said, expected = json.load(sys.stdin), json.load(open("expected.json"))
found = [{k: one[k] for k in ("title", "code", "link")} for one in said["attempts"]]
for one, wanted in zip(found, expected["attempts"]):
    print("ok  " if one == wanted else "BAD ", one["title"], "->", one["code"] or "accepted")
record = {k: said["record"][k] for k in ("verdict", "entries", "pairs")}
record["lines"] = [one["name"] for one in said["record"]["lines"] if one["state"] == "accepted"]
denied = [{k: one[k] for k in ("code", "link")} for one in found if one["code"]]
whole = record == expected["record"] and said["record"]["refusals"] == denied
print("ok  " if whole else "BAD ", "the audit record ->", record["verdict"], record["entries"])
good = found == expected["attempts"] and said["offline"] == expected["offline"] and whole
sys.exit(not (good and said["held"]))
'
