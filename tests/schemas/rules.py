"""The rules between members that JSON Schema cannot state, each with its reason.

Where one of them is broken, a schema accepts a document that the parser refuses. That is the only
difference allowed, and only in that direction. Written from DESIGN, on purpose without any of
the code that is compared.
"""

from __future__ import annotations

import ipaddress
import itertools
import unicodedata
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schemas.full import BLOCK
from schemas.mutate import places

Document = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """One rule. ``broken`` is asked only about documents the schema accepts."""

    name: str
    reason: str
    broken: Callable[[str, str, Document], bool]


def _all(document: Document, name: str) -> list[Any]:
    return [value for path, value in places(document) if path and path[-1] == name]


def _block(kind: str, document: Document) -> Document:
    block: Document = document["credentialSubject"][BLOCK[kind]]
    return block


def _one_proof(_kind: str, form: str, document: Document) -> bool:
    return ("proof" in document) != (form == "di")


def _whole(_kind: str, _form: str, document: Document) -> bool:
    return any(isinstance(value, float) for _, value in places(document))


def _validity(_kind: str, _form: str, document: Document) -> bool:
    return bool(document["validUntil"] <= document["validFrom"])  # one spelling: order of text


def _created(_kind: str, _form: str, document: Document) -> bool:
    made = document.get("proof", {}).get("created")
    return made is not None and not document["validFrom"] <= made <= document["validUntil"]


def _pair(_kind: str, _form: str, document: Document) -> bool:
    entries = document.get("credentialStatus")
    if entries is None:
        return False
    first, second = entries
    return bool(
        first["statusListCredential"] != second["statusListCredential"]
        or int(first["statusListIndex"]) + 1 != int(second["statusListIndex"])
    )


def _signature(_kind: str, _form: str, document: Document) -> bool:
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    value = document.get("proof", {}).get("proofValue", "z")[1:]
    number = 0
    for letter in value:
        number = number * 58 + alphabet.index(letter)
    zeros = len(value) - len(value.lstrip("1"))
    return value != "" and zeros + -(-number.bit_length() // 8) != 64


def _unseen(_kind: str, _form: str, document: Document) -> bool:
    """Beyond the plane that a pattern can speak of: format, tag, private and non-characters."""
    hidden = {0x110BD, 0x110CD, *range(0x13430, 0x13440), *range(0x1BCA0, 0x1BCA4),
              *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE1000)}  # fmt: skip
    return any(
        n in hidden or n >= 0xF0000 or (n > 0xFFFF and n & 0xFFFE == 0xFFFE)
        for _, v in places(document)
        if isinstance(v, str)
        for n in map(ord, v)
    )


def _threshold(_kind: str, _form: str, document: Document) -> bool:
    return any(rule["threshold"] > len(rule["by"]) for rule in _all(document, "approval"))


def _range(_kind: str, _form: str, document: Document) -> bool:
    return any(int(test["min"]) > int(test["max"]) for test in _all(document, "range"))


def _hours(_kind: str, _form: str, document: Document) -> bool:
    return any(
        a >= b
        for windows in _all(document, "hours")
        for a, b in itertools.pairwise(edge for window in windows for edge in window)
    )


def _network(_kind: str, _form: str, document: Document) -> bool:
    for items in _all(document, "network"):
        try:
            nets: list[Any] = [ipaddress.ip_network(item) for item in items]
        except ValueError:
            return True
        if [str(net) for net in nets] != items:
            return True
        if any(net.version == 6 and net.network_address.ipv4_mapped for net in nets):
            return True
        for a, b in itertools.permutations(nets, 2):
            if a.version == b.version and a.subnet_of(b):
                return True
    return False


def _normal(_kind: str, _form: str, document: Document) -> bool:
    texts = [urllib.parse.unquote(r) for rs in _all(document, "resources") for r in rs]
    table = unicodedata.ucd_3_2_0
    return any(
        text != table.normalize("NFKC", text)
        or any(
            table.category(letter)[0] == "C" or unicodedata.category(letter) in ("Cc", "Cf")
            for letter in text
        )
        for text in texts
    )


def _shared(kind: str, _form: str, document: Document) -> bool:
    if kind != "agent-identity":
        return False
    block = _block(kind, document)
    others = (document["issuer"], block["sponsor"]["id"], block.get("parent"))
    return document["credentialSubject"]["id"] in others


def _expires(kind: str, _form: str, document: Document) -> bool:
    if kind != "agent-identity":
        return False
    return bool(document["validUntil"] > _block(kind, document).get("expires", "9999"))


def _own_word(kind: str, _form: str, document: Document) -> bool:
    own = document["issuer"] == document["credentialSubject"]["id"]
    return kind == "agent-attestation" and bool(own)


RULES = (
    Rule("one-proof", "The schema is of the document; whether its proof is inside or around is "
         "known only to whoever holds the secured form.", _one_proof),
    Rule("whole-number", "To JSON Schema 1.0 is the integer 1; here it is a float, and links carry "
         "none.", _whole),
    Rule("validity", "validUntil is after validFrom: two members.", _validity),
    Rule("created", "The proof was made inside the validity: three members.", _created),
    Rule("status-pair", "The suspension bit is the one after the revocation bit, in the same list: "
         "four members.", _pair),
    Rule("signature-length", "How many bytes base58 gives is not seen from its length.",
         _signature),
    Rule("unseen-character", "Which characters nobody sees beyond the first plane is a table.",
         _unseen),
    Rule("approval-threshold", "No more approvals than approvers: a number and a length.",
         _threshold),
    Rule("range-order", "min is not above max: two members.", _range),
    Rule("hours-order", "Windows in order that do not touch: neighbouring items.", _hours),
    Rule("network-spelling", "Host bits zero, IPv6 compressed and with no IPv4 inside, no prefix "
         "inside another: arithmetic.", _network),
    Rule("resource-normal-form", "What percent triplets spell is in normal form and visible: "
         "Unicode's tables.", _normal),
    Rule("identity-shared", "An agent has a DID of its own, not its issuer's, sponsor's or "
         "parent's: several members.", _shared),
    Rule("identity-expires", "A credential does not outlive the agent: two members.", _expires),
    Rule("attestation-own", "Nobody attests anything about themselves: two members.", _own_word),
)  # fmt: skip


def excuses(kind: str, form: str, document: Document) -> list[str]:
    """The rules a document breaks which its schema accepts."""
    return [rule.name for rule in RULES if rule.broken(kind, form, document)]
