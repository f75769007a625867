"""Every bound at a second before, at and after it, and every spelling of an instant but one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from altered import both, claim, do, doc, t
from altered_evidence import spawned
from delegant.credentials.did import Did, vm_of
from delegant.credentials.proof import sign
from draft import Draft, list_doc
from limbo.crafts import forms
from limbo.forge import Alter
from limbo.rows import accepted, group, malformed, rejected
from world import T0

DAY = 86_400
HONEST: dict[str, Any] = {"twin": "as-issued"}


def at(seconds: int) -> Alter:
    """Verify then, with a status list and an invocation of then."""

    def alter(d: Draft) -> None:
        d.at = d.world.now = T0 + seconds
        d.lists = [list_doc(d.world)]

    return alter


def starts(index: int, seconds: int) -> Alter:
    """This link and those below it begin so much later."""

    def alter(d: Draft) -> None:
        for link in d.links[index:]:
            link.doc["validFrom"] = t(seconds)

    return alter


def ends(index: int, seconds: int) -> Alter:
    """This link and those below it end then."""

    def alter(d: Draft) -> None:
        for link in d.links[index:]:
            link.doc["validUntil"] = t(seconds)

    return alter


def sponsor(start: int, end: int) -> Alter:
    return lambda d: d.sponsors[0].doc.update(validFrom=t(start), validUntil=t(end))


def identity(start: int, end: int, index: int = 1) -> Alter:
    return lambda d: d.identities[index].doc.update(validFrom=t(start), validUntil=t(end))


def identity_until(index: int, end: str) -> Alter:
    return lambda d: d.identities[index].doc.update(validUntil=end)


def most(**seconds: int) -> Alter:
    """The anchor's own limits."""
    return lambda d: d.trust["anchors"][0].update(seconds)


def mandate(seconds: int) -> Alter:
    """The first link is a mandate that lives so long, the second a grant below it."""

    def alter(d: Draft) -> None:
        d.links[0].subject["use"] = "mandate"
        d.links[0].doc["validUntil"] = t(seconds)

    return alter


def ephemeral(end: int, expires: int) -> Alter:
    def alter(d: Draft) -> None:
        d.identities[1].subject.update(identityModel="ephemeral", expires=t(expires))
        d.identities[1].doc["validUntil"] = t(end)

    return alter


def child_identity(end: int) -> Alter:
    """Dbquery's identity, issued by retrieval, whose own ends on the 30th day."""
    return both(spawned(True), identity(0, end, 2))


OWN: tuple[tuple[str, Callable[[int], Alter], Callable[[int], Alter], int | None], ...] = (
    ("first-link", lambda s: starts(0, s), lambda s: ends(0, s), 0),
    ("second-link", lambda s: starts(1, s), lambda s: ends(1, s), 1),
    ("leaf", lambda s: starts(2, s), lambda s: ends(2, s), 2),
    ("sponsor", lambda s: sponsor(s, DAY), lambda s: sponsor(s - DAY, s), None),
    ("first-identity", lambda s: identity(s, 30 * DAY, 0), lambda s: identity(-DAY, s, 0), 0),
    ("leaf-identity", lambda s: identity(s, 30 * DAY, 2), lambda s: identity(-DAY, s, 2), 2),
)
"""Name; how to begin it, how to end it at so many seconds; the link that answers for it."""

BOUNDS = [
    case
    for name, begin, end, link in OWN
    for case in (
        accepted(f"{name}-start-at-the-skew", "It begins 30 seconds from now: clocks may differ.",
                 begin(30), depth=3),
        rejected(f"{name}-start-beyond-the-skew", "It begins 31 seconds from now.", begin(31),
                 "not-yet-valid", link, depth=3, twin=f"{name}-start-at-the-skew"),
        rejected(f"{name}-start-in-an-hour", "It begins within its parent's time, but not yet.",
                 begin(250), "not-yet-valid", link, depth=3, twin=f"{name}-start-at-the-skew",
                 importance="medium"),
        accepted(f"{name}-last-second", "The second before its end.", both(end(200), at(199)),
                 depth=3),
        rejected(f"{name}-expired-at-the-second", "An end has no grace: not at its second.",
                 both(end(200), at(200)), "expired", link, depth=3, importance="critical",
                 origin="CVE-2024-31995", twin=f"{name}-last-second"),
        rejected(f"{name}-expired-within-the-skew", "No grace of 30 seconds after an end.",
                 both(end(200), at(201)), "expired", link, depth=3, importance="critical",
                 origin="CVE-2024-31995", twin=f"{name}-last-second"),
        rejected(f"{name}-expired-long-ago", "Its end was a hundred seconds ago.",
                 both(end(200), at(299)), "expired", link, depth=3, importance="critical",
                 origin="CVE-2024-31995", twin=f"{name}-last-second"),
    )
]  # fmt: skip

