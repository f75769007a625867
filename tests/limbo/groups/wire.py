"""Bytes: JSON that two readers might read as two things, and text that is no JSON at all.

One reading and only one, or none: what a signer's parser and a verifier's parser might see
differently is refused before anything is believed. The tables here are our own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from altered import both, constrained
from limbo.crafts import replaced, retoken, unreadable
from limbo.forge import Alter, Case, rewrite

TWO = "happy::honest::two-links"
SPEC = "DESIGN: the checks, 2"
DELEGATION = ("links", 1, "credentialSubject", "delegation")
Hook = Callable[[tuple[Any, ...], Any, str], str]
"""(path, value, text of the value) to the text that shall stand there."""


def spell(value: Any, hook: Hook, path: tuple[Any, ...] = ()) -> str:
    """JSON text, its parts spelled by the hook."""
    if isinstance(value, dict):
        parts = (f"{json.dumps(k)}:{spell(v, hook, (*path, k))}" for k, v in value.items())
        out = "{" + ",".join(parts) + "}"
    elif isinstance(value, list):
        out = "[" + ",".join(spell(v, hook, (*path, i)) for i, v in enumerate(value)) + "]"
    else:
        out = json.dumps(value, ensure_ascii=False)
    return hook(path, value, out)


def spelled(hook: Hook, group: str = "presentation") -> Alter:
    """The presentation (or evidence) with some parts spelled otherwise."""
    return rewrite(lambda data: spell(json.loads(data), hook).encode("utf-8"), group)


def at(where: tuple[Any, ...], change: Callable[[Any, str], str]) -> Hook:
    """A hook for one place."""
    return lambda path, value, out: change(value, out) if path == where else out


def put(where: tuple[Any, ...], new: str, group: str = "presentation") -> Alter:
    """Other text in the place of one value."""
    return spelled(at(where, lambda _value, _out: new), group)


def no(name: str, description: str, alter: Alter, code: str, link: int | None = None,
       **more: Any) -> Case:  # fmt: skip
    """A malformed case."""
    own: dict[str, Any] = {"twin": TWO, "spec": SPEC, "state": "malformed", "at_most": 0}
    return Case(f"wire::{name}", description, alter, code=code, link=link, **(own | more))


def yes(name: str, description: str, alter: Alter, **more: Any) -> Case:
    """An accepted case."""
    own: dict[str, Any] = {"spec": SPEC, "importance": "medium"}
    return Case(f"wire::{name}", description, alter, **(own | more))


# --- members twice -------------------------------------------------------------------------


def first_twice(escaped: bool, other: bool = False) -> Callable[[Any, str], str]:
    """An object with its first member twice: so, or once escaped, or with another value."""

    def change(value: Any, out: str) -> str:
        name, member = next(iter(value.items()))
        key = "".join(f"\\u{ord(c):04x}" for c in name) if escaped else name
        again = "null" if other else json.dumps(member)
        return f'{{"{key}":{again},' + out[1:]

    return change


PLACES: dict[str, tuple[Any, ...]] = {
    "root": (),
    "link": ("links", 1),
    "proof": ("links", 1, "proof"),
    "subject": ("links", 1, "credentialSubject"),
    "delegation": DELEGATION,
    "sponsor": (*DELEGATION, "sponsor"),
    "redelegation": (*DELEGATION, "redelegation"),
    "lease": (*DELEGATION, "redelegation", "status"),
    "grant": (*DELEGATION, "grants", 0),
    "parent": (*DELEGATION, "parent"),
    "status-entry": ("links", 1, "credentialStatus", 0),
}
EVIDENCE_PLACES: dict[str, tuple[Any, ...]] = {
    "evidence": (),
    "sponsor-credential": ("sponsors", 0),
    "human-sponsor": ("sponsors", 0, "credentialSubject", "humanSponsor"),
    "agent-identity": ("identities", 1, "credentialSubject", "agentIdentity"),
    "tool": ("identities", 1, "credentialSubject", "agentIdentity", "toolset", 0),
    "status-list": ("statusLists", 0),
    "status-list-subject": ("statusLists", 0, "credentialSubject"),
}


def _twice(place: str, path: tuple[Any, ...], group: str, how: str) -> Case:
    hook = at(path, first_twice(how == "escaped", how == "other-value"))
    words = {"same": "the same value", "escaped": "the name once in escapes",
             "other-value": "another value first"}  # fmt: skip
    return no(f"duplicate::{place}-{how}", f"The object at {place} has a member twice, "
              f"{words[how]}; readers take the first, the last or neither.",
              spelled(hook, group), "duplicate-member", importance="critical",
              origin="CVE-2017-12635")  # fmt: skip


def _in_token(place: str, part: str, old: bytes, new: bytes) -> Case:
    change = {part: replaced(old, new)}
    return no(f"duplicate::{place}-{part}", f"The {part} of the {place} token has a member "
              "twice; its signature fits.",
              retoken(place, **change) if place == "invocation" else unreadable(**change),
              "duplicate-member",
              twin="happy::form::leaf-jwt" if place != "invocation" else TWO,
              features=("vc+jwt",) if place != "invocation" else (),
              importance="critical", origin="CVE-2017-12635")  # fmt: skip


DUPLICATES = [
    *(_twice(place, path, "presentation", how) for place, path in PLACES.items()
      for how in ("same", "escaped")),
    *(_twice(place, path, "evidence", "same") for place, path in EVIDENCE_PLACES.items()),
    *(_twice(place, PLACES[place], "presentation", "other-value")
      for place in ("root", "delegation", "redelegation")),
    _in_token("invocation", "head", b'{"alg"', b'{"alg":"none","alg"'),
    _in_token("invocation", "body", b'{"aud"', b'{"aud":"did:key:z6Mk","aud"'),
    _in_token("link-1", "head", b'{"alg"', b'{"\\u0061lg":"none","alg"'),
    _in_token("link-1", "body", b'"depth":1', b'"depth":0,"depth":1'),
]  # fmt: skip

# --- constraints that hide others ----------------------------------------------------------

CONSTRAINTS = (*DELEGATION, "constraints")
TEST = {"q": {"eq": "x"}}


def _rows_and_argument(most: int) -> Alter:
    return both(
        constrained(1, "rows", {"max": most}),
        constrained(1, "arguments", {"rows": {"eq": 9}}, arguments={"rows": 9}),
    )


SHADOWS = [
    *(no(f"shadow::constraint-{how}", f"A link's constraint on rows stands twice, {words}.",
         both(constrained(1, "rows", {"max": 3}), spelled(at(CONSTRAINTS, change))),
         "duplicate-member", twin="happy::constraint::rows", importance="critical")
      for how, words, change in (
          ("looser-first", "looser first", lambda _v, out: '{"rows":{"max":500},' + out[1:]),
          ("looser-last", "looser last", lambda _v, out: out[:-1] + ',"rows":{"max":500}}'),
          ("escaped", "once in escapes", first_twice(escaped=True)))),
    no("shadow::argument", "An argument's test stands twice, the second one looser.",
       both(constrained(1, "arguments", TEST, arguments={"q": "x"}), spelled(at(
           (*CONSTRAINTS, "arguments"), lambda _v, out: out[:-1] + ',"q":{"in":["x","y"]}}'))),
       "duplicate-member", twin="happy::constraint::argument-eq", importance="critical"),
    no("shadow::operator", "One test has two operators.", both(
        constrained(1, "arguments", TEST, arguments={"q": "x"}), spelled(at(
            (*CONSTRAINTS, "arguments", "q"), lambda _v, out: out[:-1] + ',"in":["y"]}'))),
       "shape", 1, twin="happy::constraint::argument-eq", importance="critical"),
    no("shadow::argument-named-rows", "An argument called rows is tested; it says nothing of the "
       "rows.", _rows_and_argument(2), "constraint", 1, state="rejected", at_most=None,
       twin="wire::shadow::rows-and-argument-named-rows"),
    yes("shadow::rows-and-argument-named-rows", "Rows, and an argument called rows, both kept.",
        _rows_and_argument(3)),
]  # fmt: skip

# --- numbers -------------------------------------------------------------------------------

NOT_JSON = {
    "leading-zero": "01", "plus": "+1", "bare-point": "1.", "no-integer-part": ".1",
    "hexadecimal": "0x1", "octal": "0o1", "underscore": "1_0", "arabic-digit": "\u0661",
    "full-width-digit": "\uff11", "superscript": "1\u00b2", "minus-alone": "-", "two-signs": "--1",
    "exponent-alone": "e1", "exponent-without-digits": "1e", "two-points": "1.0.0",
    "nan": "NaN", "infinity": "Infinity", "minus-infinity": "-Infinity", "nan-lower": "nan",
    "inf": "inf", "minus-zero": "-0", "comma": "1,0", "suffix": "1n", "fraction": "1/1",
}  # fmt: skip
NOT_EXACT = {
    "2-to-53": "9007199254740992", "2-to-53-plus-1": "9007199254740993",
    "minus-2-to-53": "-9007199254740992", "2-to-64-plus-1": "18446744073709551617",
    "40-digits": "1" * 40, "overflow": "1e400", "minus-overflow": "-1e400",
    "float-beyond-exact": "9007199254740994.0",
}  # fmt: skip
NOT_INTEGERS = {
    "point-zero": "1.0", "exponent-zero": "1e0", "capital-exponent": "1E0", "exponent-plus":
    "1e+0", "ten-e-minus-1": "10e-1", "rounds-to-one": "1.0000000000000001",
    "minus-zero-float": "-0.0", "half": "0.5", "true": "true", "null": "null", "string": '"1"',
    "list": "[1]", "object": "{}", "minus-one": "-1", "2-to-53-minus-1": "9007199254740991",
    "tiny": "1e-400",
}  # fmt: skip
DEPTH = (*DELEGATION, "depth")

NUMBERS = [
    *(no(f"number::{name}", f"The depth of a link is written {new}, which is no JSON.",
         put(DEPTH, new), "json") for name, new in NOT_JSON.items()),
    *(no(f"number::{name}", f"The depth of a link is written {new[:24]}, which readers do not "
         "agree on.", put(DEPTH, new), "json", origin="RFC 8259, 6")
      for name, new in NOT_EXACT.items()),
    *(no(f"number::{name}", f"The depth of a link is written {new}, which is no integer from 0 "
         "to 31.", put(DEPTH, new), "shape", 1, spec="DESIGN: the checks, 3")
      for name, new in NOT_INTEGERS.items()),
    *(no(f"number::signed-{name}", f"A vc+jwt link whose payload writes its depth {new}, and "
         "signs that.", unreadable(body=replaced(b'"depth":1', b'"depth":' + new.encode())),
         *("json", None) if name in NOT_JSON | NOT_EXACT else ("shape", 1),
         twin="happy::form::leaf-jwt", features=("vc+jwt",))
      for name, new in {"point-zero": "1.0", "exponent-zero": "1e0", "leading-zero": "01",
                        "nan": "NaN", "2-to-53-plus-1": "9007199254740993"}.items()),
    no("number::claim-float", "The invocation's iat is a float of the right value.",
       retoken("invocation", body=replaced(b'"iat":1790000000', b'"iat":1790000000.0')),
       "shape", importance="medium"),
    no("number::claim-string", "The invocation's exp is a string.",
       retoken("invocation", body=replaced(b'"exp":1790000060', b'"exp":"1790000060"')), "shape"),
    no("number::evidence-nan", "A revision in a sponsor credential is NaN.",
       put(("sponsors", 0, "credentialSubject", "humanSponsor", "revision"), "NaN", "evidence"),
       "json"),
    no("number::evidence-float", "A revision in a sponsor credential is 1.0.",
       put(("sponsors", 0, "credentialSubject", "humanSponsor", "revision"), "1.0", "evidence"),
       "shape", at_most=None),
]  # fmt: skip

# --- strings -------------------------------------------------------------------------------

PURPOSE = (*DELEGATION, "constraints", "purpose", 0)
PLAIN = "wire::string::plain"


def purposed(purpose: str, new: str | None = None) -> Alter:
    """A purpose in link 1, asked for, and spelled otherwise on the wire."""
    honest = constrained(1, "purpose", [purpose], purpose=purpose)
    return honest if new is None else both(honest, put(PURPOSE, new))


BROKEN_STRINGS = {
    "unknown-escape": r'"\x72eview"', "short-escape": r'"\u72eview"', "escape-not-hex":
    r'"\uZZZZ"', "escape-at-end": '"review\\"', "single-quotes": "'review'", "no-quotes": "review",
    "raw-newline": '"re\nview"', "raw-tab": '"re\tview"', "raw-nul": '"re\0view"',
    "raw-unit-separator": '"re\x1fview"', "unterminated": '"review', "octal-escape": r'"\162eview"',
    "braces-escape": r'"\u{72}eview"', "two-strings": '"re" "view"',
}  # fmt: skip
SURROGATES = {
    "high": r'"\ud800"', "low": r'"\udc00"', "swapped": r'"\udc00\ud800"', "high-twice":
    r'"\ud83d\ud83d"', "high-then-text": r'"\ud83dx"', "capitals": r'"\uDBFF"',
}  # fmt: skip
UNPRINTABLE = {
    "nul": r'"\u0000"', "newline": r'"review\n"', "delete": '"re\x7fview"', "zero-width-space":
    '"re\u200bview"', "soft-hyphen": '"re\u00adview"', "right-to-left": '"re\u202eview"',
    "no-break-space": '"re\u00a0view"', "bom-inside": '"\ufeffreview"', "line-separator":
    '"re\u2028view"', "private-use": '"\ue000"', "tag": '"\U000e0041"', "empty": '""',
}  # fmt: skip
SAME_STRINGS = {
    "plain": '"review"', "escaped-letter": r'"\u0072eview"', "all-escaped":
    r'"\u0072\u0065\u0076\u0069\u0065\u0077"', "capital-hex": r'"r\u0065\u0076i\u0065w"',
}  # fmt: skip

STRINGS = [
    *(yes(f"string::{name}", f"A purpose spelled {new}: the same text, the same signature.",
          purposed("review", new)) for name, new in SAME_STRINGS.items()),
    yes("string::pair-escaped", "A character beyond the basic plane as a pair of escapes.",
        purposed("\U0001f600", r'"\ud83d\ude00"')),
    yes("string::solidus-escaped", "A slash written with its needless escape.",
        purposed("a/b", r'"a\/b"')),
    *(no(f"string::{name}", f"A purpose is written {new!a}, which is no JSON.",
         purposed("review", new), "json", twin=PLAIN) for name, new in BROKEN_STRINGS.items()),
    *(no(f"string::surrogate-{name}", f"A purpose is written {new}: a lone surrogate, which "
         "UTF-8 cannot carry.", purposed("review", new), "encoding", twin=PLAIN)
      for name, new in SURROGATES.items()),
    no("string::surrogate-in-name", "A member name ends in a lone surrogate.",
       spelled(at(DELEGATION, lambda _v, out: '{"use\\ud800":1,' + out[1:])), "encoding"),
    *(no(f"string::unprintable-{name}", f"A purpose is written {new!a}; people would not see "
         "what it says.", purposed("review", new), "shape", 1, twin=PLAIN,
         spec="DESIGN: the checks, 3") for name, new in UNPRINTABLE.items()),
    no("string::decomposed", "The link's purpose is decomposed (NFD), the request's composed: "
       "two strings.", constrained(1, "purpose", ["re\u0301vision"], purpose="r\u00e9vision"),
       "constraint", 1, state="rejected", twin="wire::string::composed", at_most=None),
    yes("string::composed", "The link's purpose and the request's are both composed (NFC).",
        purposed("r\u00e9vision")),
    no("string::full-width", "The link's purpose is in full-width letters, the request's plain.",
       constrained(1, "purpose", ["\uff52eview"], purpose="review"), "constraint", 1,
       state="rejected", twin=PLAIN, at_most=None),
    no("string::case", "The link's purpose differs from the request's in one capital.",
       constrained(1, "purpose", ["Review"], purpose="review"), "constraint", 1,
       state="rejected", twin=PLAIN, at_most=None),
]  # fmt: skip

CASES: list[Case] = [*DUPLICATES, *SHADOWS, *NUMBERS, *STRINGS]
__all__ = ["CASES", "DELEGATION", "TWO", "no", "put", "spell", "yes"]
