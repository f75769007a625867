"""What a status list is made of: its bits, how they are packed, and what it says of itself."""

from __future__ import annotations

import base64
import gzip
import zlib
from typing import Any

from altered import both
from delegant.credentials.codec import b64u_encode
from draft import LIST
from limbo.crafts import limits
from limbo.forge import Alter
from limbo.groups.status import CLEAN, OTHER
from limbo.groups.status_entry import at_index, sponsors_lease
from limbo.rows import accepted, group, malformed, undecided

BITS_16K = bytes(16 * 1024)


def subject(**members: Any) -> Alter:
    return lambda d: d.lists[0].doc["credentialSubject"].update(members)


def encoded(data: bytes) -> Alter:
    return subject(encodedList="u" + b64u_encode(data))


def zipped(bits: bytes) -> bytes:
    made = gzip.compress(bits, 9, mtime=0)
    return made[:9] + b"\xff" + made[10:]  # which system wrote it, Pythons say differently


def far(index: int, length: int = 16 * 1024) -> Alter:
    """The first link's bits lie there, leased by the sponsor, in a list of so many bytes."""
    return both(sponsors_lease(count=2**21), at_index(0, index), encoded(zipped(bytes(length))))


def overwritten(**members: Any) -> Alter:
    return lambda d: d.lists[0].doc.update(members)


