"""Our own rows: what verifying and issuing cost, and how many bytes a link takes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context

from delegant.credentials import Evidence, Link, canonical, issue_link
from delegant.credentials.envelope import V2_CONTEXT, Form
from delegant.w3c import proofs
from delegant.w3c.dids import expand, from_key, vm_of
from delegant.w3c.keys import new_signer
from world import LIST, PAPERS, T0, World, research_chain

from .chains import Batch, full_link, line_of, read_papers, story
from .measure import Effort, Figure, Job, ratio, raw_r, raw_s, two

__all__ = ["LENGTHS", "ROWS", "Row", "curve"]

LENGTHS = (1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 28, 32)
"""Links of the chains of `curve`."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: its name in the JSON, what it is, its unit, and the goal it is held to.

    ``most`` and ``least`` are goals; ``floor`` is what the signatures alone cost.
    """

    key: str
    what: str
    unit: str
    measure: Callable[[Effort], Figure]
    floor: float | None = None
    most: float | None = None
    least: float | None = None

    def met(self, value: float) -> bool | None:
        """Whether a value meets the goal; None without one."""
        if self.most is not None:
            return value <= self.most
        return None if self.least is None else value >= self.least


def r(build: Callable[[], Job], per: int = 1) -> Callable[[Effort], Figure]:
    """A figure in raw verifications; ``per`` is how many items one call of the job handles."""
    return lambda effort: ratio(build(), raw_r(), effort).scaled(1 / per)


def s(build: Callable[[], Job]) -> Callable[[Effort], Figure]:
    """A figure in raw signatures."""
    return lambda effort: ratio(build(), raw_s(), effort)


def size(build: Callable[[], Link]) -> Callable[[Effort], Figure]:
    """The canonical bytes of a link."""
    return lambda _: Figure.of([float(len(canonical(build().secured.raw)))])


def request() -> Job:
    """What the enforcement point does first: say what it is about to do."""
    return lambda: read_papers().digest


def sponsor_credential() -> Job:
    """A human's sponsor credential from bytes: parse, verify, accept."""
    world = World()
    human = world.human("human").did
    item = canonical({"sponsors": world.evidence().json["sponsors"]})

    def job() -> None:
        (found,) = Evidence.parse(item).sponsors(human)
        found.secured.check(found.issuer, world.org.key.public)

    return job


def agent_identity() -> Job:
    """An agent's identity from bytes."""
    world = World()
    human = world.human("human")
    agent = world.agent("agent", human).did
    item = canonical({"identities": world.evidence().json["identities"]})

    def job() -> None:
        (found,) = Evidence.parse(item).identities(agent)
        found.secured.check(found.issuer, human.key.public)

    return job


def status_list() -> Job:
    """A status list of 131,072 bits from bytes."""
    world = World()
    item = canonical({"statusLists": world.evidence().json["statusLists"]})

    def job() -> None:
        (found,) = Evidence.parse(item).status_lists(LIST)
        found.secured.check(found.issuer, world.status.key.public)

    return job


def issuing(form: Form) -> Job:
    """One link below a parent that is already verified."""
    world = World()
    parent = tuple(research_chain(world)[0][:1])
    research, retrieval = world.parties["research"], world.parties["retrieval"].did
    entry = world.entry(research)
    return lambda: issue_link(
        research.key,
        issuer=research.did,
        subject=retrieval,
        organization=world.org.did,
        grants=[{"actions": ["db.read"], "resources": [PAPERS]}],
        valid_from=world.now,
        valid_until=world.now + 300,
        above=parent,
        status=entry,
        form=form,
    )


_worker = threading.local()


def _prepare() -> None:
    """Every worker, thread or process, verifies a chain of its own."""
    chain = story()
    _worker.job, _worker.warm, _worker.raw = chain.cold, chain.warm, raw_r()


def _verify(number: int) -> None:
    for _ in range(number):
        _worker.job()


def _verify_warm(number: int) -> None:
    for _ in range(4 * number):
        _worker.warm()


def _raw(number: int) -> None:
    for _ in range(6 * number):
        _worker.raw()


def threads(effort: Effort) -> Figure:
    """Two threads against one."""
    return _threads(effort)[0]


def threads_warm(effort: Effort) -> Figure:
    """The same for chains seen before: one signature each, outside the interpreter lock."""
    return _threads(effort)[1]


