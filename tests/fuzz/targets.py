"""The targets by name: what runs, where it starts, how its input is changed.

A target is called with bytes and returns, or raises: a `Finding` where a promise broke, or
whatever else got loose. Nothing here needs atheris.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Final

from fuzz import chains, credentials, documents, logs, seeds, texts, w3c, webvh
from fuzz.trees import Bytes, damaged, mangle, on_trees

__all__ = ["TARGETS", "Target", "mutations"]

Run = Callable[[bytes], None]
Change = Callable[[bytes, int, Random, Bytes], bytes]


@dataclass(frozen=True)
class Target:
    """One fuzz target; ``most`` is the longest input in bytes."""

    name: str
    run: Run
    seeds: Callable[[], Iterable[bytes]]
    change: Change | None = None
    most: int = 4096

    def mutate(self, data: bytes, most: int, dice: Random, plain: Bytes) -> bytes:
        """Another input, by the target's own way if it has one."""
        if self.change is None:
            return plain(data, most)
        return self.change(data, most, dice, plain)


def mutations(target: Target, start: Iterable[bytes], dice: Random) -> Iterable[bytes]:
    """Endless inputs without a fuzzer: a seed, changed one to three times over."""
    pool = list(start)

    def plain(data: bytes, most: int) -> bytes:
        return mangle(data, most, dice)

    while True:
        data = dice.choice(pool)
        for _ in range(dice.choice((1, 1, 2, 3))):
            data = target.mutate(data, target.most, dice, plain)
        yield data


def _texts(*lines: str | bytes) -> Callable[[], list[bytes]]:
    return lambda: [line if isinstance(line, bytes) else line.encode() for line in lines]


def _short() -> list[bytes]:
    """JSON of the seeds that is short, and what tells JSON readers apart."""
    return [
        *documents.requests(), *documents.trusts(),
        b"[1,1.0,-0,0.5,1e2,1E400,9007199254740991,9007199254740993,-0.0,1e21,1e-7]",
        b'{"a":"\\ud83d\\ude00","\\u0061b":"\\u2028","\xc3\xa9":"\xf0\x9f\x98\x80"}',
        b'{"a":1,"\\u0061":2}', b"\xef\xbb\xbf{}", b'"\\ud800"', b"[[[[[[[[[]]]]]]]]]",
        b"[" * 33 + b"]" * 33, b"[" * 34 + b"]" * 34, b"[NaN,Infinity]", b" \t\r\n[ 1 , 2 ] ",
        b'"' + bytes(range(32, 127)).replace(b'"', b"").replace(b"\\", b"") + b'"', b"[1,]", b"01",
    ]  # fmt: skip


def _keys() -> list[bytes]:
    good = seeds.party("ana")
    low = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
    weak = [bytes(32), b"\x01" + bytes(31), bytes.fromhex("ec" + "ff" * 30 + "7f"),
            bytes.fromhex("ed" + "ff" * 30 + "7f"), bytes.fromhex(low),
            bytes.fromhex(low[:-2] + "85"), b"\x00" * 31 + b"\x80"]  # fmt: skip
    return [good.raw, *weak, good.multikey.encode(), *_jwks()]


def _jwks() -> list[bytes]:
    x = str(seeds.party("ana").jwk["x"]).encode()
    return [b'{"crv":"Ed25519","kty":"OKP","x":"%s"}' % x,
            b'{"crv":"Ed25519","kty":"OKP","use":"sig","x":"%s","d":"%s"}' % (x, x)]  # fmt: skip


def _dids() -> list[bytes]:
    both = [did.encode() for did in seeds.dids()]
    vms = [did + b"\n" + did + b"#" + did[8:] for did in both]
    return [*both, *vms, *(did + b"\n" + did + b"#0" for did in both), b"did:web:a.example:x",
            b"did:web:a.example%3A8443\ndid:web:a.example%3A8443#k"]  # fmt: skip


