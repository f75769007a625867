"""The search index: names by what is asked of them, each list in the order of answers.

A name stands under a handful of terms: its protocol, provider, function and domain, each of its
capabilities, each type of attestation it came with. Under a term, names lie by version (the
highest first), then what is not deprecated, then the name, so the ten first of a hundred thousand
are the ten first rows. The index only finds: what it finds is read from the store, verified and
judged by `matching` before it answers anything.

No search looks at more than `LOOK` names of one list, so none takes for ever; `Look.whole` says
whether that was all there are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, or_, select, true, tuple_, update

from delegant.credentials.codec import JsonObject, canonical, parse
from delegant.credentials.errors import Error, error

from .batch import Batch
from .engine import upsert
from .health import STATUSES
from .matching import by_name
from .name import AnsName
from .query import Query, folded
from .tables import HEALTH, LISTINGS, NAMES, TERMS
from .versions import padded

__all__ = [
    "LOOK",
    "Found",
    "Listing",
    "Look",
    "attestations_of",
    "beat",
    "beat_of",
    "claim_terms",
    "claimed",
    "health",
    "reclaim",
    "said_terms",
    "set_live",
    "sweep",
    "terms_for",
    "terms_of",
    "with_attestations",
]

LOOK: Final = 2000
PAGE: Final = 100
COUNT: Final = 200
"""A list of so many names is short enough: which of two longer ones is shorter is not asked."""
SWEEP: Final = 100
MAX_STORED: Final = 1024 * 1024
EVERY: Final = "*"
_RANK: Final = (
    TERMS.c.major,
    TERMS.c.minor,
    TERMS.c.patch,
    TERMS.c.deprecated,
    TERMS.c.key,
)


@dataclass(frozen=True, slots=True)
class Found:
    """A name the index holds, nothing of it believed yet."""

    name: AnsName
    capabilities: tuple[str, ...]
    expires: int


# --- writing --------------------------------------------------------------------------------


class Listing:
    """What is searched of a name by its record, ready to be written.

    Args:
        attestations: what came with the record, as it came.
        claims: the types it says it has attestations of.
        expires: of the record, seconds since 1970.
        believed: those of the types that somebody accredited signed.
    """

    def __init__(
        self,
        name: AnsName,
        record: JsonObject,
        attestations: Sequence[JsonObject | str],
        claims: Sequence[str],
        expires: int,
        believed: Collection[str] = (),
    ) -> None:
        self._key = key = name.key
        capabilities = record.get("capabilities", [])
        self._row = {
            "key": key,
            "live": True,
            "expires": expires,
            "capabilities": canonical(capabilities),
            "attestations": canonical(list(attestations)),
        }
        self._terms = terms_of(name, record, claimed(claims, believed), live=True)

    def put(self, batch: Batch, *, live: bool, fresh: bool) -> None:
        """List the name, inside the transaction that writes its record.

        Args:
            live: neither suspended nor revoked.
            fresh: it was never listed before.
        """
        if not fresh:
            batch.unlist(self._key)
        if not live:
            self._row["live"] = False
            self._terms = [{**term, "live": False} for term in self._terms]
        batch.put(LISTINGS, self._row)
        batch.put(TERMS, *self._terms)


def terms_of(
    name: AnsName, record: JsonObject, attested: Collection[str], *, live: bool
) -> list[JsonObject]:
    """The rows by which a name is found, in order; ``attested`` as `claimed` says."""
    major, minor, patch = padded(name.version)
    place = {
        "live": live,
        "major": -major,
        "minor": -minor,
        "patch": -patch,
        "deprecated": "successor" in record,
        "key": name.key,
    }
    terms = _terms_of(name, record.get("capabilities", [])) | set(attested)
    return [{"term": term, **place} for term in sorted(terms)]


def set_live(db: Connection, keys: Sequence[str], *, live: bool) -> None:
    """Names were suspended, resumed or revoked."""
    for table in (LISTINGS, TERMS):
        db.execute(update(table).where(table.c.key.in_(keys)).values(live=live))


def sweep(db: Connection, at: int, most: int = SWEEP) -> int:
    """Put some of the expired aside, so that no search has to step over them; how many."""
    query = select(LISTINGS.c.key).where(LISTINGS.c.live == true(), LISTINGS.c.expires <= at)
    keys = list(db.execute(query.order_by(LISTINGS.c.expires).limit(most)).scalars())
    if keys:
        set_live(db, keys, live=False)
    return len(keys)


def beat(db: Connection, key: str, agent: str, status: str, at: int, issued: int) -> None:
    """Keep a heartbeat, which must be signed after the one before.

    Raises:
        Conflict: ``replay``.
    """
    made = {"agent": agent, "status": status, "at": at, "issued": issued}
    older = or_(
        HEALTH.c.issued < issued,
        (HEALTH.c.issued == issued) & (HEALTH.c.agent != agent),  # an heir, in the same second
    )
    row = upsert(db, HEALTH).values(key=key, **made)
    row = row.on_conflict_do_update(index_elements=[HEALTH.c.key], set_=made, where=older)
    if db.execute(row).rowcount == 0:
        raise error("replay", "a heartbeat as new as this one was taken already")


# --- reading --------------------------------------------------------------------------------


def health(db: Connection, key: str) -> Any:
    """The newest heartbeat of a name, or None."""
    row = db.execute(select(HEALTH).where(HEALTH.c.key == key)).one_or_none()
    if row is not None and not (
        row.status in STATUSES and type(row.at) is int and type(row.issued) is int
    ):
        raise error("unavailable", "a stored heartbeat is damaged")
    return row


def beat_of(row: Any) -> tuple[str, int] | None:
    """The newest heartbeat in the row of a name (`Store.name`), its status and when it came."""
    if row.beat_status is None:
        return None
    sound = type(row.beat_at) is int and type(row.beat_issued) is int
    if row.beat_status not in STATUSES or not sound:
        raise error("unavailable", "a stored heartbeat is damaged")
    return row.beat_status, row.beat_at


def attestations_of(row: Any) -> bytes:
    """The attestations kept with a name, as they came, in its row: the bytes of a JSON array."""
    if row.attestations is None:
        return b"[]"
    if type(row.attestations) is not bytes:
        raise _damaged(TypeError())
    return row.attestations


class Look:
    """A walk along the list of one term, from the highest version down.

    Args:
        terms: the names wanted stand under each of them; the shortest list is walked.
        version: a question's range, or None.
        live: whether to walk along those who can answer, or along the others.
        most: names to look at.

    Attributes:
        seen: how many were looked at.
        whole: whether these were all; known at the end.
    """

    def __init__(
        self,
        db: Connection,
        terms: Sequence[str],
        query: Query | None = None,
        *,
        live: bool = True,
        most: int = LOOK,
    ) -> None:
        self._db = db
        self._live = live
        self._most = most
        self._bounds: list[Any] = []
        version = None if query is None else query.version
        if version is not None:
            numbers = tuple_(TERMS.c.major, TERMS.c.minor, TERMS.c.patch)
            self._bounds.append(numbers <= _negated(version.low))
            if version.high is not None:
                self._bounds.append(numbers > _negated(version.high))
        self._term = self._shortest(terms)
        self.seen = 0
        self.whole = False

    def __iter__(self) -> Iterator[Found]:
        after: tuple[Any, ...] | None = None
        while self.seen < self._most:
            rows = self._page(after, min(PAGE, self._most - self.seen))
            for row in rows:
                self.seen += 1
                yield _found(row)
            if len(rows) < PAGE and self.seen < self._most:
                self.whole = True
                return
            after = tuple(rows[-1])[: len(_RANK)]
        self.whole = not self._page(after, 1)

    def _page(self, after: tuple[Any, ...] | None, limit: int) -> Sequence[Any]:
        query = (
            select(*_RANK, LISTINGS.c.capabilities, LISTINGS.c.expires)
            .join(LISTINGS, LISTINGS.c.key == TERMS.c.key)
            .where(TERMS.c.term == self._term, TERMS.c.live == self._live, *self._bounds)
        )
        if after is not None:
            query = query.where(tuple_(*_RANK) > after)
        return self._db.execute(query.order_by(*_RANK).limit(limit)).all()

    def _shortest(self, terms: Sequence[str]) -> str:
        best, least = EVERY, COUNT + 1
        for term in terms:
            if best == EVERY:
                best = term
            if len(terms) == 1:
                break
            inner = select(TERMS.c.key).where(
                TERMS.c.term == term, TERMS.c.live == self._live, *self._bounds
            )
            counted = select(func.count()).select_from(inner.limit(COUNT + 1).subquery())
            count = int(self._db.execute(counted).scalar_one())
            if count < least:
                best, least = term, count
        return best


def terms_for(query: Query) -> list[str]:
    """The terms under each of which whatever answers a question stands; the narrowest first."""
    out: list[str] = []
    if query.capability is not None:
        out.append(f"capability:{query.capability}")
    out += [f"claim:{kind}" for kind in query.attestations]
    if query.pattern is not None:
        out += _fixed(str(query.pattern))
    if query.provider is not None:
        out.append(f"provider:{query.provider}")
    if query.protocol is not None:
        out.append(f"protocol:{query.protocol}")
    return out


def _fixed(pattern: str) -> list[str]:
    """What a pattern says without a ``*``."""
    protocol, _, rest = pattern.partition("://")
    labels = rest.split(".")
    if labels[-1] == "*":
        labels.pop()
    given = zip(("function", "domain", "provider"), labels, strict=False)
    out = [f"{what}:{label}" for what, label in given if "*" not in label]
    return out if "*" in protocol else [*out, f"protocol:{protocol}"]


def claimed(claims: Collection[str], believed: Collection[str]) -> set[str]:
    """The terms of attestations: what is believed is found, what is said is only told of."""
    return {f"claim:{one}" if one in believed else f"said:{one}" for one in claims}


def said_terms(query: Query) -> list[str]:
    """The terms under which names stand that only say they have what was asked for."""
    return [f"said:{kind}" for kind in query.attestations]


def claim_terms(db: Connection, key: str) -> set[str]:
    """The terms of attestations that a name stands under."""
    kinds = or_(TERMS.c.term.like("claim:%"), TERMS.c.term.like("said:%"))
    return set(db.execute(select(TERMS.c.term).where(TERMS.c.key == key, kinds)).scalars())


def reclaim(db: Connection, key: str, terms: Collection[str]) -> None:
    """Let a name stand under these terms of attestations instead."""
    before = claim_terms(db, key)
    place = select(TERMS).where(TERMS.c.key == key, TERMS.c.term == EVERY)
    row = db.execute(place).one_or_none()
    if row is None or before == set(terms):
        return
    db.execute(delete(TERMS).where(TERMS.c.key == key, TERMS.c.term.in_(before)))
    if terms:
        db.execute(insert(TERMS), [{**row._mapping, "term": term} for term in sorted(terms)])


def with_attestations(db: Connection, after: str, limit: int) -> list[Any]:
    """The next names beyond a key that came with attestations: ``key``, ``attestations``."""
    query = (
        select(LISTINGS.c.key, LISTINGS.c.attestations, NAMES.c.agent)
        .join(NAMES, NAMES.c.key == LISTINGS.c.key)
        .where(LISTINGS.c.key > after, LISTINGS.c.attestations != b"[]")
    )
    return list(db.execute(query.order_by(LISTINGS.c.key).limit(limit)))


def _terms_of(name: AnsName, capabilities: Sequence[str]) -> set[str]:
    can = {folded(one) for one in capabilities} | by_name(name)
    return {
        EVERY,
        f"protocol:{name.protocol}",
        f"provider:{name.provider_key}",
        f"function:{name.function.lower()}",
        f"domain:{name.domain.lower()}",
        *(f"capability:{one}" for one in can),
    }


def _negated(version: tuple[int, int, int]) -> tuple[int, int, int]:
    return -version[0], -version[1], -version[2]


def _found(row: Any) -> Found:
    capabilities = _array(row.capabilities)
    try:
        if not all(type(one) is str for one in capabilities):
            raise error("shape", "not a list of text")
        return Found(AnsName.parse(row.key), tuple(capabilities), int(row.expires))
    except (Error, TypeError, ValueError) as exc:
        raise _damaged(exc) from None


def _array(body: Any) -> list[Any]:
    try:
        out = parse(bytes(body), size=MAX_STORED)
        if type(out) is not list:
            raise error("shape", "not a list")
    except (Error, TypeError, ValueError) as exc:
        raise _damaged(exc) from None
    return out


def _damaged(exc: Exception) -> Error:
    told = getattr(exc, "code", type(exc).__name__)
    return error("unavailable", f"a stored listing is damaged: {told}")
