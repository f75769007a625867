"""Bytes, continued: structure, encodings, white space, the encodings inside tokens, sizes."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

from limbo.crafts import chain, finished, limits, padded, replaced, retoken, text, unreadable
from limbo.forge import Alter, Case, presented, rewrite, stapled
from limbo.groups.wire import DELEGATION, no, put, yes

# --- white space and order, which mean nothing ---------------------------------------------


def _both(change: Any) -> Alter:
    return chain(rewrite(change), rewrite(change, "evidence"))


def _before(char: str) -> Callable[[bytes], bytes]:
    return lambda data: char.encode() + data


def _again(dump: Any) -> Any:
    return lambda data: dump(json.loads(data)).encode("utf-8")


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(item) for item in value] if isinstance(value, list) else value


def _escaped_names(value: Any) -> str:
    """JSON text whose member names are all in escapes."""
    if isinstance(value, dict):
        names = {key: "".join(f"\\u{ord(c):04x}" for c in key) for key in value}
        return "{" + ",".join(f'"{names[k]}":{_escaped_names(v)}' for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_escaped_names, value)) + "]"
    return json.dumps(value)


SPACE = [
    yes("space::indented", "Both files indented by two.",
        _both(_again(lambda v: json.dumps(v, indent=2)))),
    yes("space::tabs-and-returns", "Both files with tabs, and lines that end as on Windows.",
        _both(_again(lambda v: json.dumps(v, indent="\t").replace("\n", "\r\n")))),
    yes("space::around", "White space before and after.", _both(lambda b: b" \t\r\n" + b + b"\n")),
    yes("space::reversed-members", "Members in the reverse order, at every level of both files.",
        _both(_again(lambda v: json.dumps(_reversed(v))))),
    yes("space::all-ascii", "Everything beyond ASCII in escapes.",
        _both(_again(lambda v: json.dumps(v, ensure_ascii=True)))),
    yes("space::names-escaped", "The letters of every member name in escapes.",
        _both(_again(_escaped_names))),
    *(no(f"space::{name}", f"{words} before the presentation, which JSON does not know as white "
         "space.", rewrite(_before(char)), "json")
      for name, (char, words) in {
          "no-break": ("\u00a0", "A no-break space"), "form-feed": ("\f", "A form feed"),
          "vertical-tab": ("\v", "A vertical tab"), "nul": ("\0", "A NUL"),
          "line-separator": ("\u2028", "A line separator"), "zero-width": ("\u200b", "A "
          "zero-width space"), "word-joiner": ("\u2060", "A word joiner"),
      }.items()),
]  # fmt: skip

# --- structure -----------------------------------------------------------------------------

BROKEN = {
    "empty": b"", "space-only": b" \n", "open-brace": b"{", "close-brace": b"}", "open-bracket":
    b"[", "two-objects": b"{}{}", "object-comma": b"{},", "trailing-comma": b'{"links":[],}',
    "leading-comma": b'{,"links":[]}', "two-commas": b'{"links":[],,"invocation":""}', "no-colon":
    b'{"links" []}', "two-colons": b'{"links"::[]}', "no-value": b'{"links":}', "no-name":
    b'{:[]}', "bare-name": b"{links:[]}", "number-name": b"{1:[]}", "single-quoted":
    b"{'links':[]}", "line-comment": b'{"links":[]} // done', "block-comment":
    b'{/**/"links":[]}', "hash-comment": b'{"links":[]} # done', "array-trailing-comma":
    b'{"links":[1,]}', "array-no-comma": b'{"links":[1 2]}', "array-colon": b'{"links":[1:2]}',
    "mixed-brackets": b'{"links":[}]', "unclosed-array": b'{"links":[1', "literal-capital":
    b"True", "literal-cut": b"nul", "literal-long": b"nulls", "undefined": b"undefined",
    "semicolon": b"{};", "xssi-prefix": b")]}'\n{}", "two-lines": b"{}\n{}", "bom-text":
    b"\\ufeff{}", "yaml": b"links: []", "parentheses": b"({})", "callback": b"f({})",
    "control-in-structure": b'{\x01"links":[]}',
}  # fmt: skip
OTHER_TYPES = {
    "array": b"[]", "string": b'"links"', "number": b"1", "true": b"true", "null": b"null",
    "array-of-it": b'[{"links":[]}]',
}  # fmt: skip
LINKS: dict[str, Any] = {"string": "x", "number": 2}
ITEMS: dict[str, Any] = {"number": 1, "true": True}
INVOCATIONS: dict[str, Any] = {"object": {}, "list": [], "number": 0}


def _whole(data: bytes, group: str = "presentation") -> Alter:
    return rewrite(lambda _old: data, group)


STRUCTURE = [
    *(no(f"structure::{name}", f"The presentation is {data[:32]!a}, which is no JSON.",
         _whole(data), "json") for name, data in BROKEN.items()),
    *(no(f"structure::root-{name}", f"The presentation is {data!a}: JSON, and no object.",
         _whole(data), "shape") for name, data in OTHER_TYPES.items()),
    no("structure::cut-short", "The presentation's last 20 bytes are missing.",
       rewrite(lambda b: b[:-20]), "json"),
    no("structure::trailing-text", "A letter after the presentation.", rewrite(lambda b: b + b"x"),
       "json"),
    no("structure::trailing-nul", "A NUL after the presentation.", rewrite(lambda b: b + b"\0"),
       "json"),
    no("structure::second-presentation", "The presentation twice, one after the other.",
       rewrite(lambda b: b + b), "json", importance="critical"),
    no("structure::no-object", "The object's members without its braces.",
       rewrite(lambda b: b[1:-1]), "json"),
    no("structure::evidence-cut-short", "The evidence's last byte is missing.",
       rewrite(lambda b: b[:-1], "evidence"), "json"),
    no("structure::evidence-array", "The evidence is an array.", _whole(b"[]", "evidence"),
       "shape"),
    no("structure::evidence-null", "The evidence is null, and not an empty object.",
       _whole(b"null", "evidence"), "shape"),
    no("structure::empty-object", "A presentation without members.", _whole(b"{}"), "shape"),
    *(no(f"structure::links-{name}", f"Links are {json.dumps(value)} and not a list.",
         presented("links", value=value), "shape") for name, value in LINKS.items()),
    *(no(f"structure::item-{name}", f"One of the links is {json.dumps(value)}.",
         presented("links", 1, value=value), "shape") for name, value in ITEMS.items()),
    no("structure::links-leaf-first", "A whole and honest presentation, its links sent leaf first: "
       "order is root first.", finished(lambda b: b["presentation"]["links"].reverse()),
       "chain-broken", 0, state="rejected", importance="critical", spec="DESIGN: the checks, 4"),
    no("structure::links-shuffled", "A whole and honest presentation of three links, the last two "
       "sent in the other order.", finished(lambda b: b["presentation"]["links"].insert(
           1, b["presentation"]["links"].pop())), "chain-broken", 1, state="rejected", depth=3,
       twin="happy::honest::three-links", importance="critical", spec="DESIGN: the checks, 4"),
    no("structure::links-nested", "The list of links stands in a list.", finished(
        lambda b: b["presentation"].update(links=[b["presentation"]["links"]])), "shape"),
    *(no(f"structure::invocation-{name}", f"The invocation is {json.dumps(value)}, no token.",
         presented("invocation", value=value), "shape") for name, value in INVOCATIONS.items()),
    no("structure::unknown-member", "The presentation has a member nobody knows.",
       presented("trust", value=[]),
       "unknown-member", importance="critical"),
    no("structure::member-case", "The presentation names its Links with a capital.", finished(
        lambda b: b["presentation"].update(Links=b["presentation"].pop("links"))), "shape"),
    no("structure::proto-member", "The presentation has a member __proto__.", presented(
        "__proto__", value={}), "unknown-member"),
    no("structure::anchors-in-evidence", "The evidence brings trust anchors along.", stapled(
        "anchors", value=[]), "unknown-member", importance="critical"),
    no("structure::accented-member", "A link's member has an accent, composed.",
       put(DELEGATION, '{"d\u00e9pth":1}'), "shape", 1),
]  # fmt: skip

# --- encodings of the file -----------------------------------------------------------------

SEQUENCES = {
    "lone-continuation": b"\x80", "lone-lead": b"\xc3", "overlong-solidus": b"\xc0\xaf",
    "overlong-nul": b"\xc0\x80", "overlong-three-bytes": b"\xe0\x80\xaf", "cut-sequence":
    b"\xe2\x82", "surrogate": b"\xed\xa0\x80", "surrogate-pair": b"\xed\xa0\xbd\xed\xb8\x80",
    "beyond-the-end": b"\xf4\x90\x80\x80", "five-bytes": b"\xf8\x88\x80\x80\x80", "fe": b"\xfe",
    "ff": b"\xff", "latin-1": b"r\xe9vision",
}  # fmt: skip


def _zipped(data: bytes) -> bytes:
    made = gzip.compress(data, mtime=0)
    return made[:9] + b"\xff" + made[10:]  # which system wrote it, Pythons say differently


def _recoded(name: str) -> Alter:
    return rewrite(lambda b: b.decode().encode(name))


ENCODINGS = [
    *(no(f"encoding::{name}", f"A string holds the bytes {data.hex()}, which are no UTF-8.",
         rewrite(replaced(b'"invocation":"', b'"invocation":"' + data)), "encoding")
      for name, data in SEQUENCES.items()),
    no("encoding::bom", "A byte order mark stands before the presentation.",
       rewrite(lambda b: b"\xef\xbb\xbf" + b), "encoding"),
    no("encoding::bom-evidence", "A byte order mark stands before the evidence.",
       rewrite(lambda b: b"\xef\xbb\xbf" + b, "evidence"), "encoding"),
    no("encoding::utf-16-with-mark", "The presentation is UTF-16, and says so.",
       _recoded("utf-16"), "encoding"),
    no("encoding::utf-16-le", "The presentation is UTF-16 without a mark.",
       _recoded("utf-16-le"), "json"),
    no("encoding::utf-16-be", "The presentation is UTF-16, big end first.",
       _recoded("utf-16-be"), "json"),
    no("encoding::utf-32-le", "The presentation is UTF-32.", _recoded("utf-32-le"), "json"),
    no("encoding::ebcdic", "The presentation is EBCDIC.", _recoded("cp500"), "encoding"),
    no("encoding::gzip", "The presentation is compressed.",
       rewrite(_zipped), "encoding"),
    no("encoding::base64", "The presentation is base64 of itself.", rewrite(base64.b64encode),
       "json"),
    no("encoding::percent", "The presentation's quotes are percent-encoded.",
       rewrite(lambda b: b.replace(b'"', b"%22")), "json"),
    no("encoding::html", "The presentation's quotes are HTML entities.",
       rewrite(lambda b: b.replace(b'"', b"&quot;")), "json"),
]  # fmt: skip

# --- base64url in tokens -------------------------------------------------------------------


def _spoiled(name: str, description: str, change: Any, code: str = "encoding") -> Case:
    return no(f"token::{name}", description, lambda d: setattr(d, "invocation_after", change),
              code, spec="RFC 7515, 2; RFC 4648, 3.5")  # fmt: skip


def _last_bits(token: str) -> str:
    """The last character of a part of 64 bytes carries four unused bits; one of them set."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + letters[letters.index(token[-1]) + 1]


