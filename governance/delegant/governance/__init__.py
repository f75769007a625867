"""What stands behind every act at run time: the audit log and the ledger.

The log keeps an intent before and an outcome after every act, and every refusal, each with the
human who answers for it. The ledger discharges what an `Authorization` obliges to (use once,
budget, rate) in one transaction with the intent, and gives the `Permit` without which nothing is
done. No record, no act.

Writing needs the extra ``server``; records, bundles and whatever an auditor does with them need
nothing but the base. So the names below are imported when they are asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .auditlog import AuditLog, AuditReader
    from .journal import Journal
    from .ledger import Ledger
    from .permit import Permit
    from .record import Record

__all__ = ["AuditLog", "AuditReader", "Journal", "Ledger", "Permit", "Record"]

_FROM: Final = {
    "AuditLog": "auditlog",
    "AuditReader": "auditlog",
    "Journal": "journal",
    "Ledger": "ledger",
    "Permit": "permit",
    "Record": "record",
}


def __getattr__(name: str) -> Any:
    """One of `__all__`, from where it is written."""
    if name not in _FROM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FROM[name]}"), name)
