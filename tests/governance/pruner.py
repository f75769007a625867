"""Prunes a log in a folder, and dies at one of the statements that it takes.

``python -m governance.pruner FOLDER NOW DEATH…`` prunes a copy of the folder for each death, in a
process of its own: FOLDER.DEATH. A death of 0 is none.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import event

from delegant.governance import retention
from delegant.governance.auditlog import AuditLog
from delegant.wallet import files
from governance.auditing import PASSPHRASE
from governance.keeping import BY, DAY, KEPT_DAYS


def prune(folder: Path, now: int, death: int) -> None:
    """Prune in steps of two events; die before the so many'th thing that is done to the disk.

    That is a statement, the end of a transaction, or the writing of the checkpoint.
    """
    log = AuditLog.open(folder, PASSPHRASE)
    engine: Any = log.store.engine
    count = 0

    def reached(*_: Any) -> None:
        nonlocal count
        count += 1
        if count == death:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("before_cursor_execute", "commit"):
        event.listen(engine._sql, name, reached)
    write = files.write

    def published(*given: Any, **more: Any) -> None:
        reached()
        write(*given, **more)

    with patch.object(files, "write", published), patch.object(retention, "STEP", 2):
        retention.prune(log, now - KEPT_DAYS * DAY, BY, now)
    print(count, flush=True)
    log.close()


if __name__ == "__main__":
    source, at = Path(sys.argv[1]), int(sys.argv[2])
    for number in map(int, sys.argv[3:]):
        copy = source.with_name(f"{source.name}.{number}")
        shutil.copytree(source, copy)
        child = os.fork()
        if child == 0:
            prune(copy, at, number)
            os._exit(0)
        os.waitpid(child, 0)
