"""Version ranges: held to npm's own implementation, and to the laws of intervals."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delegant.ans.versions import VersionRange
from refusal import refusal

RANGES = [
    ">=2.1.0 <3.0.0", "^2", "^0.2.3", "^0.0.3", "^0.0", "^0", "^1.2.3", "~2.1", "~1", "~1.2.3",
    "*", "x", "1.x", "1.2.*", "1.2", "1", "=1.2", "1.2.3", "=1.2.3", ">1.2", ">1", ">=1.2", "<1.2",
    "<=1.2", "<=1", "<2", ">1.2.3", "<=1.2.3", ">*", "<*", ">=*", "<=*", "^*", "~*", ">2 <1",
    ">= 1.2.0 < 2", "v1.2", "~0.0.1", "^0.1.x", ">=1 >=2 <4",
]  # fmt: skip
VERSIONS = [
    (0,), (0, 0, 1), (0, 0, 3), (0, 0, 4), (0, 1), (0, 2, 2), (0, 2, 3), (0, 2, 9), (0, 3), (1,),
    (1, 1, 9), (1, 2), (1, 2, 3), (1, 2, 4), (1, 3), (1, 999_999_999), (2,), (2, 1), (2, 1, 3),
    (2, 9, 9), (3,), (4,), (999_999_999, 999_999_999, 999_999_999),
]  # fmt: skip
BY_HAND = [
    (">=2.1.0 <3.0.0", "2.1 2.1.3 2.9.9", "2.0.9 3"),
    (">=2.1.0,<3.0.0", "2.1", "3"),
    (">=2.1.0, <3.0.0", "2.1", "3"),
    ("^2", "2 2.9.9", "1.9 3"),
    ("^0.2.3", "0.2.3 0.2.9", "0.2.2 0.3"),
    ("^0.0.3", "0.0.3", "0.0.2 0.0.4"),
    ("~2.1", "2.1 2.1.9", "2.0 2.2"),
    ("~2", "2 2.9", "3"),
    ("*", "0 999999999.999999999.999999999", ""),
    ("1.2", "1.2 1.2.9", "1.1.9 1.3"),
    ("=1.2.3", "1.2.3", "1.2.2 1.2.4"),
    (">1.2", "1.3 2", "1.2 1.2.9"),
    ("<=1.2", "1.2.9 0", "1.3"),
    ("<1.2", "1.1.9", "1.2"),
    (">=1", "1", "0.9"),
]


def numbers(text: str) -> list[tuple[int, ...]]:
    return [tuple(map(int, one.split("."))) for one in text.split()]


@pytest.mark.parametrize(("text", "inside", "outside"), BY_HAND)
def test_a_range_holds_what_npm_says(text: str, inside: str, outside: str) -> None:
    found = VersionRange.parse(text)
    assert all(map(found.matches, numbers(inside)))
    assert not any(map(found.matches, numbers(outside)))


def test_npm_itself_agrees() -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node with npm is not installed")
    there = Path(npm).resolve().parent.parent / "node_modules" / "semver"  # npm brings its own
    if not there.is_dir():
        pytest.skip("npm is not where it is expected")
    script = (
        f"const s=require({json.dumps(str(there))});"
        "const [r,v]=JSON.parse(process.argv[1]);"
        "console.log(JSON.stringify(r.map(a=>v.map(b=>s.satisfies(b,a)))))"
    )
    texts = [".".join(map(str, (*one, 0, 0)[:3])) for one in VERSIONS]
    told = json.loads(
        subprocess.run(
            [node, "-e", script, json.dumps([RANGES, texts])],
            capture_output=True, check=True, timeout=30,
        ).stdout
    )  # fmt: skip
    ours = [[VersionRange.parse(one).matches(version) for version in VERSIONS] for one in RANGES]
    assert ours == told


@pytest.mark.parametrize(
    "text",
    [
        "", " ", ",", "1,", ",1", "1,,2", "^1 || ^2", "1.2 - 2.3", ">", ">=", "1 >", ">>1", "=>1",
        "~>1", "!1", "1.2.3.4", "1.", ".1", "1..2", "01", "1.02", "1.2.3-rc", "1.2.3+b", "vv1", "V1",  # noqa: E501
        "1.x.3", "*.1", "latest", "-1", "+1", "1_0", "1000000000", "１", "١", "1\n", "1\t2", "1\u00a02",  # noqa: E501
        "1" + " " * 128, " ".join(["1"] * 17), None, 1, b"1", ["1"],
    ],
)  # fmt: skip
def test_what_is_no_range_is_refused(text: object) -> None:
    assert refusal(lambda: VersionRange.parse(text)) == "ans-query"  # type: ignore[arg-type]


def test_the_longest_and_fullest_range_is_read() -> None:
    assert VersionRange.parse("1" + " " * 127) == VersionRange.parse("1.x")
    assert VersionRange.parse(" ".join(["1"] * 16)) == VersionRange.parse("1.x")


VERSION = st.lists(st.integers(0, 4) | st.just(999_999_999), min_size=1, max_size=3)
COMPARATOR = st.builds(
    lambda op, version: op + ".".join(map(str, version)),
    st.sampled_from(["", "=", ">", ">=", "<", "<=", "^", "~"]),
    VERSION,
)
RANGE = st.lists(COMPARATOR, min_size=1, max_size=3)


@given(RANGE, VERSION)
def test_a_range_is_the_meeting_of_its_comparators(parts: list[str], version: list[int]) -> None:
    whole = VersionRange.parse(" ".join(parts))
    assert whole.matches(version) == all(VersionRange.parse(p).matches(version) for p in parts)
    assert VersionRange.parse(",".join(parts)) == whole


@given(RANGE)
def test_a_range_has_one_spelling_that_reads_back(parts: list[str]) -> None:
    found = VersionRange.parse(" ".join(parts))
    assert VersionRange.parse(str(found)) == found


@given(RANGE, COMPARATOR, VERSION)
def test_what_a_narrower_range_holds_a_wider_one_holds(
    wide: list[str], more: str, version: list[int]
) -> None:
    if VersionRange.parse(" ".join([*wide, more])).matches(version):
        assert VersionRange.parse(" ".join(wide)).matches(version)
