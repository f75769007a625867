"""Each resource and action has one spelling; every other is refused, beside an accepted twin.

Nothing is normalised: what a server, a proxy or a file system might read as another resource
never gets so far as to be compared.
"""

from __future__ import annotations

import pytest

from delegant.credentials import Error
from delegant.credentials.resource import action, action_pattern, resource, resource_pattern

A = "https://a.example"

RESOURCES: list[tuple[str, str]] = [
    # scheme and host
    ("HTTPS://a.example/x", f"{A}/x"),
    ("https://A.example/x", f"{A}/x"),
    ("https://a.example./x", f"{A}/x"),
    ("https://.a.example/x", f"{A}/x"),
    ("https://a..example/x", f"{A}/x"),
    ("https://-a.example/x", f"{A}/x"),
    ("https://a-.example/x", "https://a-b.example/x"),
    ("https://a_b.example/x", "https://a-b.example/x"),
    ("https://ä.example/x", "https://xn--4ca.example/x"),
    ("https://аpple.example/x", "https://apple.example/x"),
    ("https://a%2eexample/x", f"{A}/x"),
    ("https:///x", f"{A}/x"),
    ("https:/a.example/x", f"{A}/x"),
    ("https:a.example/x", f"{A}/x"),
    ("//a.example/x", f"{A}/x"),
    ("/x", f"{A}/x"),
    ("a.example/x", f"{A}/x"),
    ("https//a.example/x", f"{A}/x"),
    ("1https://a.example/x", "h1ttps://a.example/x"),
    ("https://[::1]/x", "https://localhost/x"),
    # user information
    ("https://user@a.example/x", f"{A}/x"),
    ("https://user:pw@a.example/x", f"{A}/x"),
    ("https://b.example\\@a.example/x", f"{A}/x"),
    # port
    ("https://a.example:443/x", f"{A}/x"),
    ("http://a.example:80/x", "http://a.example/x"),
    ("wss://a.example:443/x", "wss://a.example/x"),
    ("https://a.example:/x", f"{A}/x"),
    ("https://a.example:0/x", f"{A}:1/x"),
    ("https://a.example:08443/x", f"{A}:8443/x"),
    ("https://a.example:65536/x", f"{A}:65535/x"),
    ("https://a.example:+80/x", f"{A}:80/x"),
    # path
    ("https://a.example", f"{A}/"),
    (f"{A}//x", f"{A}/x"),
    (f"{A}/x//y", f"{A}/x/y"),
    (f"{A}/x//", f"{A}/x/"),
    (f"{A}/./x", f"{A}/x"),
    (f"{A}/x/.", f"{A}/x/.y"),
    (f"{A}/../x", f"{A}/x"),
    (f"{A}/x/..", f"{A}/x/...y"),
    (f"{A}/x/../y", f"{A}/y"),
    (f"{A}/x\\y", f"{A}/x/y"),
    (f"{A}/x;v=1", f"{A}/x,v=1"),
    (f"{A}/x y", f"{A}/x%20y"),
    (f"{A}/x\ty", f"{A}/x%20y"),
    (f"{A}/x\n", f"{A}/x"),
    (f"{A}/x\r\n", f"{A}/x"),
    (f"{A}/x\0", f"{A}/x"),
    (f" {A}/x", f"{A}/x"),
    (f"{A}/é", f"{A}/%C3%A9"),
    (f"{A}/x\u200b", f"{A}/x"),
    (f"{A}/x／y", f"{A}/x/y"),
    # query and fragment
    (f"{A}/x?q=1", f"{A}/x"),
    (f"{A}/x?", f"{A}/x"),
    (f"{A}/x#f", f"{A}/x"),
    (f"{A}/x#", f"{A}/x"),
    # percent
    (f"{A}/%", f"{A}/p"),
    (f"{A}/%4", f"{A}/4"),
    (f"{A}/%zz", f"{A}/zz"),
    (f"{A}/%c3%a9", f"{A}/%C3%A9"),
    (f"{A}/%61", f"{A}/a"),
    (f"{A}/%7E", f"{A}/~"),
    (f"{A}/%2E%2E/x", f"{A}/x"),
    (f"{A}/%2e%2e/x", f"{A}/x"),
    (f"{A}/%2E/x", f"{A}/x"),
    (f"{A}/.%2E/x", f"{A}/x"),
    (f"{A}/x%2Fy", f"{A}/x/y"),
    (f"{A}/x%5Cy", f"{A}/x/y"),
    (f"{A}/x%252Fy", f"{A}/x/y"),
    (f"{A}/x%25", f"{A}/x"),
    (f"{A}/x%3Fq", f"{A}/x"),
    (f"{A}/x%23f", f"{A}/x"),
    (f"{A}/x%3Bv", f"{A}/x,v"),
    (f"{A}/x%00", f"{A}/x"),
    (f"{A}/x%0A", f"{A}/x"),
    (f"{A}/x%7F", f"{A}/x"),
    (f"{A}/x%2A", f"{A}/x"),
    (f"{A}/%C0%AF", f"{A}/%C3%AF"),
    (f"{A}/%E0%80%AF", f"{A}/%E2%82%AC"),
    (f"{A}/%ED%A0%80", f"{A}/%ED%9E%A3"),
    (f"{A}/%F4%90%80%80", f"{A}/%F0%90%8C%80"),
    (f"{A}/%F4%8F%BF%BF", f"{A}/%F0%A0%80%80"),
    (f"{A}/%E0%A0%80", f"{A}/%E7%A0%94"),
    (f"{A}/%C3", f"{A}/%C3%A9"),
    (f"{A}/%A9", f"{A}/%C2%A9"),
    # percent, and what a server folds into something else: ．． ／ ＊, a loose accent, Kelvin,
    # nothing
    (f"{A}/%EF%BC%8E%EF%BC%8E/x", f"{A}/%C2%B7%C2%B7/x"),
    (f"{A}/x%EF%BC%8Fy", f"{A}/x/y"),
    (f"{A}/%EF%BC%8A", f"{A}/**"),
    (f"{A}/e%CC%81", f"{A}/%C3%A9"),
    (f"{A}/%E2%84%AA", f"{A}/K"),
    (f"{A}/%C2%A0", f"{A}/%20"),
    (f"{A}/x%E2%80%8B", f"{A}/x"),
    (f"{A}/x%C2%AD", f"{A}/x"),
    (f"{A}/%E2%80%AEx", f"{A}/x"),
    (f"{A}/%EF%BB%BFx", f"{A}/x"),
    (f"{A}/x%C2%85", f"{A}/x%C2%A9"),
    # wildcards
    (f"{A}/*", f"{A}/**"),
    (f"{A}/x*", f"{A}/x/**"),
    (f"{A}/x**", f"{A}/x/**"),
    (f"{A}/**/x", f"{A}/x/**"),
    (f"{A}/x/***", f"{A}/x/**"),
    (f"{A}/x/**/", f"{A}/x/**"),
    (f"{A}/x/**/**", f"{A}/x/**"),
    (f"{A}**", f"{A}/**"),
    ("https://*.example/x", f"{A}/x"),
    ("https://**", f"{A}/**"),
    ("**", "urn:acme:**"),
    ("*", "urn:acme:**"),
    ("", "urn:acme:x"),
    # urn
    ("URN:acme:x", "urn:acme:x"),
    ("urn:ACME:x", "urn:acme:x"),
    ("urn:acme", "urn:acme:x"),
    ("urn:acme:", "urn:acme:x"),
    ("urn:acme::x", "urn:acme:x"),
    ("urn:acme:x:", "urn:acme:x"),
    ("urn:-acme:x", "urn:acme:x"),
    ("urn:acme-:x", "urn:ac-me:x"),
    ("urn:" + "a" * 33 + ":x", "urn:" + "a" * 32 + ":x"),
    ("urn:acme:x/y", "urn:acme:x:y"),
    ("urn:acme:x%20y", "urn:acme:x-y"),
    ("urn:acme:x?+q", "urn:acme:x"),
    ("urn:acme:x#f", "urn:acme:x"),
    ("urn:acme:..:x", "urn:acme:x"),
    ("urn:acme:.", "urn:acme:x.y"),
    ("urn:acme:*", "urn:acme:**"),
    ("urn:acme:x**", "urn:acme:x:**"),
    ("urn:acme:**:x", "urn:acme:x:**"),
    ("urn:**", "urn:acme:**"),
    ("urn:acme:é", "urn:acme:e"),
    ("urn:acme:x\n", "urn:acme:x"),
    # did
    ("did:key", "did:key:z6Mk"),
    ("did:key:z6Mk#k", "did:key:z6Mk"),
    ("did:key:z6Mk/x", "did:key:z6Mk"),
    ("did:key:**", "did:key:z6Mk"),
    ("did:WEB:a", "did:web:a"),
    ("did:web:a%3A8443", "did:web:a"),
    # length
    (f"{A}/" + "x" * 2048, f"{A}/" + "x" * (2048 - len(A) - 1)),
]


