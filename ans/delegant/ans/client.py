"""A client of the naming service that trusts only signatures."""

from __future__ import annotations

import time
from typing import Any, Final
from urllib.parse import quote

import httpx

from delegant.credentials import CODES, Evidence, PrivateKey, PublicKey
from delegant.credentials.codec import JsonObject, parse_object
from delegant.credentials.errors import error

from .answer import Resolution, verify_answer
from .documents import check_receipt, digest_of
from .holder import evidence_request
from .leaf import NameLeaf
from .log.note import NoteKey

__all__ = ["Client"]

MAX_ANSWER: Final = 4 * 1024 * 1024


class Client:
    """Resolve names, and submit events, at one registry.

    Args:
        base_url: for example ``http://127.0.0.1:8080``.
        registry: the DID whose signature counts, from your trust folder.
        log: the key of its log.
        key: its key, where the DID is not its key.
        timeout: seconds for each wait; a whole answer may take twice that.

    No answer is believed for coming from the right address: only for its signatures, its
    time, and being about what was asked. Redirects are not followed.
    """

    def __init__(
        self,
        base_url: str,
        registry: str,
        *,
        log: NoteKey,
        key: PublicKey | None = None,
        timeout: float = 5.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.registry = registry
        self._key = key
        self._log = log
        self._timeout = timeout
        self._http = httpx.Client(
            base_url=base_url,
            timeout=timeout,
            transport=transport,
            follow_redirects=False,
            headers={"Accept-Encoding": "identity"},
            trust_env=False,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def resolve(self, name: str, *, at: int | None = None) -> Resolution:
        """What a name stands for, verified.

        Raises:
            NotFound: ``ans-not-found``. Gone: ``ans-gone``. Rejected: ``ans-signature``.
            Undecided: ``ans-stale``. Unavailable: ``unavailable``. Malformed: ``ans-name``.
        """
        answer = self._call("GET", f"/v1/resolve?name={quote(name, safe='')}", signed=True)
        when = int(time.time()) if at is None else at
        return verify_answer(answer, self.registry, name, at=when, log=self._log, key=self._key)

    def submit(self, body: bytes, invocation: str, *, agent: str | None = None) -> JsonObject:
        """Send an event; the registry's receipt, verified.

        Args:
            body, invocation: from `holder.submission`.
            agent: for a renewal or revocation, whose name it is.

        Raises:
            Error: what the registry answered. Unavailable: ``unavailable``.
        """
        path = "/v1/agents" if agent is None else f"/v1/agents/{quote(agent, safe='')}/events"
        headers = {"Agent-Invocation": invocation, "Content-Type": "application/json"}
        receipt = self._call("POST", path, content=body, headers=headers)
        leaf = check_receipt(receipt, self.registry, self._log).leaf
        sent = digest_of(parse_object(body, size=MAX_ANSWER)["event"])
        if not isinstance(leaf, NameLeaf) or leaf.event != sent:
            raise error("ans-signature", "a receipt of another event")
        return receipt

    def evidence(self, key: PrivateKey, caller: str, about: str) -> Evidence:
        """Fresh evidence about a DID, for the agent itself or a listed verifier."""
        token = evidence_request(key, caller, about, self.registry, at=int(time.time()))
        path = f"/v1/evidence/{quote(about, safe='')}"
        return Evidence.from_json(self._call("GET", path, headers={"Agent-Invocation": token}))

    def _call(self, method: str, path: str, *, signed: bool = False, **more: Any) -> JsonObject:
        data = bytearray()
        end = time.monotonic() + 2 * self._timeout
        try:
            with self._http.stream(method, path, **more) as response:
                if "content-encoding" in response.headers:  # not asked for, and may be a bomb
                    raise error("unavailable", "the answer is packed")
                for chunk in response.iter_bytes():
                    data += chunk
                    if len(data) > MAX_ANSWER:
                        raise error("limit-size", "the answer is too large")
                    if time.monotonic() > end:
                        raise error("unavailable", "the answer takes too long")
        except httpx.HTTPError as exc:
            raise error("unavailable", f"the registry does not answer: {exc}") from None
        value = parse_object(bytes(data), size=MAX_ANSWER)
        if signed and type(value.get("answer")) is dict:
            answer: JsonObject = value["answer"]  # a problem with the signed answer inside
            return answer
        if response.is_success or (signed and "freshness" in value):
            return value
        code = value.get("code")
        if signed and code in ("ans-not-found", "ans-gone"):
            raise error("ans-signature", f"{code}, and nobody signed it")
        if type(code) is str and code in CODES:
            raise error(code, str(value.get("detail", ""))[:500])
        raise error("unavailable", f"the registry answered {response.status_code}")