NESTED = [
    accepted("as-issued", "Thirty minutes, then fifteen."),
    accepted("same-end", "The child ends with its parent.", ends(0, 900)),
    accepted("same-start", "Parent and child begin ten seconds from now.", starts(0, 10)),
    rejected("outlives-parent-by-a-second", "The child ends a second after its parent.",
             doc(1, "validUntil", value=t(1801)), "scope-widened", 1, importance="critical",
             **HONEST),
    rejected("outlives-parent-within-the-skew", "Skew is against now, never between links.",
             both(ends(0, 900), doc(1, "validUntil", value=t(930))), "scope-widened", 1,
             twin="same-end"),
    rejected("leaf-outlives-expired-parent", "The middle link is over, its child says it is not.",
             both(doc(1, "validUntil", value=t(200)), at(250)), "scope-widened", 2, depth=3,
             importance="critical", origin="CVE-2024-31995", twin="second-link-last-second"),
    rejected("starts-before-parent", "The child begins a second before its parent.",
             both(starts(0, 10), doc(1, "validFrom", value=t(9))), "scope-widened", 1,
             twin="same-start"),
    rejected("starts-before-parent-within-the-skew", "The child begins 30 seconds before.",
             both(starts(0, 30), doc(1, "validFrom", value=t(0))), "scope-widened", 1,
             twin="same-start"),
    rejected("lives-for-ever", "The child ends in the year 9999.",
             doc(1, "validUntil", value="9999-12-31T23:59:59Z"), "scope-widened", 1, **HONEST),
    rejected("lived-always", "The child begins in the year 1.",
             doc(1, "validFrom", value="0001-01-01T00:00:00Z"), "scope-widened", 1, **HONEST),
    rejected("wraps-after-2038", "The child ends when 32 bits do.",
             doc(1, "validUntil", value="2038-01-19T03:14:08Z"), "scope-widened", 1, **HONEST),
]  # fmt: skip


def signed_at(seconds: int) -> Alter:
    """The second link's proof says it was made then, and is rightly signed."""

    def alter(d: Draft) -> None:
        one = d.links[1]
        method = vm_of(Did(one.doc["issuer"]))
        one.after = lambda _: sign(one.doc, one.signer, method, T0 + seconds)

    return alter


MADE = [
    accepted("proof-made-at-the-start", "A proof made as the link begins.", signed_at(0)),
    accepted("proof-made-at-the-end", "A proof made as the link ends: within its time, as the "
             "profile counts it.", signed_at(900)),
    malformed("proof-made-before", "A proof made a second before the link begins.",
              signed_at(-1), "shape", 1, twin="proof-made-at-the-start"),
    malformed("proof-made-after", "A proof made a second after the link ends.", signed_at(901),
              "shape", 1, twin="proof-made-at-the-end"),
    malformed("proof-made-in-1970", "A proof made before there were any.", signed_at(-T0),
              "shape", 1, twin="proof-made-at-the-start"),
]  # fmt: skip