@cache
def _threads(effort: Effort) -> tuple[Figure, ...]:
    with ThreadPoolExecutor(2, initializer=_prepare) as pool:
        return two(pool, [_verify, _verify_warm], effort)


def in_general(suite: str, kind: str) -> Job:
    """A small credential of VCDM 2.0, verified by general rules from parsed JSON."""
    key = new_signer(kind)
    name = from_key(key.public)
    document = {
        "@context": [V2_CONTEXT],
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential"],
        "issuer": name,
        "validFrom": "2026-01-01T00:00:00Z",
        "name": "A small credential",
        "credentialSubject": {"id": "did:example:subject", "name": "Subject"},
    }
    made = proofs.sign(document, key, suite=suite, method=vm_of(name), created=T0)
    return lambda: proofs.verify(made, resolve=expand, at=T0)


def processes(effort: Effort) -> Figure:
    """Two processes against one."""
    return _processes(effort)[0]


def cores(effort: Effort) -> Figure:
    """The control, taken in turn with `processes`: two processes of raw verifications."""
    return _processes(effort)[1]


@cache
def _processes(effort: Effort) -> tuple[Figure, ...]:
    spawn = get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn, initializer=_prepare) as pool:
        return two(pool, [_verify, _raw], effort)


ROWS = (
    Row("verify_3_cold", "verify 3 links + invocation", "r", r(lambda: story().cold), 4, 6),
    Row("verify_3_warm", "  chain seen before", "r", r(lambda: story().warm), 1, 1.6),
    Row("verify_10_cold", "verify 10 links + invocation", "r", r(lambda: line_of(10).cold), 11, 17),
    Row("verify_10_warm", "  chain seen before", "r", r(lambda: line_of(10).warm), 1, 2.3),
    Row("batch_per_item", "64 acts, 8 chains of 3: each", "r", r(Batch, per=Batch.ACTS), 1.375),
    Row("request", "build a request and its digest", "r", r(request)),
    Row("evidence_item", "evidence: sponsor credential, once", "r", r(sponsor_credential), 1, 3),
    Row("evidence_identity", "evidence: agent identity, once", "r", r(agent_identity), 1, 3),
    Row("evidence_list", "evidence: status list, 131,072 bits", "r", r(status_list), 1, 3),
    Row(
        "vc_jcs",
        "any credential, eddsa-jcs-2022",
        "r",
        r(lambda: in_general("eddsa-jcs-2022", "Ed25519")),
        1,
    ),
    Row(
        "vc_rdfc", "  eddsa-rdfc-2022", "r", r(lambda: in_general("eddsa-rdfc-2022", "Ed25519")), 1
    ),
    Row(
        "vc_ecdsa_jcs",
        "  ecdsa-jcs-2019, P-256",
        "r",
        r(lambda: in_general("ecdsa-jcs-2019", "P-256")),
    ),
    Row(
        "vc_ecdsa_rdfc",
        "  ecdsa-rdfc-2019, P-256",
        "r",
        r(lambda: in_general("ecdsa-rdfc-2019", "P-256")),
    ),
    Row("threads_2", "verify: 2 threads against 1", "x", threads, 2, least=1.3),
    Row("threads_2_warm", "  chain seen before", "x", threads_warm, 2),
    Row("processes_2", "verify: 2 processes against 1", "x", processes, 2, least=1.8),
    Row("cores_2", "  control: raw verifications", "x", cores, 2),
    Row("issue_link", "issue a link, parent verified", "s", s(lambda: issuing("di")), 1, 3),
    Row("issue_link_jwt", "  as vc+jwt", "s", s(lambda: issuing("jwt")), 1, 3),
    Row(
        "bytes_per_link",
        "size of the dbquery link",
        "bytes",
        size(lambda: research_chain(World())[0][2]),
        most=1945,
    ),
    Row("bytes_per_full_link", "  of a link that says all", "bytes", size(full_link), most=2662),
)
"""Another row is one more line; what `r` and `s` take is a function that sets up and returns a job
(``r(build, per=…)`` where one call handles several items)."""


def curve(effort: Effort) -> dict[str, list[Figure]]:
    """Cost in r of a chain of each of `LENGTHS`, cold and warm."""
    unit = raw_r()
    made = [line_of(length) for length in LENGTHS]
    return {
        "cold": [ratio(one.cold, unit, effort) for one in made],
        "warm": [ratio(one.warm, unit, effort) for one in made],
    }
