"""The signed documents of the naming service: record, event, receipt, freshness token.

All are closed JSON objects with one eddsa-jcs-2022 proof. The agent signs records and events;
the registry signs receipts and freshness tokens.

    record    {version, name, agent, endpoints, capabilities?, ttl, created, expires,
               sponsorship {sponsor {id, organization}, identities [{id, digestMultibase}]}}
    event     {version, registry, name, type, seq, previous?, record?, reason?, agent, at}
    receipt   {version, registry, name, type, seq, event, record?, agent, at}
    freshness {version, registry, query, status, record?, seq?, reason?, time, validUntil}
"""

from __future__ import annotations

import re
from typing import Any, Final

from delegant.credentials import PrivateKey, PublicKey, did, proof, shape
from delegant.credentials.codec import Json, JsonObject, canonical, digest
from delegant.credentials.errors import Error, error

from .name import AnsName

__all__ = [
    "EVENTS",
    "check",
    "check_event",
    "check_freshness",
    "check_receipt",
    "check_record",
    "digest_of",
    "query_digest",
    "sign",
]

EVENTS: Final = ("register", "renew", "revoke")
STATUSES: Final = ("active", "revoked", "expired", "not-found")
MAX_TTL: Final = 86_400
_PROOF: Final = frozenset(
    {"type", "cryptosuite", "proofPurpose", "verificationMethod", "created", "proofValue"}
)


def sign(document: JsonObject, key: PrivateKey, signer: str, at: int) -> JsonObject:
    """The document with a proof by ``signer``, a did:key or did:jwk.

    Raises:
        Undecided: ``key-unresolved`` for other methods: who reads an answer has no pin for them.
    """
    name = did.check(signer)
    if not did.embeds_key(name):
        raise error("key-unresolved", f"{name} is not its own key: a did:key or did:jwk can sign")
    return proof.sign(document, key, did.vm_of(name), at)


def digest_of(document: JsonObject) -> str:
    """The digest others name a signed document by: over the whole, proof included."""
    return digest(canonical(document))


def query_digest(name: AnsName) -> str:
    """What a freshness token says was asked."""
    return digest(canonical({"name": name.key}))


def check(document: Json, signer: str, key: PublicKey | None = None) -> None:
    """The document's one proof is by ``signer``.

    Args:
        document: parsed, with ``proof``.
        signer: a DID.
        key: its key; by default the DID's own.

    Raises:
        Rejected: ``ans-signature``.
    """
    try:
        name = did.check(signer)
        own = key or did.key_of(name)
        value = shape.closed(document["proof"], "proof", _PROOF)
        good = (
            own is not None
            and value["proofPurpose"] == "assertionMethod"
            and value["verificationMethod"] == did.vm_of(name)
            and proof.verify(document, own)
        )
    except (Error, KeyError, TypeError):
        good = False
    if not good:
        raise error("ans-signature", f"not signed by {signer}")


_RECORD: Final = frozenset(
    {
        "version",
        "name",
        "agent",
        "endpoints",
        "ttl",
        "created",
        "expires",
        "sponsorship",
        "proof",
    }
)


def _version(value: Json, where: str) -> None:
    if type(value) is not dict or type(value.get("version")) is not int:
        raise error("shape", f"{where} is not an object with a version")
    if value["version"] != 1:
        raise error("unknown-version", f"{where}.version is not 1")


def check_record(value: Json) -> AnsName:
    """Shape and signature of a record; its name.

    Raises:
        Malformed: ``shape``, ``ans-name``. Rejected: ``ans-signature``.
    """
    _version(value, "record")
    shape.closed(value, "record", _RECORD, frozenset({"capabilities"}))
    name = AnsName.parse(value["name"])
    endpoints = value["endpoints"]
    if type(endpoints) is not dict or not 0 < len(endpoints) <= 16:
        raise error("shape", "record.endpoints names 1 to 16 protocols")
    for protocol, address in endpoints.items():
        shape.text(protocol, "record.endpoints", 32)
        _endpoint(address)
    if "capabilities" in value:
        shape.string_set(value["capabilities"], "record.capabilities")
    shape.integer(value["ttl"], "record.ttl", 1, MAX_TTL)
    created = shape.time(value["created"], "record.created")
    if created >= shape.time(value["expires"], "record.expires"):
        raise error("shape", "record.expires is not after created")
    _sponsorship(value["sponsorship"])
    check(value, did.check(value["agent"]))
    return name


