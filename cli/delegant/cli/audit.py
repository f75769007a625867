"""`audit`: make an audit log, and ask it.

A log lies in a folder of its own, beside whatever acts: a resource has one, and an organisation.
Only what writes needs its passphrase. The store is imported where it is used.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated

import typer

from delegant.wallet import files

from .edge import Edge, command
from .serve import needs_server

audit = typer.Typer(no_args_is_help=True, help="The record of every act: keep it, ask it.")

Folder = Annotated[Path, typer.Argument(help="The folder of the log.")]
_PARTS: tuple[str, ...] = ("auditask", "auditkeep", "auditmatch")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for part in _PARTS:
        importlib.import_module(f"delegant.cli.{part}").register(audit)
    app.add_typer(audit, name="audit")


@command(audit, "init")
def audit_init(
    edge: Edge,
    folder: Folder,
    id_: Annotated[str, typer.Option("--id", help="Whose acts are recorded: a DID.")],
    database: Annotated[
        str | None,
        typer.Option(help="sqlite:///FILE or postgresql://…; else in the folder."),
    ] = None,
    retention_days: Annotated[
        int | None, typer.Option(help="How long records are kept at least: 184 days or more.")
    ] = None,
) -> None:
    """Make an audit log, with keys of its own."""
    needs_server()
    from delegant.governance.auditlog import RETENTION_DAYS, AuditLog  # noqa: PLC0415

    log = AuditLog.create(
        folder,
        edge.passphrases().get("audit", new=True),
        did=id_,
        database=database,
        retention_days=retention_days or RETENTION_DAYS,
    )
    entry = log.settings.entry()
    log.close()
    edge.show(
        entry,
        f"{folder}: the audit log of {id_}\n  log        {entry['log']}\n"
        f"next: delegant trust add-audit TRUST {folder / 'audit.json'}",
    )


@command(audit, "checkpoint")
def audit_checkpoint(
    edge: Edge,
    folder: Folder,
    to: Annotated[Path, typer.Option(help="A folder where checkpoints are kept, one file each.")],
) -> None:
    """Keep the newest checkpoint elsewhere: whatever is rewritten afterwards will not fit it."""
    needs_server()
    from delegant.governance.auditlog import AuditReader  # noqa: PLC0415

    log = AuditReader(folder)
    note, size = log.book.checkpoint(), log.book.head().size
    log.close()
    files.make_folder(to)
    path = to / f"{size:012}.checkpoint"
    files.write(path, note.encode())
    edge.show({"size": size, "file": str(path)}, f"{path}: {size} entries are signed for")
