"""The record: what a name stands for, signed by its agent.

    {version, name, agent, key?, endpoints, capabilities?, aliases?, protocolExtensions?,
     successor?, ttl, created, expires,
     sponsorship {sponsor {id, organization}, identities [{id, digestMultibase}]}, proof}

``key`` (a Multikey) stands exactly where the agent's DID is not its own key; it is believed
because the registry held it to the agent's identity credential and logged it. ``successor`` names
the version that replaces this one. ``protocolExtensions`` are small objects by protocol, for
whoever speaks it.
"""

from __future__ import annotations

import re
from typing import Final

from delegant.credentials import PublicKey, did, shape
from delegant.credentials.codec import Json, JsonObject, canonical
from delegant.credentials.errors import error

from .alias import AnsAlias
from .name import AnsName
from .signing import check, version

__all__ = ["MAX_TTL", "check_record", "record_key"]

MAX_TTL: Final = 86_400
MAX_RECORD: Final = 32_768
"""Bytes of a record (RFC 8785): fifty of them and a page of a history must stay readable."""
MAX_ENDPOINTS: Final = 16
MAX_EXTENSION: Final = 4096
_RECORD: Final = frozenset(
    {"version", "name", "agent", "endpoints", "ttl", "created", "expires", "sponsorship", "proof"}
)
_OPTIONAL: Final = frozenset({"key", "capabilities", "aliases", "protocolExtensions", "successor"})
_ENDPOINT: Final = re.compile(
    r"https?://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?(?:/[!-\[\]-~]*)?", re.ASCII
)


def check_record(value: Json) -> AnsName:
    """Shape and signature of a record; its name.

    Raises:
        Malformed: ``shape``, ``ans-name``, ``limit-size``. Rejected: ``ans-signature``.
    """
    version(value, "record")
    if len(canonical(value)) > MAX_RECORD:
        raise error("limit-size", f"a record of more than {MAX_RECORD} bytes")
    shape.closed(value, "record", _RECORD, _OPTIONAL)
    name = AnsName.parse(value["name"])
    _by_protocol(value["endpoints"], "record.endpoints")
    for address in value["endpoints"].values():
        _endpoint(address)
    if "capabilities" in value:
        shape.string_set(value["capabilities"], "record.capabilities")
    if "aliases" in value:
        shape.string_set(value["aliases"], "record.aliases", _alias, MAX_ENDPOINTS)
    if "protocolExtensions" in value:
        _extensions(value["protocolExtensions"])
    if "successor" in value and AnsName.parse(value["successor"]).key == name.key:
        raise error("shape", "a name does not succeed itself")
    shape.integer(value["ttl"], "record.ttl", 1, MAX_TTL)
    created = shape.time(value["created"], "record.created")
    if created >= shape.time(value["expires"], "record.expires"):
        raise error("shape", "record.expires is not after created")
    _sponsorship(value["sponsorship"])
    check(value, value["agent"], record_key(value))
    return name


def record_key(record: JsonObject) -> PublicKey | None:
    """The key that the record states for its agent; None where the DID is its own key.

    Raises:
        Malformed: ``shape`` where it must not stand, or must. And what a bad key raises.
    """
    embeds = did.embeds_key(did.check(record["agent"]))
    if embeds == ("key" in record):
        raise error("shape", "record.key stands exactly where the DID is not its own key")
    if embeds:
        return None
    return PublicKey.from_multikey(shape.text(record["key"], "record.key", 128))


def _by_protocol(value: Json, where: str) -> None:
    if type(value) is not dict or not 0 < len(value) <= MAX_ENDPOINTS:
        raise error("shape", f"{where} names 1 to {MAX_ENDPOINTS} protocols")
    for protocol in value:
        shape.text(protocol, where, 32)


def _endpoint(address: Json) -> None:
    shape.text(address, "record.endpoints", shape.MAX_URL)
    if not _ENDPOINT.fullmatch(address):
        raise error("shape", "an endpoint is an http(s) URL")


def _alias(value: Json, _where: str) -> str:
    return str(AnsAlias.parse(value))


def _extensions(value: Json) -> None:
    _by_protocol(value, "record.protocolExtensions")
    for extension in value.values():
        if type(extension) is not dict:
            raise error("shape", "a protocol extension is an object")
        if len(canonical(extension)) > MAX_EXTENSION:
            raise error("limit-size", f"a protocol extension of more than {MAX_EXTENSION} bytes")


def _sponsorship(value: Json) -> None:
    shape.closed(value, "sponsorship", frozenset({"sponsor", "identities"}))
    shape.closed(value["sponsor"], "sponsor", frozenset({"id", "organization"}))
    did.check(value["sponsor"]["id"])
    did.check(value["sponsor"]["organization"])
    for one in shape.array(value["identities"], "sponsorship.identities"):
        shape.closed(one, "identity", frozenset({"id", "digestMultibase"}))
        shape.uuid_urn(one["id"], "identity.id")
        shape.digest_text(one["digestMultibase"], "identity.digestMultibase")
