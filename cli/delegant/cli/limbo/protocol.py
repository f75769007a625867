"""What a target is asked and what it answers, in both of the protocol's forms.

One process a case: ``TARGET verify --presentation F --evidence F --trust F --request F
--limits F [--audience A] [--nonce N] --at T`` prints one line ``{"state", "code", "link"}`` and
exits 0 accepted, 1 rejected, 3 undecided, 4 malformed.

One process for all: ``TARGET verify --stream`` first prints ``{"limbo": 1}``; then for every
line ``{"presentation", "evidence", "trust", "request", "limits", "audience", "nonce", "at"}``
on its standard input, the two byte strings in base64, it prints one line as above.

A target learns neither a case's id nor the answer it should give.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["EXIT", "GREETING", "Answer", "Question"]

GREETING: Final = {"limbo": 1}
EXIT: Final = {"accepted": 0, "rejected": 1, "undecided": 3, "malformed": 4}
"""The exit status of each state."""


@dataclass(frozen=True, slots=True)
class Question:
    """One case without its answer. ``at`` is an instant as ``2026-11-23T09:00:00Z``."""

    presentation: bytes
    evidence: bytes
    trust: Any
    request: Any
    limits: Any
    audience: str | None
    nonce: str | None
    at: str

    @property
    def line(self) -> str:
        """The line of a streaming target's input."""
        return json.dumps(
            {
                "presentation": base64.b64encode(self.presentation).decode("ascii"),
                "evidence": base64.b64encode(self.evidence).decode("ascii"),
                "trust": self.trust,
                "request": self.request,
                "limits": self.limits,
                "audience": self.audience,
                "nonce": self.nonce,
                "at": self.at,
            }
        )

    @classmethod
    def from_line(cls, line: bytes) -> Question:
        """Inverse of `line`.

        Raises:
            ValueError: the line is no question.
        """
        try:
            said = json.loads(line)
            for name in ("presentation", "evidence"):
                said[name] = base64.b64decode(said[name], validate=True)
            return cls(**said)
        except (TypeError, KeyError, binascii.Error) as exc:
            raise ValueError(f"not a question: {exc}") from None

    def arguments(self, folder: Path) -> list[str]:
        """The options of a target that is called once a case; its files are written here."""
        typed: list[str] = []
        parts: dict[str, bytes] = {
            "presentation": self.presentation,
            "evidence": self.evidence,
            "trust": json.dumps(self.trust).encode(),
            "request": json.dumps(self.request).encode(),
            "limits": json.dumps(self.limits).encode(),
        }
        for name, data in parts.items():
            (folder / name).write_bytes(data)
            typed += [f"--{name}", str(folder / name)]
        for name, text in (("audience", self.audience), ("nonce", self.nonce), ("at", self.at)):
            if text is not None:
                typed += [f"--{name}", text]
        return typed


@dataclass(frozen=True, slots=True)
class Answer:
    """A verifier's word. ``state`` is one of four, or ``none`` where it gave no proper answer.

    ``chain`` and ``evidence`` are signature checks made and ``ms`` the milliseconds taken, where
    the target can tell.
    """

    state: str
    code: str | None = None
    link: int | None = None
    fault: str | None = None
    chain: int | None = None
    evidence: int | None = None
    ms: float | None = None

    @property
    def line(self) -> str:
        """The line a target prints."""
        return json.dumps({"state": self.state, "code": self.code, "link": self.link})

    @property
    def status(self) -> int:
        """The exit status that goes with the state."""
        return EXIT[self.state]

    @classmethod
    def from_line(cls, line: str) -> Answer:
        """Read what a target printed; what is no answer becomes one with a fault."""
        try:
            said = json.loads(line)
            state, code, link = said["state"], said["code"], said["link"]
        except (ValueError, TypeError, KeyError):
            return cls("none", fault=f"not an answer: {line.strip()[:120]!r}")
        if (
            state not in EXIT
            or not (code is None or isinstance(code, str))
            or not (link is None or type(link) is int)
        ):
            return cls("none", fault=f"not an answer: {line.strip()[:120]!r}")
        return cls(state, code, link)
