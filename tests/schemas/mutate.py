"""Every single change of a document, named, by walking over all of its places."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]
Mutant = tuple[str, dict[str, Any]]

ATOMS: tuple[Any, ...] = (
    None, "", "x", [], {}, [[]], [{}], -1, 0, 1, 1.0, True, False, 2**53 - 1, 2**53, "1", "none",
    "x" * 2049,
)  # fmt: skip
WORDS = (
    "grant",
    "mandate",
    "fork",
    "child",
    "persistent",
    "schedule",
    "archived",
    "public",
    "2001",
)

STRINGS: dict[str, tuple[str, ...]] = {
    "time": (
        "2026-09-21T14:13:20Z", "2024-02-29T00:00:00Z", "2026-02-29T00:00:00Z",
        "2024-02-30T00:00:00Z", "1900-02-29T00:00:00Z",
        "2000-02-29T23:59:59Z", "2026-04-31T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-12-31T23:59:60Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2026-01-01T00:00:00+00:00", "2026-01-01t00:00:00z", "2026-01-01T00:00:00.0Z",
        "٢٠٢٦-01-01T00:00:00Z",
    ),
    "did": (
        "did:web:x", "did:web:x%3A1", "did:web:x%3a1", "did:web:", "did:web::x", "did:Web:x",
        "did:web:x#k",
        "did:web:x/p", "did:key:z6Mk", "did:jwk:e30", "did:web:é", "did:web:" + "x" * 248,
        "did:web:" + "x" * 249,
    ),
    "action": (
        "db", "db.*", "*", "db.**", ".db", "db.", "db..x", "DB.read", "a" * 128, "a" * 128 + ".*",
        "a" * 129 + ".*", "db.*.x",
    ),
    "resource": (
        "urn:a:**", "urn:a", "urn:a:b:**:c", "urn:a:.:b", "urn:a:..", "urn:-a:b", "urn:a:b%20c",
        "urn:" + "a" * 32 + ":x", "urn:" + "a" * 33 + ":x", "urn:a:" + "b" * 2042,
        "urn:a:" + "b" * 2043,
        "https://h/", "https://h", "https://h/**", "https://h/a/**", "https://h/a**",
        "https://h/**/a",
        "https://h/*", "https://h//a", "https://h/a/", "https://h/./a", "https://h/a/..",
        "https://h/...",
        "https://h/..a", "https://h:443/", "https://h:80/", "http://h:80/", "ftp://h:21/",
        "wss://h:443/",
        "ws://h:80/", "https://h:65535/", "https://h:65536/", "https://h:0/", "https://h:080/",
        "https://H/", "HTTPS://h/", "https://u@h/", "https://h/?q", "https://h/#f", "https://h/a;b",
        "https://h/a\\b", "https://h/%20", "https://h/%2F", "https://h/%2e", "https://h/%41",
        "https://h/%25", "https://h/%C3%A9", "https://h/%c3%a9", "https://h/%C3", "https://h/%A9",
        "https://h/%C1%81", "https://h/%E0%80%80", "https://h/%E0%A0%80", "https://h/%ED%A0%80", "https://h/%ED%A0%80/x",
        "https://h/%ED%9F%BF", "https://h/%F0%80%80%80", "https://h/%F0%90%80%80",
        "https://h/%F4%8F%BF%BF", "https://h/%F4%90%80%80", "https://h/%E2%82%AC/%20/x",
        "https://h/%EF%BC%8E%EF%BC%8E", "https://h/e%CC%81", "https://h/%E2%80%8B",
        "https://h/%E2/%82%AC",
        "https://h/%00", "https://h/é", "https://a-.b/", "https://-a/",
        "https://a--b.c/", "https://a..b/", "a+b.c-d://h/", "1a://h/", "urn://h/", "did://h/",
        "https://h./", "https://h/a:b@c", "https://h/(a)'b'!$&+,=~_-.x", "https://h:/",
    ),
    "url": (
        "http://h/a.b_c~d", "http://h:99999/", "http://h:999999/", "http://a..b/x",
    ),
    "digest": (
        "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "urn:uuid:6BA7B810-9DAD-11D1-80B4-00C04FD430C8",
        "uEi" + "A" * 44, "uEi" + "A" * 43 + "B", "uEi" + "E" + "A" * 43, "uFi" + "A" * 44,
        "uGi" + "A" * 44, "uEi" + "A" * 45, "uEi" + "A" * 42 + "+A", "zEi" + "A" * 44,
    ),
    "number": (
        "-0", "+1", "1.0", "1e3", "9" * 39, "9" * 40, "١", "-7",
        "134217726", "134217727", "134217728", "134217729", "134217730", "99999998", "99999999",
        "100000000",
        "2000", "2001", "2002", "2003", "0134",
    ),
    "clock": (
        "00:00", "08:00", "12:00", "13:30", "24:00", "24:01", "23:60", "8:00",
    ),
    "network": (
        "10.0.0.0/8", "10.0.0.1/8", "10.1.0.0/16", "10.0.0.0", "10.0.0.0/33", "0.0.0.0/0",
        "010.0.0.0/8",
        "256.0.0.0/8", "::/0", "::1/128", "::1/129", "2001:db8::/32", "2001:DB8::/32",
        "2001:db8:0::/48",
        "2001:db8::1/32", "::ffff:102:304/128", "fe80::%eth0/64", "::ffff:1.2.3.4/128", "1:2:3/64",
        "10.0.0.0/255.0.0.0",
    ),
    "word": (
        "https://delegant.example/data-class/v2", "authentication", "z" + "1" * 64, "z" + "2" * 87,
        "z" + "z" * 88, "z" + "1" * 88, "DataIntegrityProof",
    ),
}  # fmt: skip


LIKE = {
    "time": r"[0-9]{4}-.*Z",
    "did": r"did:.*",
    "action": r"[a-z]+[.][a-z*]+",
    "resource": r"(urn:acme:|did:|https://papers).*",
    "url": r"https://.*",
    "digest": r"u(Ei|rn:uuid:).*",
    "number": r"-?[0-9]+",
    "clock": r"[0-9:]{5}",
    "network": r".*/[0-9]+",
}
"""What a string looks like for which the strings of that name are meant."""

TAILS = (
    "\n",
    "x",
    "\u200b",
    "\r",
    " ",
    "é",
    "\u0301",
    "\u00a0",
    "\u0378",
    "\U000e0041",
    "\x00",
    "/",
)
STRIDE = 41
NAMES = ("x", "", "__proto__", "proof", "constraints", "key", "parent", "status")


def mutants(
    document: dict[str, Any], met: set[str] | None = None, *, below: Path = ()
) -> Iterator[Mutant]:
    """Every single change at or below a place; the document itself is never touched.

    All the strings of its kind are tried at the first place of each look (``db.read`` looks like
    ``doc.write``), and a part of them at every other. ``met`` keeps the looks from one
    walk to the next.
    """
    dids = sorted({v for _, v in places(document) if isinstance(v, str) and v.startswith("did:")})
    met = set() if met is None else met
    for turn, (path, value) in enumerate(places(document)):
        if path[: len(below)] != below:
            continue
        strings: tuple[str, ...] = ()
        if isinstance(value, str):
            look = re.sub("[a-z]+", "a", re.sub("[0-9]+", "0", value.lower()))
            strings = _strings(value, turn, first=look not in met)
            if value in WORDS:
                strings += WORDS
            strings += tuple(dids) if value.startswith("did:") else ()
            met.add(look)
        at = ".".join(map(str, path)) or "$"
        if path:
            yield f"{at} removed", _edit(document, path, _remove)
            for atom in ATOMS:
                yield f"{at} = {str(atom)[:20]!r}", _set(document, path, atom)
            yield f"{at} in a list", _set(document, path, [value])
            if isinstance(path[-1], str):
                for new in (path[-1].upper(), path[-1] + "\n", path[-1] + "s"):
                    if new != path[-1]:
                        yield f"{at} called {new!r}", _rename(document, path, new)
        for label, other in _own(value, strings):
            yield f"{at} {label}", _set(document, path, other)


def _strings(value: str, turn: int, *, first: bool) -> tuple[str, ...]:
    """What to put in the place of a string."""
    own: list[str] = []
    other: list[str] = []
    for name, strings in STRINGS.items():
        (own if re.fullmatch(LIKE.get(name, "$"), value) else other).extend(strings)
    if first:
        return (*own, *other[turn % 7 :: 7], *(value + tail for tail in TAILS))
    return tuple([*own, *other][turn % STRIDE :: STRIDE])


def places(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every place in a document with what stands there, the whole first."""
    yield path, value
    steps: Any = ()
    if isinstance(value, dict):
        steps = value.items()
    elif isinstance(value, list):
        steps = enumerate(value)
    for step, below in steps:
        yield from places(below, (*path, step))


