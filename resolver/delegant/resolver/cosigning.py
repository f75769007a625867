"""Asking the witnesses of a home to cosign its log (C2SP tlog-witness, the log's side).

The addresses are the operator's own, from ``delegant.toml``, so this does not go through the
fetcher that guards addresses others name. No redirects, no proxies; bytes and time are bounded.
A witness that does not answer costs its cosignature and nothing else.
"""

from __future__ import annotations

import logging
import time
from base64 import b64decode
from collections.abc import Sequence
from types import TracebackType
from typing import Final

import httpx

from delegant.ans.log.checkpoint import parse_checkpoint
from delegant.ans.log.note import NoteKey, parse_number
from delegant.ans.log.witness import MAX_ANSWER, SIZE_TYPE, Request, collect
from delegant.ans.registry import Registry
from delegant.credentials.errors import Error, error
from delegant.wallet.settings import Witness

__all__ = ["Cosigners"]

LOG: Final = logging.getLogger("delegant")
SECONDS: Final = 5.0
"""For each wait; a whole answer may take twice that, so that one who drips stops nobody."""
REST: Final = 15.0
"""Seconds a witness that did not cosign is left alone."""


class Cosigners:
    """The witnesses of one registry.

    Args:
        registry: whose log is cosigned.
        witnesses: who is asked.
        transport: of the client; by default the network.

    Raises:
        Rejected: ``log-note``, ``key-weak`` for a key of a witness.
    """

    def __init__(
        self,
        registry: Registry,
        witnesses: Sequence[Witness],
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._registry = registry
        self._witnesses = [(one.url, NoteKey.parse(one.key)) for one in witnesses]
        self._sizes: dict[str, int] = {}
        self._rests: dict[str, float] = {}
        self._http = httpx.Client(
            timeout=SECONDS,
            transport=transport,
            follow_redirects=False,
            trust_env=False,
            headers={"Accept-Encoding": "identity"},
        )

    def __enter__(self) -> Cosigners:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._http.close()

    def round(self) -> int:
        """Ask everybody who has not cosigned the newest checkpoint yet.

        Returns:
            How many cosignatures were added to it.

        Raises:
            Unavailable: ``unavailable`` when our own log cannot be read.
        """
        note = self._registry.log.checkpoint()
        size = parse_checkpoint(note)[0].size
        added = 0
        for url, key in self._witnesses:
            if size == 0 or _has(note, key) or self._rests.get(key.vkey, 0.0) > time.monotonic():
                continue
            try:
                note = self._asked(url, key, note, size)
            except (Error, httpx.HTTPError) as exc:
                LOG.warning("the witness %s did not cosign: %s", key.name, exc)
                self._rests[key.vkey] = time.monotonic() + REST
            else:
                added += 1
        if added:
            self._registry.cosigned(note)
        return added

    def _asked(self, url: str, key: NoteKey, note: str, size: int) -> str:
        """The note with the cosignature of one witness.

        Raises:
            Error: ``log-rollback`` for a log that the witness has seen more of; what `collect`
            raises. HTTPError.
        """
        old = self._sizes.get(key.vkey, 0)
        status, media, text = self._post(url, self._request(note, old, size))
        if status == 409 and media == SIZE_TYPE:  # it says from where: once more
            old = parse_number(text.removesuffix("\n"))
            if old > size:
                raise error("log-rollback", f"{key.name} has seen {old} entries, we have {size}")
            status, _, text = self._post(url, self._request(note, old, size))
        if status != 200:
            raise error("log-witness", f"it answered {status}: {text[:200]!r}")
        found = collect(note, text, [key])
        self._sizes[key.vkey] = size
        return found

    def _request(self, note: str, old: int, size: int) -> bytes:
        proof: list[str] = []
        if 0 < old < size:
            proof = self._registry.log.consistency(old, size)["proof"]
        return Request(old, tuple(map(b64decode, proof)), note).encode().encode()

    def _post(self, url: str, body: bytes) -> tuple[int, str, str]:
        data, end = bytearray(), time.monotonic() + 2 * SECONDS
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        with self._http.stream(
            "POST", f"{url}/add-checkpoint", content=body, headers=headers
        ) as reply:
            if "content-encoding" in reply.headers:  # not asked for, and may be a bomb
                raise error("log-witness", "the answer is packed")
            for chunk in reply.iter_bytes():
                data += chunk
                if len(data) > MAX_ANSWER:
                    raise error("limit-size", "the answer is too large")
                if time.monotonic() > end:
                    raise error("unavailable", "the answer takes too long")
        media = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
        return reply.status_code, media, data.decode("utf-8", "replace")


def _has(note: str, key: NoteKey) -> bool:
    return any(one.by(key) for one in parse_checkpoint(note)[1].signatures)