_ENDPOINT: Final = re.compile(
    r"https?://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?(?:/[!-\[\]-~]*)?", re.ASCII
)


def _endpoint(address: Json) -> None:
    shape.text(address, "record.endpoints", shape.MAX_URL)
    if not _ENDPOINT.fullmatch(address):
        raise error("shape", "an endpoint is an http(s) URL")


def _sponsorship(value: Json) -> None:
    shape.closed(value, "sponsorship", frozenset({"sponsor", "identities"}))
    shape.closed(value["sponsor"], "sponsor", frozenset({"id", "organization"}))
    did.check(value["sponsor"]["id"])
    did.check(value["sponsor"]["organization"])
    for one in shape.array(value["identities"], "sponsorship.identities"):
        shape.closed(one, "identity", frozenset({"id", "digestMultibase"}))
        shape.uuid_urn(one["id"], "identity.id")
        shape.digest_text(one["digestMultibase"], "identity.digestMultibase")


_EVENT: Final = frozenset({"version", "registry", "name", "type", "seq", "agent", "at", "proof"})


def check_event(value: Json) -> AnsName:
    """Shape and signatures of an event and of the record in it; its name.

    Raises:
        Malformed: ``shape``, ``ans-name``. Rejected: ``ans-signature``.
    """
    _version(value, "event")
    shape.closed(value, "event", _EVENT, frozenset({"previous", "record", "reason"}))
    kind = shape.one_of(value["type"], "event.type", EVENTS)
    seq = shape.integer(value["seq"], "event.seq")
    shape.time(value["at"], "event.at")
    did.check(value["registry"])
    if (kind == "register") != (seq == 0) or ("previous" in value) == (kind == "register"):
        raise error("shape", "register comes first and alone names no previous event")
    if (kind == "revoke") == ("record" in value):
        raise error("shape", "register and renew carry a record, revoke does not")
    if "previous" in value:
        shape.digest_text(value["previous"], "event.previous")
    if "reason" in value:
        shape.text(value["reason"], "event.reason")
    name = AnsName.parse(value["name"])
    agent = did.check(value["agent"])
    if "record" in value:
        own = check_record(value["record"])
        if own.key != name.key or value["record"]["agent"] != agent:
            raise error("shape", "the record is of another name or agent than the event")
    check(value, agent)
    return name


def check_receipt(value: Json, registry: str, key: PublicKey | None = None) -> None:
    """Shape and signature of a receipt.

    Raises:
        Malformed: ``shape``. Rejected: ``ans-signature``.
    """
    _version(value, "receipt")
    required = _EVENT | {"event"}
    shape.closed(value, "receipt", required, frozenset({"record"}))
    if value["registry"] != registry:
        raise error("ans-signature", "a receipt of another registry")
    check(value, registry, key)


_FRESH: Final = frozenset({"version", "registry", "query", "status", "time", "validUntil", "proof"})


def check_freshness(value: Json, registry: str, key: PublicKey | None = None) -> None:
    """Shape and signature of a freshness token.

    Raises:
        Malformed: ``shape``. Rejected: ``ans-signature``.
    """
    _version(value, "freshness")
    shape.closed(value, "freshness", _FRESH, frozenset({"record", "seq", "reason"}))
    shape.one_of(value["status"], "freshness.status", STATUSES)
    shape.time(value["time"], "freshness.time")
    shape.time(value["validUntil"], "freshness.validUntil")
    if value["registry"] != registry:
        raise error("ans-signature", "an answer of another registry")
    check(value, registry, key)


def members(**given: Any) -> JsonObject:
    """A document's members without those that are None."""
    return {name: value for name, value in given.items() if value is not None}