LIVES = [
    accepted("grant-of-the-longest", "A grant of 1800 seconds, the anchor's most."),
    rejected("grant-a-second-longer", "A grant of 1801 seconds.",
             doc(0, "validUntil", value=t(1801)), "ttl-too-long", 0, twin="grant-of-the-longest"),
    rejected("grant-till-9999", "A grant till the year 9999.",
             doc(0, "validUntil", value="9999-12-31T23:59:59Z"), "ttl-too-long", 0,
             twin="grant-of-the-longest"),
    rejected("second-grant-longer-than-here", "The anchor takes 899 seconds, the second has 900.",
             both(ends(0, 900), doc(0, "validUntil", value=t(900)), most(maxGrantSeconds=899)),
             "ttl-too-long", 0, twin="grants-as-long-as-here"),
    accepted("grants-as-long-as-here", "Grants of 900 seconds, where 900 are the most.",
             both(ends(0, 900), most(maxGrantSeconds=900))),
    accepted("grant-of-an-hour", "3600 seconds are the most any anchor may take.",
             both(doc(0, "validUntil", value=t(3600)), most(maxGrantSeconds=3600))),
    rejected("grant-of-an-hour-and-a-second", "3601 seconds.",
             both(doc(0, "validUntil", value=t(3601)), most(maxGrantSeconds=3600)),
             "ttl-too-long", 0, twin="grant-of-an-hour"),
    malformed("anchor-of-an-hour-and-a-second", "A trust folder that would take 3601 seconds.",
              most(maxGrantSeconds=3601), "shape", twin="grant-of-an-hour", importance="medium"),
    accepted("mandate-of-a-week", "A mandate of seven days, and a grant below it.",
             mandate(7 * DAY)),
    rejected("mandate-of-a-week-and-a-second", "A mandate a second longer.",
             mandate(7 * DAY + 1), "ttl-too-long", 0, twin="mandate-of-a-week"),
    accepted("mandate-of-a-month", "A mandate of thirty days, where the anchor takes them.",
             both(mandate(30 * DAY), most(maxMandateSeconds=30 * DAY))),
    rejected("mandate-of-a-month-and-a-second", "A mandate a second longer than any.",
             both(mandate(30 * DAY + 1), most(maxMandateSeconds=30 * DAY)), "ttl-too-long", 0,
             twin="mandate-of-a-month"),
    rejected("grant-as-long-as-a-mandate", "A grant of a week.",
             doc(0, "validUntil", value=t(7 * DAY)), "ttl-too-long", 0, twin="mandate-of-a-week"),
    accepted("sponsor-of-a-day", "A sponsor credential of 24 hours.", sponsor(0, DAY)),
    rejected("sponsor-of-a-day-and-a-second", "A second longer.", sponsor(0, DAY + 1),
             "ttl-too-long", twin="sponsor-of-a-day"),
    accepted("identity-of-90-days", "An identity credential of 90 days.", identity(0, 90 * DAY)),
    rejected("identity-of-90-days-and-a-second", "A second longer.", identity(0, 90 * DAY + 1),
             "ttl-too-long", 1, twin="identity-of-90-days"),
    *(rejected(f"identity-{name}", "An identity credential lives 90 days at most.",
               identity_until(index, end), "ttl-too-long", index, twin="identity-of-90-days")
      for name, index, end in (("of-a-year", 1, t(365 * DAY)), ("for-ever", 0,
                               "9999-12-31T23:59:59Z"))),
    accepted("ephemeral-to-its-end", "An ephemeral identity, valid to its `expires`.",
             ephemeral(3600, 3600)),
    malformed("ephemeral-beyond-its-end", "A second beyond its `expires`.",
              ephemeral(3601, 3600), "shape", 1, twin="ephemeral-to-its-end"),
    *(malformed(f"ephemeral-beyond-its-end-by-{name}", "It says when it ends, and is valid after.",
                ephemeral(end, 3600), "shape", 1, twin="ephemeral-to-its-end")
      for name, end in (("an-hour", 7200), ("a-month", 30 * DAY))),
    accepted("child-identity-to-its-parents-end", "A child's identity ends with its parent's.",
             child_identity(30 * DAY), depth=3),
    rejected("child-identity-beyond-its-parents", "A second beyond its parent's.",
             child_identity(30 * DAY + 1), "ttl-too-long", 2, depth=3,
             twin="child-identity-to-its-parents-end"),
    malformed("no-time-at-all", "It ends when it begins.",
              doc(1, "validUntil", value=t(0)), "shape", 1, **HONEST),
    malformed("ends-before-it-begins", "It ends a second before it begins.",
              doc(1, "validUntil", value=t(-1)), "shape", 1, **HONEST),
    malformed("relative-end", "A life in seconds from whenever.", doc(1, "expiresIn", value=900),
              "unknown-member", 1, **HONEST),
    malformed("exp-beside-it", "A vc+jwt link with an exp of its own, later than validUntil.",
              both(forms("link-1"), doc(1, "exp", value=T0 + 10**6)), "unknown-member", 1,
              features=("vc+jwt",), twin="as-issued-as-jwt"),
    accepted("as-issued-as-jwt", "The second link as vc+jwt.", forms("link-1"),
             features=("vc+jwt",)),
    *(malformed(f"{name}-as-jwt", f"A vc+jwt that {how}.",
                both(forms("link-1"), doc(1, "validUntil", value=t(end))), "shape", 1,
                features=("vc+jwt",), twin="as-issued-as-jwt")
      for name, how, end in (("no-time-at-all", "ends when it begins", 0),
                             ("ends-before-it-begins", "ends before it begins", -1))),
    malformed("expiration-date", "VCDM 1.1 says expirationDate.",
              doc(1, "expirationDate", value=t(900)), "vcdm-version", 1, **HONEST),
]  # fmt: skip

