"""Others that do comparable work, each used as its documentation shows.

Every peer verifies, from bytes, that three hops of attenuation (three blocks, caveats, grants
or tokens) allow an agent ``db.read`` on one paper with three rows where at most 500 may be
read. Trusted keys are parsed beforehand, as ours are; the request is built anew each time.
They are not the same product: a row's `Scope` says what its verification covers.

A peer that is not installed is `Absent`, with the reason.
"""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module, metadata
from typing import Any

__all__ = ["OURS", "PEERS", "Absent", "Peer", "Ready", "Scope"]

PAPER = "https://papers.example/db/17"
PAPERS = "https://papers.example/db/"
DATABASE = "did:web:db.acme.example"
HOUR = timedelta(hours=1)

Verify = Callable[[bytes, int], bool]
"""Bytes of the token and rows about to be read; true, or false, or one of ``errors``."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A token and the call that verifies it; ``errors`` are the peer's ways to refuse."""

    token: bytes
    verify: Verify
    errors: tuple[type[Exception], ...]

    def accepts(self, token: bytes, rows: int = 3) -> bool:
        """Whether the peer accepts these bytes for that many rows.

        It is asked up to three times: one of them gives itself a millisecond of the wall clock,
        which a busy machine may take away.
        """
        for _ in range(3):
            try:
                if self.verify(token, rows):
                    return True
            except self.errors:
                continue
        return False


class Absent(Exception):
    """The peer cannot be measured here; says why."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What one verification covers, in a few words each.

    Args:
        signatures: how many, of which kind.
        holder: with what whoever presents proves to hold a key; a bearer proves nothing.
        revoked: how revocation is looked up within the call.
        root: what the chain is led back to: a key one trusts, or a human somebody vouches for.
        narrowing: who sees to it that a hop only narrows.
    """

    signatures: str
    holder: str
    revoked: str
    root: str
    narrowing: str


OURS = Scope("4 Ed25519", "signed request", "signed lists", "human", "the verifier")


