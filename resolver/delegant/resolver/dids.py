"""Resolving DIDs: our own from the home, others by what they are, the rest through the fetcher.

did:key and did:jwk follow from themselves; a did:web of this home is answered from its files;
any other did:web, and every did:webvh, is fetched where the operator allowed its host, and what
was fetched is kept for a while.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from delegant.credentials.codec import JsonObject, parse
from delegant.credentials.did import Did, method_of
from delegant.credentials.errors import Error, error
from delegant.w3c import webvh
from delegant.w3c.dids import Resolve, checked
from delegant.w3c.didweb import host_of, path_of, to_url
from delegant.w3c.resolution import Options, Resolution, check_document, expand_urls, local
from delegant.wallet import Home
from delegant.wallet.webdids import web_document, web_subjects

from .fetch import DOCUMENT_TYPES, LOG_TYPES, SIZE, Fetcher, Reply

__all__ = ["JSON_TYPES", "Cached", "Dids", "network_resolve", "resolve_within", "within"]

T = TypeVar("T")

JSON_TYPES: Final = (*DOCUMENT_TYPES, "application/vc", "application/vc+jwt", "application/vp")
KEEP: Final = 60
KEEP_MOST: Final = 300
KEEP_FAILURE: Final = 10
"""Seconds a reply is kept: where its server says nothing, at most, and where there was none."""
MAX_LOG: Final = 1024 * 1024
"""Most bytes of a did:webvh log that is fetched."""
CACHED: Final = 256
CACHED_BYTES: Final = 16 * 1024 * 1024


class Cached:
    """A fetcher that remembers for a while: replies, and that there was none.

    Args:
        fetcher: what fetches.
        clock: seconds, never running backwards.
    """

    def __init__(self, fetcher: Fetcher, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Any, ...], tuple[float, Reply | Error]] = OrderedDict()
        self._bytes = 0

    @property
    def on(self) -> bool:
        """Whether any host is allowed."""
        return bool(self._fetcher.allowed)

    def get(
        self,
        url: str,
        *,
        media: Iterable[str] = DOCUMENT_TYPES,
        size: int = SIZE,
        absent: str = "fetch-failed",
    ) -> Reply:
        """As `Fetcher.get`, from memory where it may be.

        Raises:
            what `Fetcher.get` raises; ``fetch-refused`` is never remembered.
        """
        what = (url, tuple(media), size, absent)
        with self._lock:
            until, found = self._kept.get(what, (0.0, None))
            if found is not None and self._clock() < until:
                self._kept.move_to_end(what)
                if isinstance(found, Error):
                    raise error(found.code, found.detail)
                return found
        try:
            reply = self._fetcher.get(url, media=what[1], size=size, absent=absent)
        except Error as exc:
            if exc.code != "fetch-refused":
                self._keep(what, exc, KEEP_FAILURE)
            raise
        self._keep(what, reply, KEEP if reply.max_age is None else min(reply.max_age, KEEP_MOST))
        return reply

    def _keep(self, what: tuple[Any, ...], found: Reply | Error, seconds: int) -> None:
        with self._lock:
            self._drop(what)
            if seconds <= 0:
                return
            self._kept[what] = (self._clock() + seconds, found)
            self._bytes += _weight(found)
            while len(self._kept) > CACHED or self._bytes > CACHED_BYTES:
                self._drop(next(iter(self._kept)))

    def _drop(self, what: tuple[Any, ...]) -> None:
        gone = self._kept.pop(what, None)
        if gone is not None:
            self._bytes -= _weight(gone[1])


def _weight(found: Reply | Error) -> int:
    return 0 if isinstance(found, Error) else len(found.body)


class Dids:
    """A resolver of DIDs.

    Args:
        fetcher: for DIDs of others.
        home: whose own documents need no network; None: there are none.
        clock: seconds since 1970.
    """

    def __init__(
        self, fetcher: Fetcher, home: Home | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.replies = Cached(fetcher)
        self._home = home
        self._clock = clock

    def resolve(self, name: str, options: Options = Options()) -> Resolution:  # noqa: B008 - frozen
        """Resolve a DID.

        Raises:
            Malformed: ``did-invalid``, ``did-options``, ``did-document``.
            Undecided: ``did-method``, ``did-feature``, ``suite``, ``fetch-failed``.
            NotFound: ``did-not-found``. Rejected: ``fetch-refused``, ``key-weak``.
        """
        who = checked(name)
        method = method_of(who)
        if options.key_format is not None and method != "key":
            raise error("did-feature", "publicKeyFormat is of did:key")
        if method in ("key", "jwk"):
            found = local(who, options)
        elif method == "web":
            found = self._web(who, options)
        elif method == "webvh":
            found = self._webvh(who, options)
        else:
            raise error("did-method", f"did:{method} is not known to this resolver")
        if options.expand and found.document is not None:
            return Resolution(expand_urls(found.document), found.metadata, found.document_metadata)
        return found

    def document(self, name: str) -> JsonObject:
        """The document of a DID, as `delegant.w3c` asks for it (a `Resolve`).

        Raises:
            as `resolve`, and Gone: ``did-deactivated``.
        """
        found = self.resolve(name)
        if found.document is None:
            raise error("did-deactivated", f"{name[:120]} is deactivated")
        return found.document

    def at(self, path: str) -> JsonObject:
        """The document of this home's own that lies at a path of its host.

        Raises:
            NotFound: ``did-not-found``.
        """
        if self._home is None:
            raise error("did-not-found", "no DID of this home has its document there")
        return web_document(self._home, path)

    def fetch(self, url: str) -> bytes:
        """Whatever JSON, credential or list lies at a URL; for `verify_credential` and its like.

        Raises:
            Rejected: ``fetch-refused``. Undecided: ``fetch-failed``.
        """
        return self.replies.get(url, media=JSON_TYPES, size=1 << 20).body

    def _web(self, who: Did, options: Options) -> Resolution:
        if options.versioned:
            raise error("did-feature", "a did:web keeps no versions")
        return Resolution(self._own(who) or self._fetched(who))

    def _own(self, who: Did) -> JsonObject | None:
        """A did:web of this home, from its files; what it does not list is not there."""
        if self._home is None:
            return None
        for one in web_subjects(self._home):
            if one.did == who:
                return one.document
        base = self._home.settings.organization
        if base.startswith("did:web:") and host_of(who) == host_of(Did(base)):
            raise error("did-not-found", f"{who[:120]} is not among the DIDs of this home")
        return None

    def _fetched(self, who: Did) -> JsonObject:
        path_of(who)
        self._switched_on("did:web of others")
        reply = self.replies.get(to_url(who), absent="did-not-found")
        try:
            document = parse(reply.body, size=SIZE)
        except Error as exc:
            raise error("did-document", f"{exc.code}: {exc.detail}") from None
        json_ld = reply.media in ("application/did+ld+json", "application/ld+json")
        return check_document(document, who, json_ld=json_ld)

    def _switched_on(self, what: str) -> None:
        if not self.replies.on:
            raise error("did-method", f"{what} is switched off: no host is allowed")

    def _webvh(self, who: Did, options: Options) -> Resolution:
        """From the published log, which proves itself; a deactivated DID has no document."""
        places = webvh.urls(who)
        self._switched_on("did:webvh")
        log = self.replies.get(places.log, media=LOG_TYPES, size=MAX_LOG, absent="did-not-found")
        witness: bytes | None = None
        if b'"witness"' in log.body:
            witness = self._witness(places.witness)
        try:
            found = webvh.resolve(
                who,
                log.body,
                witness=witness,
                at=int(self._clock()),
                version_id=options.version_id,
                version_number=options.version_number,
                version_time=options.version_time,
            )
        except Error as exc:
            if exc.code in ("did-invalid", "did-not-found", "did-document", "suite"):
                raise
            code = "did-feature" if exc.code == "unknown-version" else "did-document"
            raise error(code, f"{exc.code}: {exc.detail}") from None
        if found.deactivated or found.document is None:
            return Resolution(None, found.metadata, found.document_metadata)
        check_document(found.document, str(found.document.get("id")))
        return found

    def _witness(self, url: str) -> bytes | None:
        try:
            return self.replies.get(url, size=webvh.MAX_WITNESS, absent="did-not-found").body
        except Error as exc:
            if exc.code == "did-not-found":
                return None
            raise


def network_resolve(dids: Dids, *, most: int = 8, seconds: float = 10.0) -> Resolve:
    """A `Resolve` for one verification: each DID once, few of them over the network.

    Args:
        dids: the resolver.
        most: how many DIDs of others may be resolved.
        seconds: after which no other is begun.

    Returns:
        A function that raises what `Dids.document` raises, and ``fetch-failed`` past the bounds.
    """
    return resolve_within(dids.document, most=most, seconds=seconds)


def resolve_within(resolve: Resolve, *, most: int, seconds: float) -> Resolve:
    """As `network_resolve`, of any `Resolve`; did:key and did:jwk cost nothing."""
    asked = within(resolve, most=most, seconds=seconds)

    def bounded(name: str) -> JsonObject:
        return resolve(name) if name.startswith(("did:key:", "did:jwk:")) else asked(name)

    return bounded


def within(ask: Callable[[str], T], *, most: int, seconds: float) -> Callable[[str], T]:
    """A question to the network as one verification may ask it.

    Args:
        ask: the question; its refusals are remembered too.
        most: how many different ones.
        seconds: after which no other is begun.

    Returns:
        A function that raises what ``ask`` raises, and ``fetch-failed`` past the bounds.
    """
    found: dict[str, T | Error] = {}
    begun = time.monotonic()

    def asked(name: str) -> T:
        if name not in found:
            if len(found) >= most:
                raise error("fetch-failed", f"more than {most} are not asked for at once")
            if time.monotonic() - begun > seconds:
                raise error("fetch-failed", f"not asked within {seconds:g} seconds")
            try:
                found[name] = ask(name)
            except Error as exc:
                found[name] = exc
        known = found[name]
        if isinstance(known, Error):
            raise error(known.code, known.detail)
        return known

    return asked