SPELLINGS = (
    ("zoneless", "has no zone", "2026-09-21T14:28:20"),
    ("lower-case-z", "has a small z", "2026-09-21T14:28:20z"),
    ("lower-case-t", "has a small t", "2026-09-21t14:28:20Z"),
    ("offset-zero", "has an offset of zero", "2026-09-21T14:28:20+00:00"),
    ("offset-minus-zero", "has the offset -00:00", "2026-09-21T14:28:20-00:00"),
    ("offset", "has an offset", "2026-09-21T16:28:20+02:00"),
    ("milliseconds", "has milliseconds", "2026-09-21T14:28:20.000Z"),
    ("nanoseconds", "has nanoseconds", "2026-09-21T14:28:20.999999999Z"),
    ("comma", "has a decimal comma", "2026-09-21T14:28:20,5Z"),
    ("blank", "has a blank for the T", "2026-09-21 14:28:20Z"),
    ("date", "is a date", "2026-09-21"),
    ("no-seconds", "has no seconds", "2026-09-21T14:28Z"),
    ("basic", "is in the basic format", "20260921T142820Z"),
    ("week", "is a week date", "2026-W39-1T14:28:20Z"),
    ("ordinal", "is an ordinal date", "2026-264T14:28:20Z"),
    ("hour-24", "is at 24 o'clock", "2026-09-21T24:00:00Z"),
    ("hour-25", "is at 25 o'clock", "2026-09-21T25:00:00Z"),
    ("leap-second", "is a leap second", "2026-12-31T23:59:60Z"),
    ("minute-60", "is in the 60th minute", "2026-09-21T14:60:00Z"),
    ("month-13", "is in the 13th month", "2026-13-01T00:00:00Z"),
    ("day-0", "is on day zero", "2026-09-00T00:00:00Z"),
    ("february-29", "is on a leap day of no leap year", "2027-02-29T00:00:00Z"),
    ("february-30", "is on 30 February", "2028-02-30T00:00:00Z"),
    ("year-0", "is in year zero", "0000-01-01T00:00:00Z"),
    ("year-10000", "has five digits of year", "12026-09-21T14:28:20Z"),
    ("negative-year", "has a negative year", "-2026-09-21T14:28:20Z"),
    ("signed-year", "has a signed year", "+2026-09-21T14:28:20Z"),
    ("two-digit-year", "has two digits of year", "26-09-21T14:28:20Z"),
    ("newline", "has a newline behind", "2026-09-21T14:28:20Z\n"),
    ("space-ahead", "has a space ahead", " 2026-09-21T14:28:20Z"),
    ("nul", "has a NUL behind", "2026-09-21T14:28:20Z\x00"),
    ("arabic-digits", "is in Arabic digits", "٢٠٢٦-٠٩-٢١T١٤:٢٨:٢٠Z"),
    ("full-width-digits", "is in full-width digits", "２０２６-09-21T14:28:20Z"),
    ("unicode-dashes", "has typographic dashes", "2026‑09‑21T14:28:20Z"),
    ("rfc-2822", "is a mail's date", "Mon, 21 Sep 2026 14:28:20 +0000"),
    ("seconds", "is a count of seconds", T0 + 900),
    ("seconds-text", "is a count of seconds as text", str(T0 + 900)),
    ("true", "is true", True),
    ("empty", "is empty", ""),
    ("list", "is in a list", ["2026-09-21T14:28:20Z"]),
    ("forever", "is a word", "never"),
)  # fmt: skip