def _own(value: Any, strings: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Changes that suit the type of what stands there."""
    if isinstance(value, dict):
        for name in NAMES:
            if name not in value:
                yield f"with {name!r}", {**value, name: "x"}
        many = {f"n{i}": copy.deepcopy(v) for i, v in enumerate([*value.values()][:1] * 65)}
        yield "with 65 members", many
        yield "with 64 members", dict([*many.items()][:64])
    elif isinstance(value, list) and value:
        yield "twice the first", [*value, copy.deepcopy(value[0])]
        yield "backwards", value[::-1]
        if isinstance(value[0], str):
            for many_ in (16, 17, 32, 33, 64, 65):
                yield f"with {many_} items", [f"{value[0].rstrip('*')}{i}" for i in range(many_)]
        for many_ in (32, 33, 64, 65):
            yield f"with the first {many_} times", [copy.deepcopy(value[0]) for _ in range(many_)]
    elif isinstance(value, str):
        yield from ((f"= {other[:40]!r}", other) for other in strings)
        yield from ((f"+ {tail!r}", value + tail) for tail in TAILS[:2])
        yield "after a space", f" {value}"
        yield "in upper case", value.upper()
        yield "with cases swapped", value.swapcase()
        yield "cut short", value[:-1]
        for size in (32, 33, 128, 129, 256, 257, 512, 513, 1024, 1025):
            yield f"of {size} characters", "x" * size
    elif isinstance(value, int):
        for other in (value + 1, value - 1, float(value), str(value), value + 0.5, -value, 31, 32):
            yield f"= {other!r}", other
        for other in (64, 65, 2**27, 2**27 + 2, 366 * 86400, 366 * 86400 + 1):
            yield f"= {other!r}", other


def _set(document: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    if not path:
        return dict(value)

    def put(holder: Any, step: str | int) -> None:
        holder[step] = value

    return _edit(document, path, put)


def _rename(document: dict[str, Any], path: Path, name: str) -> dict[str, Any]:
    def call(holder: Any, step: str | int) -> None:
        holder[name] = holder.pop(step)

    return _edit(document, path, call)


def _remove(holder: Any, step: str | int) -> None:
    del holder[step]


def _edit(document: dict[str, Any], path: Path, change: Any) -> dict[str, Any]:
    """The document changed at one place; only what lies above that place is copied."""
    out = dict(document)
    holder: Any = out
    for step in path[:-1]:
        below = holder[step]
        holder[step] = dict(below) if isinstance(below, dict) else list(below)
        holder = holder[step]
    change(holder, path[-1])
    return out
