"""F3: a database that may not grow. It refuses what it cannot write, and goes on."""

from __future__ import annotations

from pathlib import Path

from ans.naming import NAME, Naming
from delegant.credentials import Error
from faults.reading import checkpoint, log_entries


def test_f3_a_database_that_may_not_grow_refuses_and_goes_on(tmp_path: Path) -> None:
    naming = Naming(tmp_path / "registry.db")
    first = naming.register()
    store = naming.registry.store
    with store.transaction(reading=True) as db:
        pages = db.exec_driver_sql("PRAGMA page_count").scalar()
    # The cap is of a connection: the one that is kept, and used by one after the other.
    with store.transaction(reading=True) as db:
        db.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    told = []
    for number in range(2, 40):
        name = NAME.replace("v1.0", f"v{number}")
        before = checkpoint(naming)
        try:
            naming.register(name=name)
        except Error as exc:
            told.append(exc.code)
            assert "FULL" in exc.detail
            assert checkpoint(naming) == before
            assert naming.state(name) == ""
            assert naming.registry.resolve(NAME, naming.now)[0] == 200
    assert told
    assert set(told) == {"unavailable"}
    store.close()  # a connection without the cap: there is room again
    renewed = naming.send(naming.event("renew", receipt=first))
    assert log_entries(naming)[renewed["index"]]