FORMATS = [
    accepted("format-usual", "2026-09-21T14:28:20Z, as an instant is written.",
             doc(1, "validUntil", value="2026-09-21T14:28:20Z")),
    *(malformed(f"format-{name}", f"An end that {how}.", doc(1, "validUntil", value=value),
                "shape", 1, importance="medium", origin="RFC 3339, 5.6", twin="format-usual")
      for name, how, value in SPELLINGS),
    *(malformed(f"format-start-{name}", f"A beginning that {how}.",
                doc(1, "validFrom", value=value), "shape", 1, importance="medium",
                origin="RFC 3339, 5.6", twin="format-usual")
      for name, how, value in SPELLINGS if name in ("zoneless", "offset-zero", "nanoseconds",
                                                    "seconds", "year-0")),
]  # fmt: skip


def invoked(issued: int, expires: int) -> Alter:
    return claim(iat=T0 + issued, exp=T0 + expires)


LAST_SECOND = "invocation-last-second"
INVOCATIONS = [
    accepted("invocation-at-the-skew", "Signed 30 seconds from now.", invoked(30, 60)),
    rejected("invocation-beyond-the-skew", "Signed 31 seconds from now.", invoked(31, 60),
             "invocation-expired", twin="invocation-at-the-skew"),
    accepted(LAST_SECOND, "The second before its end.", invoked(-59, 1)),
    rejected("invocation-over-at-the-second", "At its end.", invoked(-60, 0),
             "invocation-expired", twin=LAST_SECOND, importance="critical"),
    rejected("invocation-over", "A second after its end: no skew.", invoked(-61, -1),
             "invocation-expired", twin=LAST_SECOND, importance="critical"),
    *(rejected(f"invocation-{name}", "Signed in the future, to be used then.",
               invoked(start, start + 60), "invocation-expired", twin="invocation-at-the-skew")
      for name, start in (("of-the-next-minute", 60), ("of-tomorrow", DAY))),
    rejected("invocation-over-long-ago", "Signed yesterday.", invoked(-DAY, 60 - DAY),
             "invocation-expired", twin=LAST_SECOND, importance="critical"),
    accepted("invocation-of-the-longest", "120 seconds, the most there is.", invoked(0, 120)),
    rejected("invocation-a-second-longer", "121 seconds.", invoked(0, 121),
             "invocation-expired", twin="invocation-of-the-longest"),
    rejected("invocation-for-a-year", "Made to last.", invoked(0, 365 * DAY),
             "invocation-expired", twin="invocation-of-the-longest"),
    rejected("invocation-for-no-time", "It ends when it begins.", invoked(5, 5),
             "invocation-expired", twin="invocation-of-the-longest"),
    rejected("invocation-backwards", "It ends before it begins.", invoked(20, 10),
             "invocation-expired", twin="invocation-of-the-longest"),
    rejected("invocation-from-1970", "iat is zero, exp is soon.", claim(iat=0, exp=T0 + 60),
             "invocation-expired", twin="invocation-of-the-longest"),
    malformed("invocation-before-1970", "iat is negative.", claim(iat=-1), "shape",
              twin="invocation-of-the-longest"),
    rejected("invocation-outlives-nothing", "Fresh, but the leaf it is over has expired.",
             both(ends(1, 200), at(230)), "expired", 1, twin="second-link-last-second",
             importance="critical"),
    accepted("verified-in-the-skew-of-the-chain", "30 seconds before the chain begins.",
             do(at=T0 - 30)),
    rejected("verified-before-the-chain", "31 seconds before the chain begins.", do(at=T0 - 31),
             "not-yet-valid", 0, twin="verified-in-the-skew-of-the-chain"),
]  # fmt: skip

CASES = [
    *group("time", BOUNDS, spec="DESIGN 8: time"),
    *group("time", MADE, spec="DESIGN 3: shape"),
    *group("time", NESTED, spec="DESIGN 5: attenuation"),
    *group("time", LIVES, spec="DESIGN: who signs what"),
    *group("time", FORMATS, spec="DESIGN, rule 14"),
    *group("time", INVOCATIONS, spec="DESIGN 10: invocation"),
]
