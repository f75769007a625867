"""What `vc` reads and writes: keys in several spellings, lists by URL, results for a suite."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from delegant.credentials import Error
from delegant.credentials.codec import (
    JsonObject,
    b58_decode,
    b64u_decode,
    b64u_encode,
    canonical,
    parse,
)
from delegant.credentials.errors import error
from delegant.credentials.shape import time
from delegant.w3c import dids
from delegant.w3c.extras import load
from delegant.w3c.keys import KINDS, Key, Signer, new_signer, signer
from delegant.wallet import files

from .edge import Edge

__all__ = [
    "FEATURES",
    "KeyFile",
    "contexts",
    "deliver",
    "form",
    "instant",
    "issue",
    "named",
    "new_key",
    "paths",
    "read_key",
    "result",
    "sdjwt",
    "suite_of",
    "text",
    "verify",
]

FEATURES: Final = {
    "credential_jose": "jwt",
    "credential_sdjwt": "sd-jwt",
    "presentation_jose": "jwt",
    "presentation_sdjwt": "sd-jwt",
}
"""What the public JOSE suite calls a form (its COSE is not done here)."""
MAX_INPUT: Final = 1 << 20


# --- keys ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key as a file has it.

    Attributes:
        public: the public key.
        method: the verification method it goes by.
        names: what a ``kid`` may call it.
        secret: the secret, if it is there; shown nowhere.
    """

    public: Key
    method: str
    names: frozenset[str]
    secret: bytes | None

    def signer(self) -> Signer:
        """What signs with it.

        Raises:
            Rejected: ``key-weak`` for a secret of another key. NotFound: ``not-found``.
        """
        if self.secret is None:
            raise error("not-found", "the key file has no secret key")
        made = signer(self.public.kind, self.secret)
        if made.public != self.public:
            raise error("key-weak", "the secret key is not that of the public one")
        return made

    def __repr__(self) -> str:
        return f"KeyFile({self.method})"


def new_key(kind: str) -> JsonObject:
    """A verification method with its secret, as `read_key` reads it."""
    made = new_signer(kind)
    name = dids.from_key(made.public)
    secret = {**made.public.jwk, "d": b64u_encode(made.export_secret())}
    return {
        "id": dids.vm_of(name),
        "type": "JsonWebKey",
        "controller": str(name),
        "publicKeyJwk": made.public.jwk,
        "secretKeyJwk": secret,
    }


def read_key(path: Path, *, private: bool = False) -> KeyFile:
    """A JWK, a Multikey, or a verification method that holds either.

    Args:
        private: the file must be ours alone (mode 600).

    Raises:
        Rejected: ``wallet-mode``, ``key-weak``. Malformed: ``shape``, ``encoding``, ``json``.
        NotFound: ``not-found``. Undecided: ``suite``.
    """
    data = files.read_secret(path) if private else files.read(path, size=65_536)
    value = parse(data, size=65_536)
    if type(value) is not dict:
        raise error("shape", f"{path.name} is no key")
    public, secret = _halves(value, path.name)
    name = value.get("id")
    method = name if type(name) is str and "#" in name else dids.vm_of(dids.from_key(public))
    names = {method, public.thumbprint, public.multikey}
    for jwk in (value, value.get("publicKeyJwk"), value.get("secretKeyJwk")):
        if type(jwk) is dict and type(jwk.get("kid")) is str:
            names.add(jwk["kid"])
    return KeyFile(public, method, frozenset(names), secret)


def _halves(value: JsonObject, where: str) -> tuple[Key, bytes | None]:
    jwk = value.get("secretKeyJwk", value if "kty" in value else value.get("publicKeyJwk"))
    if type(jwk) is dict:
        secret = b64u_decode(jwk["d"], size=128) if type(jwk.get("d")) is str else None
        return Key.from_jwk({name: one for name, one in jwk.items() if name != "d"}), secret
    if "secretKeyMultibase" in value:
        kind, raw = _multikey_secret(value["secretKeyMultibase"])
        return signer(kind, raw).public, raw
    if "publicKeyMultibase" in value:
        return Key.from_multikey(value["publicKeyMultibase"]), None
    raise error("shape", f"{where} is neither a JWK nor a Multikey")


def _multikey_secret(text: Any) -> tuple[str, bytes]:
    if type(text) is not str or text[:1] != "z":
        raise error("encoding", "a Multikey begins with z")
    data = b58_decode(text[1:])
    for name, kind in KINDS.items():
        if data[:2] == kind.secret:
            return name, data[2:34] if name == "Ed25519" else data[2:]
    raise error("suite", "a secret of no kind of key we know")


def suite_of(key: Signer) -> str:
    """The cryptosuite a key signs with where none was asked for."""
    return "eddsa-rdfc-2022" if key.public.kind == "Ed25519" else "ecdsa-rdfc-2019"


# --- what is read --------------------------------------------------------------------------


def text(path: Path) -> str:
    """A token from a file, less the space around it."""
    try:
        return files.read(path, size=MAX_INPUT).strip().decode("ascii")
    except UnicodeDecodeError:
        raise error("encoding", f"{path.name} is no token") from None


def paths(given: Sequence[str] | None) -> list[str]:
    """Paths from repeated options, lists with commas, or one JSON list."""
    out: list[str] = []
    for one in given or ():
        if one.lstrip().startswith("["):
            try:
                listed = json.loads(one)
            except ValueError:
                raise error("shape", "--sd is a path, or a JSON list of paths") from None
            out += [str(path) for path in listed]
        else:
            out += [path.strip() for path in one.split(",") if path.strip()]
    return out


def instant(given: str | None, now: int) -> int:
    """``--at``, or now."""
    return now if given is None else time(given, "--at")