TOKENS = [
    _spoiled("padded-header", "The header is padded with =.", lambda t: t.replace(".", "=.", 1)),
    _spoiled("spare-bits", "Unused bits of the signature's last character are set: another "
             "spelling of the same bytes.", _last_bits),
    _spoiled("plain-alphabet", "The signature is in the plain base64 alphabet.",
             lambda t: t.rsplit(".", 1)[0] + "." + "+/" + t.rsplit(".", 1)[1][2:]),
    _spoiled("space-inside", "A space inside the payload.", lambda t: t.replace(".", ". ", 1)),
    _spoiled("newline-inside", "A line break inside the payload.",
             lambda t: t[:200] + "\n" + t[200:]),
    _spoiled("impossible-length", "The payload lacks one character of a group of four.",
             lambda t: ".".join([t.split(".")[0], "QQQQQ", t.split(".")[2]])),
    _spoiled("four-parts", "A token with a part too many.", lambda t: t + ".QQ"),
    _spoiled("five-parts", "An encrypted token, by its number of parts.", lambda t: t + ".QQ.QQ"),
    _spoiled("one-part", "No token at all.", lambda _t: "token"),
    _spoiled("non-ascii", "A Cyrillic letter for a Latin one.",
             lambda t: t.replace("e", "\u0435", 1)),
    _spoiled("three-dots", "Dots alone.", lambda _t: "..", "json"),
    no("token::header-array", "The header is an array.",
       retoken("invocation", head=lambda _b: b"[]"), "shape"),
    no("token::header-utf-16", "The header is UTF-16.",
       retoken("invocation", head=lambda b: b.decode().encode("utf-16")), "encoding"),
    no("token::payload-string", "The payload is a string of JSON, not JSON.",
       retoken("invocation", body=lambda b: json.dumps(b.decode()).encode()), "shape"),
    no("token::payload-bom", "The payload begins with a byte order mark.",
       retoken("invocation", body=lambda b: b"\xef\xbb\xbf" + b), "encoding"),
    no("token::link-payload-bom", "The payload of a vc+jwt link begins with a byte order mark.",
       unreadable(body=lambda b: b"\xef\xbb\xbf" + b), "encoding",
       twin="happy::form::leaf-jwt", features=("vc+jwt",)),
    no("token::link-without-signature", "A vc+jwt link without its third part.", chain(
        lambda d: setattr(d.links[1], "form", "jwt"), finished(lambda b: b["presentation"]["links"]
        .append(b["presentation"]["links"].pop().rsplit(".", 1)[0]))), "encoding",
       twin="happy::form::leaf-jwt", features=("vc+jwt",)),
    yes("token::spaced-payload", "The payload is signed with white space in it.",
        retoken("invocation", body=text(lambda t: " " + t.replace(",", " ,\n")))),
    yes("token::reordered-payload", "The payload is signed with its members in another order.",
        retoken("invocation", body=lambda b: json.dumps(_reversed(json.loads(b))).encode())),
    yes("token::header-reordered", "The header is signed with its members in another order.",
        retoken("invocation", head=lambda b: json.dumps(_reversed(json.loads(b))).encode())),
]  # fmt: skip


