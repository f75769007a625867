"""Tools of the trade: signatures, tokens and JSON bent in ways an honest issuer cannot.

Everything here returns an `Alter` or edits the finished form of one document, a Data Integrity
object or a compact JWS alike.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from delegant.credentials import PrivateKey, canonical, digest
from delegant.credentials.codec import b58_decode, b58_encode, b64u_decode, b64u_encode
from delegant.credentials.envelope import secure
from delegant.credentials.shape import time
from draft import Doc, Draft
from limbo.forge import Alter

ORDER = 2**252 + 27742317777372353535851937790883648493
"""The order of the base point of Ed25519."""
WEB = "did:web:agents.example"


def chain(*alters: Alter) -> Alter:
    """One after the other."""

    def alter(d: Draft) -> None:
        for one in alters:
            one(d)

    return alter


def finished(change: Callable[[dict[str, Any]], Any]) -> Alter:
    """Edit the finished bundle: an object of ``presentation``, ``request``, ``evidence``."""

    def alter(d: Draft) -> None:
        before = d.last

        def last(bundle: dict[str, Any]) -> Any:
            bundle = before(bundle)
            change(bundle)
            return bundle

        d.last = last

    return alter


# --- documents -----------------------------------------------------------------------------


def documents(d: Draft, where: str) -> Doc:
    """``link-1``, ``sponsor-0``, ``identity-1`` or ``list-0`` of a draft."""
    kind, _, number = where.partition("-")
    groups = {
        "link": d.links, "sponsor": d.sponsors, "identity": d.identities, "list": d.lists,
    }  # fmt: skip
    return groups[kind][int(number or 0)]


def after(where: str, change: Callable[[Any], Any], form: str = "di") -> Alter:
    """Edit a document (or the ``invocation``) after it was signed, in the form asked for."""

    def alter(d: Draft) -> None:
        if where == "invocation":
            d.invocation_after = change
            return
        one = documents(d, where)
        one.form, one.after = form, change

    return alter


def before(where: str, change: Callable[[dict[str, Any]], object]) -> Alter:
    """Edit a document before it is signed."""
    return lambda d: change(documents(d, where).doc)


def forms(*where: str) -> Alter:
    """These documents as ``vc+jwt``."""

    def alter(d: Draft) -> None:
        for one in where:
            documents(d, one).form = "jwt"

    return alter


def member(*path: Any, value: Any) -> Callable[[Any], Any]:
    """A copy of a signed object with one member set; ``...`` as value removes it."""

    def change(raw: Any) -> Any:
        out = copy.deepcopy(raw)
        node = out
        for step in path[:-1]:
            node = node[step]
        if value is ...:
            del node[path[-1]]
        else:
            node[path[-1]] = value
        return out

    return change


# --- signatures ----------------------------------------------------------------------------


def signature(change: Callable[[bytes], bytes]) -> Callable[[Any], Any]:
    """The same document or token with another signature."""

    def edit(raw: Any) -> Any:
        if isinstance(raw, str):
            head, body, last = raw.split(".")
            return f"{head}.{body}.{b64u_encode(change(b64u_decode(last)))}"
        out = copy.deepcopy(raw)
        old = b58_decode(out["proof"]["proofValue"][1:])
        out["proof"]["proofValue"] = "z" + b58_encode(change(old))
        return out

    return edit


def flip(bit: int) -> Callable[[bytes], bytes]:
    """One bit of some bytes turned, counted from the first byte's lowest."""

    def change(data: bytes) -> bytes:
        out = bytearray(data)
        out[bit // 8] ^= 1 << (bit % 8)
        return bytes(out)

    return change


def scalar(change: Callable[[int], int]) -> Callable[[bytes], bytes]:
    """The second half of a signature, a number, replaced."""

    def edit(old: bytes) -> bytes:
        number = change(int.from_bytes(old[32:], "little"))
        return old[:32] + number.to_bytes(32, "little")

    return edit


Hashing = Callable[[dict[str, Any], dict[str, Any]], bytes]
"""Document without proof and proof without value, to the bytes that are signed."""


def signed_as(where: str, hashing: Hashing) -> Alter:
    """Sign a document's Data Integrity proof over other bytes than the suite says."""

    def alter(d: Draft) -> None:
        one = documents(d, where)

        def change(raw: Any) -> Any:
            out = copy.deepcopy(raw)
            config = {k: v for k, v in out["proof"].items() if k != "proofValue"}
            document = {k: v for k, v in out.items() if k != "proof"}
            made = one.signer.sign(hashing(document, config))
            out["proof"]["proofValue"] = "z" + b58_encode(made)
            return out

        one.after = change

    return alter


def under(where: str, method: Callable[[Draft], str]) -> Alter:
    """Sign a document's proof under this verification method."""

    def alter(d: Draft) -> None:
        one = documents(d, where)
        made = time(one.doc["validFrom"], "validFrom")
        one.after = lambda _raw: secure(one.doc, one.signer, method(d), made).raw

    return alter


# --- tokens --------------------------------------------------------------------------------


def token(
    key: Callable[[Draft], PrivateKey],
    d: Draft,
    head: Callable[[bytes], bytes] = lambda b: b,
    body: Callable[[bytes], bytes] = lambda b: b,
) -> Callable[[str], str]:
    """Sign a token again over other header and payload bytes, with the right key."""

    def edit(raw: str) -> str:
        first, second, _ = raw.split(".")
        message = ".".join(
            b64u_encode(change(b64u_decode(part)))
            for part, change in ((first, head), (second, body))
        )
        return f"{message}.{b64u_encode(key(d).sign(message.encode()))}"

    return edit


def retoken(
    where: str,
    head: Callable[[bytes], bytes] = lambda b: b,
    body: Callable[[bytes], bytes] = lambda b: b,
) -> Alter:
    """Other bytes of header or payload in the ``invocation`` or a ``vc+jwt``, rightly signed."""

    def alter(d: Draft) -> None:
        if where == "invocation":
            d.invocation_after = token(lambda d: d.holder, d, head, body)
            return
        one = documents(d, where)
        one.form = "jwt"
        one.after = token(lambda _d: one.signer, d, head, body)

    return alter


def unreadable(
    head: Callable[[bytes], bytes] = lambda b: b, body: Callable[[bytes], bytes] = lambda b: b
) -> Alter:
    """The last link as a ``vc+jwt`` of bytes our own parser refuses, rightly signed and invoked."""

    def alter(d: Draft) -> None:
        d.links[-1].form = "jwt"
        signer = d.links[-1].signer

        def change(bundle: dict[str, Any]) -> None:
            sent = bundle["presentation"]
            sent["links"][-1] = token(lambda _d: signer, d, head, body)(sent["links"][-1])
            named = members(chain=digest(sent["links"][-1].encode()))
            sent["invocation"] = token(lambda _d: d.holder, d, body=named)(sent["invocation"])

        finished(change)(d)

    return alter


def members(**values: Any) -> Callable[[bytes], bytes]:
    """JSON bytes of an object with members set; ``...`` removes one."""

    def change(data: bytes) -> bytes:
        out = json.loads(data)
        for name, value in values.items():
            if value is ...:
                del out[name]
            else:
                out[name] = value
        return canonical(out)

    return change


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """Bytes replaced once, which must be there."""

    def change(data: bytes) -> bytes:
        assert old in data, (old, data[:200])
        return data.replace(old, new, 1)

    return change


def padded(total: int) -> Callable[[bytes], bytes]:
    """Spaces after the data, up to a length."""

    def change(data: bytes) -> bytes:
        assert len(data) <= total, len(data)
        return data + b" " * (total - len(data))

    return change


def text(part: Callable[[str], str]) -> Callable[[bytes], bytes]:
    """A change of text as a change of bytes."""
    return lambda data: part(data.decode()).encode()


# --- parties -------------------------------------------------------------------------------


def limits(**most: int) -> Alter:
    """The verifier's own limits."""
    return lambda d: d.trust["verifier"].update(limits=most)


def subject(index: int, name: str, key: PrivateKey | None = None, pin: Any = None) -> Alter:
    """Another subject of a link, in its identity and in all that follow from it.

    Args:
        index: of the link.
        name: the subject's DID.
        key: signs for it; None: nobody can, the old holder's key is used.
        pin: the Multikey that link and identity pin for it.
    """

    def alter(d: Draft) -> None:
        one = d.links[index]
        one.doc["credentialSubject"]["id"] = name
        d.identities[index].doc["credentialSubject"]["id"] = name
        if pin is not None:
            one.subject["key"] = d.identities[index].subject["key"] = pin
        if index + 1 < len(d.links):
            d.links[index + 1].doc["issuer"] = name
            d.links[index + 1].signer = key or d.links[index + 1].signer
        else:
            d.claims["iss"] = name
            d.holder = key or d.holder

    return alter


def long_chain(number: int) -> Alter:
    """From one link to so many, each to a new agent of Ana's, short-lived, without status bits."""

    def alter(d: Draft) -> None:
        d.delegation(0)["redelegation"]["remaining"] = 31
        for at in range(1, number):
            name = f"worker-{at}"
            leaf = d.links[-1]
            d.add_link(name)
            again = d.links[-1].subject["redelegation"]
            again["remaining"] = leaf.subject["redelegation"]["remaining"] - 1
            identity = Doc(copy.deepcopy(d.identities[0].doc), d.identities[0].signer)
            identity.doc["credentialSubject"]["id"] = d.did(name)
            identity.doc["id"] = d.world.id(f"identity/{name}")
            d.identities.append(identity)

    return alter