def named(given: Sequence[str] | None, *, by_id: bool = False) -> dict[str, bytes]:
    """Files by URL, from URL=FILE; with ``by_id`` also FILE alone, whose id is the URL."""
    out: dict[str, bytes] = {}
    for one in given or ():
        url, equals, path = one.rpartition("=")
        if not equals and not by_id:
            raise error("shape", f"{one[:80]!r} is not URL=FILE")
        data = files.read(Path(path), size=MAX_INPUT)
        if not equals:
            value = parse(data, size=MAX_INPUT)
            url = str(value.get("id", "")) if type(value) is dict else ""
        out[url] = data
    return out


def contexts(given: Sequence[Path] | None) -> frozenset[str]:
    """The digests of contexts in files: each a context, or a document with its ``@context``."""
    inline = load("delegant.w3c.inline", "w3c")
    found: set[str] = set()
    for path in given or ():
        stated = files.read_object(path)
        stated = stated.get("@context", stated)
        found.update(map(inline.digest, stated if type(stated) is list else [stated]))
    return frozenset(found)


def _resolver(documents: Sequence[Path]) -> dids.Resolve:
    known = {str(one.get("id")): one for one in map(files.read_object, documents)}

    def resolve(name: str) -> JsonObject:
        return known[name] if name in known else dids.expand(name)

    return resolve


# --- what is done --------------------------------------------------------------------------


def issue(document: JsonObject, key: Signer, **options: Any) -> JsonObject | str:
    """`delegant.w3c.issue.issue`."""
    made: JsonObject | str = load("delegant.w3c.issue", "w3c").issue(document, key, **options)
    return made


def sdjwt() -> Any:
    """`delegant.w3c.sdjwt`."""
    return load("delegant.w3c.sdjwt", "sdjwt")


def form(feature: str | None, wanted: str, *, issuing: bool = False) -> str:
    """The form a feature means, or the one asked for.

    Raises:
        Undecided: ``suite`` for a feature that is not done here. Malformed: ``shape``.
    """
    if feature is not None:
        if feature not in FEATURES:
            raise error("suite", f"the feature {feature[:40]!r} is not done here")
        return FEATURES[feature]
    if issuing and wanted not in ("di", "jwt", "sd-jwt"):
        raise error("shape", "--form is di, jwt or sd-jwt")
    return wanted


def verify(
    path: Path,
    *,
    feature: str | None,
    key: KeyFile | None,
    documents: Sequence[Path],
    challenge: str | None,
    domain: str | None,
    unsigned: bool,
    **options: Any,
) -> Any:
    """A report on the file; with a feature, on its signature and form alone.

    The suite that names features gives one key and no instant: what it cannot have meant to be
    judged (whose key it is, validity, credentials inside by other keys) is left out, and only
    then.
    """
    room = load("delegant.w3c.verify", "w3c")
    raw = files.read(path, size=MAX_INPUT).strip()
    common = {"resolve": _resolver(documents), **options}
    if key is not None:
        common["keys"] = dict.fromkeys(key.names, key.public)
    if feature is not None:
        meant = form(feature, "")
        if raw[:1] == b"{" or (b"~" in raw) != (meant == "sd-jwt"):
            raise error("shape", f"{path.name} is not what {feature} means")
        common |= {"checks": ()}
        report = _by_feature(room, raw, feature, common)
        if report.verified:
            load("delegant.w3c.issue", "w3c").check_members(report.document)
        return report
    if _is_presentation(raw):
        asked = {"challenge": challenge, "domain": domain, "unsigned": unsigned}
        return room.verify_presentation(raw, **asked, **common)
    return room.verify_credential(raw, nonce=challenge, audience=domain, **common)


def _by_feature(room: Any, raw: bytes, feature: str, common: JsonObject) -> Any:
    if feature.startswith("presentation"):
        return room.verify_presentation(raw, inner="shape", **common)
    return room.verify_credential(raw, **common)


def _is_presentation(raw: bytes) -> bool:
    """By what it says of itself; whether that is so is verified afterwards."""
    if raw[:1] == b"{":
        value = parse(raw, size=MAX_INPUT)
        kinds = load("delegant.w3c.values", "w3c").types_of(value)
        return "VerifiablePresentation" in kinds or "EnvelopedVerifiablePresentation" in kinds
    try:
        head = parse(b64u_decode(raw.partition(b".")[0].decode("ascii")), size=MAX_INPUT)
    except (Error, UnicodeDecodeError):
        return False
    typ = head.get("typ") if type(head) is dict else None
    return type(typ) is str and typ.lower().removeprefix("application/").startswith("vp+")


# --- what is written -----------------------------------------------------------------------


def deliver(edge: Edge, made: JsonObject | str, feature: str | None, output: Path | None) -> None:
    """Write or print what was made."""
    if feature is not None:
        _write(output, {"result": "success", "data": made})
        return
    data = made.encode() if isinstance(made, str) else canonical(made)
    if output is None:
        edge.show(made, made if isinstance(made, str) else json.dumps(made, indent=2))
        return
    files.write(output, data + b"\n")
    edge.show({"file": str(output)}, f"written to {output}")


@contextmanager
def result(feature: str | None, output: Path | None) -> Iterator[None]:
    """With a feature, tell its suite of a failure too, in the file it reads."""
    try:
        yield
    except Error as exc:
        if feature is not None:
            told = "indeterminate" if feature not in FEATURES else "failure"
            _write(output, {"result": told, "data": str(exc)})
        raise


def _write(output: Path | None, value: JsonObject) -> None:
    if output is None:
        print(json.dumps(value))
    else:
        files.write_json(output, value)
