"""H7: the API as its own document describes it, asked by schemathesis with whatever it allows.

No answer is a 5xx, none has a status or a type that the document does not know, and what is
answered is what the document says.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok

from faults.reading import rounds
from faults.serving import copied, name_of
from resolver.door import House, running

NOT_KNOWN = 501
"""What DID Resolution answers about methods that a resolver does not know."""
load_all_checks()
CHECKED = [
    check
    for check in CHECKS.get_all()
    if check.__name__ in (
        "status_code_conformance", "content_type_conformance", "response_headers_conformance",
        "response_schema_conformance",
    )
]  # fmt: skip


@pytest.fixture(scope="module")
def house(home: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house that asks nobody for a token, with a name and a status list in it."""
    own = copied(home, tmp_path_factory.mktemp("described") / "house")
    with running(own, development=True) as open_house:
        assert open_house.post(open_house.event(name_of(1))).status == 201
        yield open_house


def document(house: House) -> dict[str, Any]:
    """What the server says it does."""
    reply = house.call("GET", "/openapi.json")
    assert reply.status == 200
    told: dict[str, Any] = reply.json
    return told


def asked(house: House, examples: int) -> int:
    """Ask every operation so many things; how many were asked."""
    schema = schemathesis.openapi.from_dict(document(house))
    count, seen = 0, set[int]()
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()

        @settings(
            max_examples=examples, derandomize=True, deadline=None, database=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.explicit, Phase.generate),
        )  # fmt: skip
        def ask(case: Any) -> None:
            nonlocal count
            count += 1
            response = case.call(base_url=house.url)
            seen.add(response.status_code)
            told = (case.method, case.formatted_path, response.status_code, response.text[:300])
            assert response.status_code < 500 or response.status_code == NOT_KNOWN, told
            case.validate_response(response, checks=CHECKED)

        given(case=operation.as_strategy())(ask)()
    assert {200, 400, 404} <= seen
    return count


def test_h7_no_operation_answers_what_its_description_does_not_say(house: House) -> None:
    began = time.monotonic()
    count = asked(house, 6)
    print(f"{count} requests in {time.monotonic() - began:.1f} s")
    assert count > 100


@pytest.mark.faults
def test_h7_many_requests_to_every_operation(house: House) -> None:
    print(asked(house, 2 * rounds()))


def test_h7_every_route_is_described(house: House) -> None:
    told = document(house)["paths"]
    for method, path in house.routes:
        if method == "HEAD" or path == "/openapi.json":
            continue
        operation = told[path.replace(":path}", "}")][method.lower()]
        assert {"429", "503"} <= operation["responses"].keys(), path
        done = {code for code in operation["responses"] if code < "300"}
        assert len(done) == 1, (path, done)
        if method == "POST":
            assert "requestBody" in operation, path