@dataclass(frozen=True, slots=True)
class Peer:
    """One row of the comparison: a distribution, what of it is used, what that covers."""

    key: str
    package: str
    what: str
    scope: Scope
    build: Callable[[], Ready]

    @property
    def name(self) -> str:
        """Package and version."""
        return f"{self.package} {metadata.version(self.package)}"

    def ready(self) -> Ready:
        """Make the token and try it once.

        Raises:
            Absent: it is not installed, or does not run on this Python.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of another project's imports
                made = self.build()
        except ImportError as exc:
            raise Absent(f"not installed here: {exc}") from exc
        except Exception as exc:
            raise Absent(f"does not work here: {exc!r}") from exc
        if not made.accepts(made.token):
            raise Absent("does not work here: it refuses its own token")
        return made


def biscuit() -> Ready:
    """An authority block and three attenuation blocks, sealed by nobody: a bearer token."""
    auth: Any = import_module("biscuit_auth")
    root = auth.KeyPair()
    public = root.public_key
    token = auth.BiscuitBuilder(
        "right({resources}, {action});", {"resources": PAPERS, "action": "db.read"}
    ).build(root.private_key)
    for source, values in (
        ('check if operation("db.read"), resource($r), $r.starts_with({p});', {"p": PAPERS}),
        ("check if rows($n), $n <= 500;", {}),
        ("check if time($t), $t < {until};", {"until": _now() + HOUR}),
    ):
        token = token.append(auth.BlockBuilder(source, values))

    def verify(data: bytes, rows: int) -> bool:
        request = auth.AuthorizerBuilder(
            """
            time({now}); operation({action}); resource({resource}); rows({rows});
            allow if right($under, {action}), resource($r), $r.starts_with($under);
            """,
            {"now": _now(), "action": "db.read", "resource": PAPER, "rows": rows},
        )
        return bool(request.build(auth.Biscuit.from_bytes(data, public)).authorize() == 0)

    errors = (auth.BiscuitValidationError, auth.AuthorizationError)
    return Ready(bytes(token.to_bytes()), verify, errors)


def macaroons() -> Ready:
    """A macaroon with three first-party caveats, and the secret that made it."""
    library: Any = import_module("pymacaroons")
    errors: Any = import_module("pymacaroons.exceptions")
    secret = "a secret of at least 32 characters"  # noqa: S105 - the benchmark's own
    token = library.Macaroon(identifier="key-1", key=secret, version=library.MACAROON_V2)
    for caveat in (f"db.read under {PAPERS}", "rows <= 500", f"time < {(_now() + HOUR):%FT%TZ}"):
        token.add_first_party_caveat(caveat)

    def verify(data: bytes, rows: int) -> bool:
        checks = library.Verifier()
        checks.satisfy_general(
            lambda said: said.startswith("db.read under ") and PAPER.startswith(said[14:])
        )
        checks.satisfy_general(lambda said: said.startswith("rows <= ") and rows <= int(said[8:]))
        checks.satisfy_general(
            lambda said: said.startswith("time < ") and f"{_now():%FT%TZ}" < said[7:]
        )
        return bool(checks.verify(library.Macaroon.deserialize(data.decode()), secret))

    return Ready(token.serialize().encode(), verify, (errors.MacaroonException, ValueError))


def vouch() -> Ready:
    """Three grants and an action signed by the last delegatee: its chain verifier."""
    library: Any = import_module("vouch")
    keys = [library.generate_did_key_identity() for _ in range(4)]
    signers = [library.Signer.from_keypair(key) for key in keys]
    roots = {keys[0].did: _ed25519(keys[0])}
    chain: list[dict[str, Any]] = []
    at = _now()
    for step, signer in enumerate(signers):
        intent: dict[str, Any] = {"action": "db.read", "target": DATABASE}
        if step < 3:
            intent |= {"resource": PAPERS, "delegatee": keys[step + 1].did, "rows": 500}
        else:
            intent |= {"resource": PAPER, "rows": 3}
        chain.append(
            signer.sign(
                intent,
                valid_from=at,
                valid_seconds=3600 - step,
                parent_credential=chain[-1] if step == 3 else None,
            )
        )

    def verify(data: bytes, rows: int) -> bool:
        shown = json.loads(data)
        found = library.verify_delegated_chain(
            shown,
            trusted_roots=roots,
            allow_did_resolution=False,
            revoked=frozenset(),
            require_action="db.read",
            require_target=DATABASE,
            require_resource=PAPER,
        )
        return bool(found.ok) and all(
            rows <= one["credentialSubject"]["intent"]["rows"] for one in shown
        )

    token = json.dumps(chain, separators=(",", ":")).encode()
    return Ready(token, verify, (ValueError, KeyError, TypeError))


def _ed25519(key: Any) -> Any:
    """The public key object `verify` takes without parsing anything."""
    ed25519: Any = import_module("cryptography.hazmat.primitives.asymmetric.ed25519")
    x = json.loads(key.public_key_jwk)["x"]
    base64url: Any = import_module("jwcrypto.common").base64url_decode
    return ed25519.Ed25519PublicKey.from_public_bytes(base64url(x))


def rfc8693() -> Ready:
    """Three JWTs with nested ``act``, each bound to the next key, and a DPoP proof."""
    jwt: Any = import_module("joserfc.jwt")
    okp: Any = import_module("joserfc.jwk").OKPKey
    errors: Any = import_module("joserfc.errors")
    names = ["did:web:acme.example:people:ana", "agent:a", "agent:b", "agent:c"]
    keys = [okp.generate_key("Ed25519") for _ in names]
    public = [key.as_dict(private=False) for key in keys]
    root = okp.import_key(public[0])
    made = int(time.time())
    tokens: list[str] = []
    act: dict[str, Any] = {}
    claims: dict[str, Any] = {}
    for step in range(3):
        act = {"sub": names[step + 1]} | ({"act": act} if act else {})
        claims = {
            "iss": names[step],
            "sub": names[0],
            "aud": DATABASE,
            "iat": made,
            "exp": made + 3600 - step,
            "act": act,
            "cnf": {"jwk": {name: public[step + 1][name] for name in ("kty", "crv", "x")}},
            "authorization_details": [
                {"type": "db", "actions": ["read"], "locations": [PAPERS], "rows": {"max": 500}}
            ],
        }
        tokens.append(
            jwt.encode({"alg": "Ed25519", "typ": "at+jwt"}, claims, keys[step], ["Ed25519"])
        )
    proof = jwt.encode(
        {"alg": "Ed25519", "typ": "dpop+jwt", "jwk": claims["cnf"]["jwk"]},
        {
            "jti": "one-of-many",
            "htm": "GET",
            "htu": PAPER,
            "iat": made,
            "ath": _sha256(tokens[-1]),
        },
        keys[3],
        ["Ed25519"],
    )
    link = jwt.JWTClaimsRegistry(
        **{name: {"essential": True} for name in ("iss", "exp", "act", "cnf")},
        sub={"essential": True, "value": names[0]},
        aud={"essential": True, "value": DATABASE},
    )
    bound = jwt.JWTClaimsRegistry(
        jti={"essential": True},
        htm={"essential": True, "value": "GET"},
        htu={"essential": True, "value": PAPER},
    )

    def verify(data: bytes, rows: int) -> bool:
        shown = json.loads(data)
        key, jwk, above = root, None, None
        for token in shown["tokens"]:
            said = jwt.decode(token, key, algorithms=["Ed25519"]).claims
            link.validate(said)
            if not _narrower(said, above, names[0]) or not _allows(said, rows):
                return False
            jwk, above = said["cnf"]["jwk"], said
            key = okp.import_key(jwk)
        holder = jwt.decode(shown["proof"], key, algorithms=["Ed25519"])
        bound.validate(holder.claims)
        return bool(
            above
            and holder.header["typ"] == "dpop+jwt"
            and holder.header["jwk"] == jwk
            and holder.claims["ath"] == _sha256(shown["tokens"][-1])
            and abs(time.time() - holder.claims["iat"]) < 3600
        )

    token = json.dumps({"tokens": tokens, "proof": proof}, separators=(",", ":")).encode()
    return Ready(token, verify, (errors.JoseError, ValueError, KeyError, TypeError))


def _narrower(said: dict[str, Any], above: dict[str, Any] | None, human: str) -> bool:
    """Issued by whoever the token above let act, for no longer, and allowing no more."""
    if above is None:
        return bool(said["iss"] == human and "act" not in said["act"])
    (own,), (given,) = said["authorization_details"], above["authorization_details"]
    return bool(
        said["iss"] == above["act"]["sub"]
        and said["act"]["act"] == above["act"]
        and said["exp"] <= above["exp"]
        and own["type"] == given["type"]
        and set(own["actions"]) <= set(given["actions"])
        and all(
            any(mine.startswith(one) for one in given["locations"]) for mine in own["locations"]
        )
        and own["rows"]["max"] <= given["rows"]["max"]
    )


def _allows(said: dict[str, Any], rows: int) -> bool:
    (own,) = said["authorization_details"]
    return bool(
        "read" in own["actions"]
        and any(PAPER.startswith(one) for one in own["locations"])
        and rows <= own["rows"]["max"]
    )


def _sha256(text: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def _now() -> datetime:
    return datetime.now(UTC)


PEERS = (
    Peer(
        "peer_biscuit",
        "biscuit-python",
        "authority block + 3 blocks",
        Scope("4 Ed25519", "bearer", "not looked up", "key", "construction"),
        biscuit,
    ),
    Peer(
        "peer_macaroons",
        "pymacaroons",
        "3 first-party caveats",
        Scope("5 HMAC", "bearer", "not looked up", "shared secret", "construction"),
        macaroons,
    ),
    Peer(
        "peer_vouch",
        "vouch-protocol",
        "3 grants + signed action",
        Scope(
            "4 Ed25519", "signed action", "a set of ids", "key", "the verifier;\nrows: the caller"
        ),
        vouch,
    ),
    Peer(
        "peer_rfc8693_jwt",
        "joserfc",
        "3 JWTs (RFC 8693) + DPoP proof",
        Scope("4 Ed25519", "DPoP proof", "not looked up", "key", "the caller"),
        rfc8693,
    ),
)