def _lists(levels: int) -> Any:
    node: Any = 0
    for _ in range(levels - 1):
        node = [node]
    return {"a": node}


# --- sizes ---------------------------------------------------------------------------------

TOKEN = 5919
"""Bytes of payload with which the token is as long as allowed."""
MEMBERS = 3886
"""Members that the honest evidence leaves room for."""


def _documents(value: Any) -> Alter:
    return finished(lambda b: b["evidence"].update(documents=[value]))


def _deep(levels: int) -> Any:
    node: Any = {}
    for _ in range(levels - 1):
        node = {"a": node}
    return node


SIZES = [
    yes("size::presentation-at-limit", "8,192 bytes, as many as this verifier takes.",
        chain(limits(presentation=8192), rewrite(padded(8192)))),
    no("size::presentation-over-limit", "8,193 bytes, one more than this verifier takes.",
       chain(limits(presentation=8192), rewrite(padded(8193))), "limit-size",
       twin="wire::size::presentation-at-limit"),
    yes("size::evidence-at-limit", "16,384 bytes of evidence, as many as this verifier takes.",
        chain(limits(evidence=16_384), rewrite(padded(16_384), "evidence"))),
    no("size::evidence-over-limit", "16,385 bytes of evidence, one more than it takes.",
       chain(limits(evidence=16_384), rewrite(padded(16_385), "evidence")), "limit-size",
       twin="wire::size::evidence-at-limit"),
    yes("size::depth-at-limit", "A DID document nested so that the evidence has 32 levels.",
        _documents(_deep(31))),
    no("size::depth-over-limit", "A DID document nested so that the evidence has 33 levels.",
       _documents(_deep(32)), "limit-depth", twin="wire::size::depth-at-limit"),
    yes("size::depth-of-lists-at-limit", "The same in lists.", _documents(_lists(30))),
    no("size::depth-of-lists-over-limit", "The same in lists, one level more.",
       _documents(_lists(31)), "limit-depth", twin="wire::size::depth-of-lists-at-limit"),
    yes("size::items-at-limit", "A DID document with a list so long that the evidence has 4,096 "
        "members and items.", _documents({"a": [0] * (MEMBERS - 1)})),
    no("size::items-over-limit", "The same with one item more.",
       _documents({"a": [0] * MEMBERS}), "limit-members", twin="wire::size::items-at-limit"),
    yes("size::header-at-limit", "A token's header of 4,096 bytes.",
        retoken("invocation", head=padded(4096))),
    no("size::header-over-limit", "A token's header of 4,097 bytes.",
       retoken("invocation", head=padded(4097)), "limit-size",
       twin="wire::size::header-at-limit"),
    yes("size::token-at-limit", "An invocation of 8,191 characters; base64url knows no 8,192 here.",
        retoken("invocation", body=padded(TOKEN))),
    no("size::token-over-limit", "An invocation of 8,193 characters, one too many.",
       retoken("invocation", body=padded(TOKEN + 1)), "limit-size",
       twin="wire::size::token-at-limit"),
    yes("size::members-at-limit", "A DID document with so many members that the evidence has "
        "4,096.", _documents({f"m{n}": n for n in range(MEMBERS)})),
    no("size::members-over-limit", "The same with one member more.",
       _documents({f"m{n}": n for n in range(MEMBERS + 1)}), "limit-members",
       twin="wire::size::members-at-limit"),
]  # fmt: skip

CASES: list[Case] = [*SPACE, *STRUCTURE, *ENCODINGS, *TOKENS, *SIZES]