def test_there_are_enough_refused_spellings_and_no_two_are_one() -> None:
    assert len({bad for bad, _ in RESOURCES}) == len(RESOURCES) >= 60


@pytest.mark.parametrize(("bad", "twin"), RESOURCES, ids=lambda v: ascii(v)[:60])
def test_other_spelling_of_a_resource_is_refused_and_its_twin_accepted(bad: str, twin: str) -> None:
    assert resource_pattern(twin, "test") == twin
    with pytest.raises(Error) as refused:
        resource_pattern(bad, "test")
    assert refused.value.code == "shape"
    with pytest.raises(Error):
        resource(bad, "test")


@pytest.mark.parametrize("value", [None, 7, True, ["urn:acme:x"], {"urn:acme:x": 1}])
def test_resource_that_is_no_string_is_refused(value: object) -> None:
    for read in (resource, resource_pattern, action, action_pattern):
        with pytest.raises(Error) as refused:
            read(value, "test")
        assert refused.value.code == "shape"


@pytest.mark.parametrize("value", ["urn:acme:**", "urn:acme:x:**", f"{A}/**", f"{A}/x/**"])
def test_request_is_about_one_thing_not_a_pattern(value: str) -> None:
    assert resource_pattern(value, "test") == value
    with pytest.raises(Error) as refused:
        resource(value, "test")
    assert refused.value.code == "shape"
    assert resource(value[:-2] + "y", "test")


ACTIONS: list[tuple[str, str]] = [
    ("", "a"), ("DB.read", "db.read"), ("db.", "db"), (".db", "db"), ("db..read", "db.read"),
    ("db/read", "db.read"), ("db read", "db.read"), ("db.read\n", "db.read"),
    ("db:read", "db.read"),
    ("*", "db.*"), ("db.**", "db.*"), ("db*", "db.*"), ("db.*.x", "db.x"), ("*.read", "db.read"),
    ("db.*.*", "db.*"), (".*", "db.*"), ("dé.read", "de.read"), ("d\u0430.read", "da.read"),
    ("a" * 129, "a" * 128), ("db.read ", "db.read"),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "twin"), ACTIONS, ids=lambda v: ascii(v)[:40])
def test_other_spelling_of_an_action_is_refused_and_its_twin_accepted(bad: str, twin: str) -> None:
    assert action_pattern(twin, "test") == twin
    with pytest.raises(Error) as refused:
        action_pattern(bad, "test")
    assert refused.value.code == "shape"


def test_request_does_one_thing_not_a_pattern() -> None:
    with pytest.raises(Error):
        action("db.*", "test")
    assert action("db.read", "test") == "db.read"