_PATTERNS: Final = (
    "db.read\ndb.*\ndb.read.all", "a\na.*\na.b.*",
    "urn:acme:papers:17\nurn:acme:papers:**\nurn:acme:**",
    "https://a.example/x/**\nhttps://a.example/x/y\nhttps://a.example/**",
    "https://a.example:8443/a%20b/%C3%A9\nhttps://a.example/..%2f\nhttps://a.example/%2e%2e/x",
    "did:web:a.example\ndid:key:z6Mk\nhttp://a.example:80/", "https://a.example/a//b\n*\n**",
)  # fmt: skip
_NAMES: Final = (
    "mcp://PaperQuery.Research.AcmeLabs.v1.0", "a2a://F.D.P.v1.2.3.main", "mcp://F.D.P.v1",
    "mcp://F.D.P.V1", "mcp://F.D.v1.P", "mcp://F.D.P.v01", "mcp://F.D.P.v1.2.3.4", "AcmeLabs",
    "mcp://xn--a.D.P.v1", "mcp://F.D.P.v1.Main", "acp://v1.D.P.v2",
)  # fmt: skip

_TREE: Final = on_trees(damaged)
_BUNDLE: Final = on_trees(chains.with_donors)
_FORGE: Final = on_trees(chains.damaged_and_signed, bytes_too=0.05)

TARGETS: Final = {
    target.name: target
    for target in (
        Target("json", texts.json_text, _short),
        Target("base", texts.base_text, _texts("", "AA", "AB", "_-8", "z6Mk", "1112", b"\xff" * 40,
                                               "uEiC6eBa_jwHP6kFBQN4isiOwA2GjlhepyGG0EP9hyACVrQ")),
        Target("did", texts.did_text, _dids, most=1024),
        Target("key", texts.key_text, _keys, most=1024),
        Target("pattern", texts.pattern_text, _texts(*_PATTERNS), most=1024),
        Target("name", texts.name_text, _texts(*_NAMES), most=320),
        Target("alias", texts.alias_text, _texts("ans://v1.0.0.host.example",
            "ans://v2.10.0.a-b.c.d"), most=320),
        Target("range", texts.range_text, _texts(">=2.1.0 <3.0.0", "^0.2.3", "~2.1, *"), most=160),
        Target("ask", texts.params_text, _texts("pattern=mcp://*.a.b&version=^2&trace=true",
            "name=mcp://a.b.c.v1", "attestation=A&attestation=B&limit=5"), most=1024),
        Target("query", texts.query_text, _texts(
            '{"name":"mcp://a.b.c.v1"}', '{"version":"^2","attestations":["A"],"trace":true}',
            '{"requestType":"resolveAgentByCapability","requiredCapability":"A.B",'
            '"requiredAttestations":[{"vcType":"A"}],"versionRange":"*"}'), _TREE, 4096),
        Target("token", documents.token_text, documents.tokens, documents.token_too, 8192),
        Target("status", documents.status_text, documents.statuses, documents.gzip_too, 1 << 17),
        Target("feed", documents.feed_text, documents.feeds, _TREE, 8192),
        Target("request", documents.request_text, documents.requests, _TREE, 4096),
        Target("trust", documents.trust_text, documents.trusts, _TREE, 8192),
        Target("answer", documents.answer_text, documents.answers, _TREE, 16384),
        Target("proofs", w3c.proof_text, w3c.credentials, _TREE, 16384),
        Target("webvh", webvh.log_bytes, webvh.logs, webvh.log_too, webvh.MOST),
        Target("note", logs.note_text, logs.notes),
        Target("checkpoint", logs.checkpoint_text, logs.checkpoints),
        Target("logproof", logs.proof_text, logs.proofs),
        Target("addcheckpoint", logs.request_text, logs.requests),
        Target("entries", logs.bundle_bytes, logs.bundles),
        Target("tilepath", logs.path_text, logs.paths, most=80),
        Target("credential", credentials.credential_bytes, credentials.credentials,
               documents.token_too, 8192),
        Target("presentation", chains.presentation_bytes, chains.parts("presentation"), _BUNDLE,
               1 << 16),
        Target("evidence", chains.evidence_bytes, chains.parts("evidence"), _BUNDLE, 1 << 16),
        Target("bundle", chains.bundle_bytes, chains.parts("bundle"), _BUNDLE,
               seeds.LARGEST),
        Target("forge", chains.forged_bytes, chains.parts("accepted"), _FORGE,
               seeds.LARGEST),
    )
}  # fmt: skip
