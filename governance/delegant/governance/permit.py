"""Leave to do one act."""

from __future__ import annotations

from typing import Any, Final

from delegant.credentials import Authorization
from delegant.credentials.errors import error
from delegant.credentials.verdict import Debit, Limit

__all__ = ["SEAL", "Permit"]

SEAL: Final = object()


class Permit:
    """Leave to do one act, which is on record. Made only by a `Ledger`.

    Attributes:
        event: the act's name in the log. number: of its intent there.
        sponsor, agent: who answers for it, and who acts. action, target: what is done.
        limits: what the result may hold at most, or None.
        decision: allow, or modify. invocation: the JWS that was presented.
        debits: what is reserved.
        authorization: the verdict it was made of.
    """

    __slots__ = (
        "action",
        "agent",
        "authorization",
        "debits",
        "decision",
        "event",
        "invocation",
        "limits",
        "number",
        "sponsor",
        "target",
    )  # fmt: skip

    event: str
    number: int
    sponsor: str
    agent: str
    action: str
    target: str
    decision: str
    invocation: str
    limits: Limit | None
    debits: tuple[Debit, ...]
    authorization: Authorization

    def __init__(self, seal: object, **members: Any) -> None:
        if seal is not SEAL:
            raise TypeError("only a ledger makes one of these")
        for name, value in members.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a permit is not to be changed")

    def check(
        self,
        rows: int | None = None,
        bytes: int | None = None,  # noqa: A002 - the constraint's name
        columns: frozenset[str] | set[str] | None = None,
    ) -> None:
        """Hold a result to the limits, before it is handed out.

        What is limited must be counted: a result of which nobody says how many rows it has is
        refused, where rows are limited.

        Raises:
            Rejected: ``constraint``, with the dimension.
        """
        limits = self.limits
        if limits is None:
            return
        for name, most, found in (("rows", limits.rows, rows), ("bytes", limits.bytes, bytes)):
            if most is not None and (found is None or found > most):
                told = "is not counted" if found is None else f"is {found}, {most} are allowed"
                raise error("constraint", f"{name} of the result {told}", dimension=name)
        if limits.columns is not None and (columns is None or not columns <= limits.columns):
            raise error("constraint", "columns that are not allowed", dimension="columns")