MIB = 1024 * 1024
MADE = [
    accepted("list-of-the-shortest", "131,072 bits, the fewest.", encoded(zipped(BITS_16K))),
    malformed("list-too-short", "Eight bits fewer: an index would tell who it is.",
              encoded(zipped(BITS_16K[1:])), "shape", 0, twin="list-of-the-shortest",
              origin="Bitstring Status List 1.0, 6.1"),
    accepted("last-bits-of-the-list", "The first link has the last two bits.", far(131_070)),
    undecided("bits-beyond-the-list", "The first link has the two bits after the last.",
              far(131_072), "status-unknown", 0, twin="last-bits-of-the-list",
              importance="critical"),
    *(undecided(f"{name}-beyond-the-list", "Its bits are behind the last of the list.",
                both(sponsors_lease(count=2**21), at_index(0, 131_072, place)), "status-unknown",
                link, importance="critical", **CLEAN)
      for name, place, link in (("identity", "identities", 0), ("sponsor", "sponsors", None))),
    *(malformed(f"list-of-{name}", "Shorter than any list may be.", encoded(zipped(bytes(size))),
                "shape", 0, twin="list-of-the-shortest")
      for name, size in (("no-bits", 0), ("half-the-bits", 8192), ("15-kib", 15 * 1024))),
    accepted("list-of-a-mebibyte", "1 MiB, the most by default.", encoded(zipped(bytes(MIB)))),
    malformed("list-of-a-mebibyte-and-a-byte", "One byte more.", encoded(zipped(bytes(MIB + 1))),
              "limit-size", 0, twin="list-of-a-mebibyte", importance="critical"),
    malformed("list-of-two-mebibytes", "Twice as many.", encoded(zipped(bytes(2 * MIB))),
              "limit-size", 0, twin="list-of-a-mebibyte"),
    malformed("list-that-explodes", "64 MiB of zeros in 64 KiB.",
              encoded(zipped(bytes(64 * MIB))), "limit-size", 0, twin="list-of-a-mebibyte",
              importance="critical", origin="CWE-409"),
    accepted("list-as-large-as-here", "16 KiB, where this verifier takes no more.",
             limits(statusList=16 * 1024)),
    malformed("list-larger-than-here", "16 KiB, where it takes a byte less.",
              limits(statusList=16 * 1024 - 1), "limit-size", 0, twin="list-as-large-as-here"),
    *(malformed(f"list-{name}", f"The list {how}.", encoded(data), "encoding", 0,
                twin="list-of-the-shortest")
      for name, how, data in (
          ("cut-short", "is cut short", zipped(BITS_16K)[:-9]),
          ("without-checksum", "lacks its checksum", zipped(BITS_16K)[:-8]),
          ("wrong-checksum", "has a wrong checksum", zipped(BITS_16K)[:-8] + bytes(8)),
          ("with-more-behind", "has a byte behind its end", zipped(BITS_16K) + b"\0"),
          ("of-two-parts", "is two gzip members", zipped(BITS_16K) + zipped(BITS_16K)),
          ("zlib", "is zlib", zlib.compress(BITS_16K)),
          ("deflate", "is raw deflate", zlib.compress(BITS_16K, wbits=-15)),
          ("not-packed", "is not packed", BITS_16K), ("empty", "is empty", b""))),
    *(malformed(f"list-{name}", f"The list {how}.", subject(encodedList=text), code, 0,
                twin="list-of-the-shortest")
      for name, how, text, code in (
          ("padded", "is padded", "u" + base64.urlsafe_b64encode(zipped(BITS_16K)).decode() + "=",
           "encoding"),
          ("base64", "is base64 with plus and slash",
           "m" + base64.b64encode(zipped(BITS_16K)).decode(), "shape"),
          ("without-multibase", "has no multibase letter", b64u_encode(zipped(BITS_16K)), "shape"),
          ("in-hex", "is in hex", "f" + zipped(BITS_16K).hex(), "shape"),
          ("null", "is null", None, "shape"), ("of-numbers", "is a list of numbers", [0], "shape"),
          ("with-a-newline", "has a newline", "u" + b64u_encode(zipped(BITS_16K)) + "\n",
           "encoding"))),
    *(malformed(f"list-purpose-{name}", f"The list is {how}.", subject(statusPurpose=value),
                "shape", 0, importance="critical", **CLEAN)
      for name, how, value in (
          ("revocation", "of revocation only", "revocation"),
          ("revocation-listed", "of revocation only", ["revocation"]),
          ("suspension", "of suspension only", ["suspension"]),
          ("swapped", "of both, the other way round", ["suspension", "revocation"]),
          ("message", "of messages too", ["revocation", "suspension", "message"]),
          ("none", "of nothing", []), ("null", "of null", None))),
    *(malformed(f"list-with-{name}", f"The list {how}.", alter, code, 0, **CLEAN)
      for name, how, alter, code in (
          ("other-subject", "is about another list", subject(id=f"{OTHER}#list"), "shape"),
          ("bare-subject", "is about no list", subject(id=LIST), "shape"),
          ("other-subject-type", "is of the kind before", subject(type="StatusList2021"), "shape"),
          ("types-reversed", "has its types the other way round",
           overwritten(type=["BitstringStatusListCredential", "VerifiableCredential"]), "shape"),
          ("other-type", "is a credential of another kind",
           overwritten(type=["VerifiableCredential", "StatusList2021Credential"]), "shape"),
          ("ttl", "has a ttl of its own", subject(ttl=300_000), "unknown-member"),
          ("status-size", "has items of two bits", subject(statusSize=2), "unknown-member"),
          ("status-of-its-own", "has a status of its own",
           overwritten(credentialStatus=[]), "unknown-member"),
          ("our-context", "has our context, which it does not use", overwritten(
           **{"@context": ["https://www.w3.org/ns/credentials/v2",
                           "https://delegant.example/contexts/delegation/v1"]}), "context"),
          ("old-context", "is of VCDM 1.1", overwritten(
           **{"@context": ["https://www.w3.org/2018/credentials/v1"]}), "vcdm-version"),
          ("no-end", "has no end", lambda d: d.lists[0].doc.pop("validUntil"), "shape"),
          ("no-start", "has no start", lambda d: d.lists[0].doc.pop("validFrom"), "shape"),
          ("end-null", "has null for an end", overwritten(validUntil=None), "shape"))),
]  # fmt: skip

CASES = group("status", MADE, spec="DESIGN: status lists")
