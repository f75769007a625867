"""The page of survivors is what record and reasons give, and a mutant is what it says it is."""

from __future__ import annotations

import ast
import json

from mutation.core import CORE, reach, refusals
from mutation.mutants import _own, _place
from mutation.survivors import KINDS, PAGE, RECORD, Entry, entries, page


def test_page_is_what_record_and_reasons_give() -> None:
    known = json.loads(RECORD.read_text("utf-8"))
    assert PAGE.read_text("utf-8") == page(known, entries())


def test_every_reason_is_of_a_kind_and_about_a_file_of_the_core() -> None:
    stems = {path.stem for path in CORE.glob("*.py")} | {"*"}
    for entry in entries():
        assert entry.kind in KINDS
        assert entry.place.split(".")[0] in stems
        assert len(entry.why) > 10


SOURCE = '''def check(value):
    """Doc."""
    try:
        if (
            value
        ):
            raise ValueError
    except ValueError:
        return 1
    return None
'''


def test_statements_are_taken_away_and_handlers_made_vain() -> None:
    found = {changed: name for name, changed in _own(SOURCE)}
    assert sorted(found.values()) == ["ExceptNothing", "RemoveStatement", "RemoveStatement"]
    assert all(changed.count("\n") == SOURCE.count("\n") for changed in found)
    tree = ast.parse(SOURCE)
    assert list(reach(tree, 5)) == [4, 5, 6]
    assert refusals(tree, 9) == [7]
    assert _place(tree.body[0], 5) == "check"


def test_reason_covers_what_it_names_and_nothing_else() -> None:
    entry = Entry("keys.new_*", "variant = *", "equivalent", "why", ("*[ 17]*",), ("Number*",))
    one = {"file": "keys", "place": "new_id", "was": "variant = x", "now": "y[ 17]z"}
    assert entry.covers(one | {"operator": "NumberReplacer"})
    for change in ({"operator": "AddNot"}, {"place": "verify"}, {"was": "x"}, {"now": "y[17]z"}):
        assert not entry.covers(one | {"operator": "NumberReplacer"} | change)
