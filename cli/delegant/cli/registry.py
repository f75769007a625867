"""`registry`: keep a registry's store: check it, copy it, bring it back, bring it up to date.

The store is the home's ``registry.db``, or what ``DELEGANT_DATABASE`` or ``--database`` says. The
wallets are no part of it: who has its copies can read what was registered, and sign nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from delegant.credentials.errors import error
from delegant.wallet import Home, files, open_organization
from delegant.wallet.registry import LOG_ROLE, REGISTRY_FILE, database_of

from .edge import Edge, command, now
from .serve import needs_server

if TYPE_CHECKING:
    from delegant.ans.log.note import NoteKey

registry = typer.Typer(no_args_is_help=True, help="The registry's store: check, copy, migrate.")

Database = Annotated[
    str | None,
    typer.Option(
        help="A path, sqlite:///FILE or postgresql://…; else $DELEGANT_DATABASE, else the home's."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(registry, name="registry")


def _database(home: Home, given: str | None) -> Path | str:
    if not given:
        return database_of(home)
    return given if ":" in given else Path(given)


def _checkpoint(home: Home) -> Path:
    return home.path / "log" / "registry.checkpoint"


def _log_key(home: Home) -> NoteKey:
    """The log's key, as the home publishes it: no wallet is opened for reading."""
    from delegant.ans.log.note import NoteKey  # noqa: PLC0415

    key = files.read_object(home.path / REGISTRY_FILE).get("log")
    if type(key) is not str:
        raise error("not-found", f"{REGISTRY_FILE} names no log: delegant serve makes its key")
    return NoteKey.parse(key)


@command(registry, "check")
def registry_check(edge: Edge, database: Database = None) -> None:
    """Hold every row of the store to the log, and name each that does not fit; exit 1 then.

    The log itself is held to its checkpoints, and to the checkpoint file outside the store. It
    may be in use meanwhile. That the log keeps the rules of names is for `delegant log verify`.
    """
    needs_server()
    from delegant.ans.checking import check  # noqa: PLC0415 - needs the extra
    from delegant.ans.keeping import published  # noqa: PLC0415
    from delegant.ans.store import Store  # noqa: PLC0415

    home = edge.home()
    key = _log_key(home)
    said = published(_checkpoint(home), key)
    store = Store(_existing(_database(home, database)), patient=True)
    found = check(store, key, said, now())
    store.close()
    value = found.json | {"signedFor": None if said is None else said.size}
    edge.show(value, _checked(value))
    if found.damage or found.rolled_back:
        raise typer.Exit(1)


def _existing(where: Path | str) -> Path | str:
    """The same, where a file is there: looking makes no new one."""
    from delegant.ans.engine import sqlite_path  # noqa: PLC0415

    path = sqlite_path(where)
    if path is not None and not path.exists():
        raise error("not-found", f"there is no registry at {path}")
    return where


def _checked(value: dict[str, Any]) -> str:
    lines = [f"{value['size']} entries, {value['names']} names"]
    lines += [f"! {row['table']}: {row['key']}: {row['detail']}" for row in value["damage"]]
    if value.get("more"):
        lines.append("! and more than that")
    if value["rolledBack"]:
        lines.append(
            f"! {value['signedFor']} entries were signed for: this is an older store, or another"
        )
    elif value["signedFor"] is None:
        lines.append("there is no checkpoint file to hold it to")
    return "\n".join(lines if value["damage"] or value["rolledBack"] else [*lines, "all is well"])


@command(registry, "backup")
def registry_backup(
    edge: Edge,
    out: Annotated[Path, typer.Argument(help="The new file.")],
    database: Database = None,
) -> None:
    """Copy an SQLite store while it is in use, and check the copy before saying so.

    The wallets and the settings are not in it, nor is the checkpoint file: see docs/storage.md.
    """
    needs_server()
    from delegant.ans.keeping import backup  # noqa: PLC0415 - needs the extra

    home = edge.home()
    found = backup(_existing(_database(home, database)), out, _log_key(home), now())
    if found is None:
        edge.show({"file": str(out)}, f"{out}: a registry of an older layout, copied as it is")
        return
    value = {"file": str(out), "size": found.size, "names": found.names}
    edge.show(value, f"{out}: {found.size} entries, {found.names} names; all of it checked")


@command(registry, "restore")
def registry_restore(
    edge: Edge,
    copy: Annotated[Path, typer.Argument(help="From `delegant registry backup`.")],
    older: Annotated[
        bool,
        typer.Option("--older", help="Even one older than was signed for: rewind it, then."),
    ] = False,
    database: Database = None,
) -> None:
    """Put a checked copy where an SQLite store was, and is no more. Nothing is written over.

    A copy that is older than what was signed for is refused: what was promised since would be
    gone. Where there is no newer one, --older puts it in place, and `delegant registry rewind`
    makes the registry go on from it, for everybody to see.
    """
    needs_server()
    from delegant.ans.keeping import restore  # noqa: PLC0415 - needs the extra

    home = edge.home()
    where = _database(home, database)
    found = restore(copy, where, _checkpoint(home), _log_key(home), now(), older=older)
    value = {"size": found.size, "names": found.names, "rolledBack": found.rolled_back}
    told = f"{where}: {found.size} entries, {found.names} names; all of it checked"
    if found.rolled_back:
        told += "\nit is older than was signed for: delegant registry rewind --reason WHY"
    edge.show(value, told)


@command(registry, "rewind")
def registry_rewind(
    edge: Edge,
    reason: Annotated[str, typer.Option(help="Why, for everybody to read, for ever.")],
    database: Database = None,
) -> None:
    """Go on from a store that is older than what was signed for. The log says so from then on.

    Entries that were acknowledged are gone. Whoever saw them refuses this log until told
    otherwise, and is right: nobody but you can say that it was no attack. Stop the server first.
    """
    needs_server()
    from delegant.ans.keeping import rewind  # noqa: PLC0415 - needs the extra
    from delegant.ans.log.note import NoteSigner  # noqa: PLC0415

    home = edge.home()
    where = _existing(_database(home, database))
    organization, _ = open_organization(home)
    signer = NoteSigner(home.settings.log, organization.key(LOG_ROLE))
    said, found = rewind(where, home.settings.registry, signer, _checkpoint(home), reason, now())
    value = {"signedFor": said.size, "size": found.size, "reason": reason}
    edge.show(
        value,
        f"the log goes on at {found.size} entries; {said.size} had been signed for, as its last "
        "entry says. Tell those who use it: they refuse it until they forget what they saw",
    )


@command(registry, "migrate")
def registry_migrate(edge: Edge, database: Database = None) -> None:
    """Bring the tables of an older program to the layout of this one.

    Stop all that use the store first, and make a copy: there is no other way back.
    """
    needs_server()
    from delegant.ans.migrating import migrate  # noqa: PLC0415 - needs the extra

    before, after = migrate(_existing(_database(edge.home(), database)))
    told = f"from layout {int(before)} to {int(after)}"
    edge.show(
        {"from": int(before), "to": int(after)},
        told if before != after else f"it has layout {int(after)} already",
    )


@command(registry, "reindex")
def registry_reindex(edge: Edge, database: Database = None) -> None:
    """Make what is searched anew from the events. It may be in use meanwhile."""
    needs_server()
    from delegant.ans.keeping import reindex  # noqa: PLC0415 - needs the extra
    from delegant.ans.store import Store  # noqa: PLC0415

    store = Store(_existing(_database(edge.home(), database)), patient=True)
    count = reindex(store, now())
    store.close()
    edge.show({"names": count}, f"{count} names are listed anew")
