"""``credentialSchema``: a schema that was given is held to, and cannot cost more than allowed."""

from __future__ import annotations

from typing import Any

import pytest

from delegant.credentials.codec import canonical
from delegant.w3c.schema import check_against
from refusal import refusal
from w3cworld import EXAMPLES, V2, codes, credential, issued, verified, warned

AT = "https://example.org/schema.json"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
NAMED = {
    "$schema": DRAFT,
    "type": "object",
    "properties": {
        "credentialSubject": {"required": ["name"], "properties": {"name": {"type": "string"}}}
    },
}


def with_schema(subject: dict[str, Any] | None = None, **more: Any) -> Any:
    """A credential with the schema at `AT`."""
    return issued(
        credential(
            context=[V2, EXAMPLES],
            credentialSubject={"id": "did:example:subject", **(subject or {"name": "Ana"})},
            credentialSchema={"id": AT, "type": "JsonSchema"} | more,
        )
    )


def found(schema: Any, subject: dict[str, Any] | None = None) -> list[str]:
    return codes(verified(with_schema(subject), schemas={AT: schema}))


def test_a_credential_fits_its_schema() -> None:
    assert found(NAMED) == []
    assert found(canonical(NAMED)) == []
    assert found(NAMED, {"name": 5}) == ["schema-mismatch"]
    assert found(NAMED, {"alias": "Ana"}) == ["schema-mismatch"]
    report = verified(with_schema({"name": 5}), schemas={AT: NAMED}, strict=False)
    assert (codes(report), warned(report)) == ([], ["schema-mismatch"])
    (told,) = report.warnings
    assert told.dimension == "$.credentialSubject.name"


def test_each_of_several_schemas_is_held_to() -> None:
    made = issued(
        credential(credentialSchema=[{"id": f"{AT}?{n}", "type": "JsonSchema"} for n in range(2)])
    )
    no: dict[str, Any] = {"not": {}}
    assert codes(verified(made, schemas={f"{AT}?0": {}, f"{AT}?1": {}})) == []
    assert codes(verified(made, schemas={f"{AT}?0": {}, f"{AT}?1": no})) == ["schema-mismatch"]
    assert codes(verified(made, schemas={f"{AT}?0": {}})) == ["schema-missing"]


def test_a_schema_that_is_not_there_or_not_known_is_undecided() -> None:
    assert codes(verified(with_schema())) == ["schema-missing"]
    assert codes(verified(with_schema(), schemas=lambda _: None)) == ["schema-missing"]
    assert codes(verified(with_schema(type="UnknownSchema"), schemas={AT: {}})) == [
        "schema-missing"
    ]
    assert codes(verified(with_schema(), schemas=lambda url: {} if url == AT else None)) == []


def test_a_schema_may_be_in_a_credential_which_is_verified_first() -> None:
    made = with_schema(type="JsonSchemaCredential")
    bad = with_schema({"name": 5}, type="JsonSchemaCredential")
    subject: dict[str, Any] = {"id": f"{AT}#s", "type": "JsonSchema", "jsonSchema": NAMED}
    document = credential(
        id=AT, type=["VerifiableCredential", "JsonSchemaCredential"], credentialSubject=subject
    )
    holder = issued(document)
    assert codes(verified(made, schemas={AT: holder})) == []
    assert codes(verified(made, schemas={AT: issued(document, form="jwt")})) == []
    assert codes(verified(bad, schemas={AT: holder})) == ["schema-mismatch"]
    assert codes(verified(made, schemas={AT: document})) == ["proof"]
    assert codes(verified(made, schemas={AT: NAMED})) == ["data-model"]
    changed = {**holder, "credentialSubject": {**subject, "jsonSchema": {}}}
    assert codes(verified(bad, schemas={AT: changed})) == ["proof"]
    for other in ({**document, "id": f"{AT}x"}, {**document, "type": ["VerifiableCredential"]},
                  {**document, "credentialSubject": {"id": AT}}):  # fmt: skip
        assert codes(verified(made, schemas={AT: issued(other)})) == ["schema-missing"]


@pytest.mark.parametrize(
    ("schema", "code"),
    [
        ({"type": 5}, "schema-missing"),
        ({"type": "nothing"}, "schema-missing"),
        ([], "schema-missing"),
        ("text", "schema-missing"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "schema-missing"),
        ({"$schema": 5}, "schema-missing"),
        ({"$ref": "https://example.org/other.json"}, "schema-missing"),
        ({"$ref": "#/$defs/nothing"}, "schema-missing"),
        ({"$dynamicRef": "https://example.org/other.json#x"}, "schema-missing"),
        ({"description": "x" * 262_144}, "schema-missing"),
        (b"{", "json"),
        (b'{"type":"object","type":"array"}', "duplicate-member"),
        ({"$ref": "#"}, "limit"),
        ({"$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}] * 9}, "b": {"allOf": [{"$ref": "#/$defs/c"}] * 99}, "c": {"allOf": [{"$ref": "#/$defs/d"}] * 99}, "d": {}}, "$ref": "#/$defs/a"}, "limit-comparisons"),  # noqa: E501
        ({"type": ["object"], "pattern": "(a+)+$"}, "limit-comparisons"),
        ({"properties": {"x": {"pattern": "(a|a)*$"}}}, "limit-comparisons"),
        ({"properties": {"x": {"pattern": "(x(a*)y)*"}}}, "limit-comparisons"),
        ({"patternProperties": {"([a-z]+){2,}": {}}}, "limit-comparisons"),
        ({"properties": {"x": {"pattern": "a*b*c*d*"}}}, "limit-comparisons"),
        ({"properties": {"x": {"pattern": r"(a)\1"}}}, "limit-comparisons"),
        ({"properties": {"x": {"pattern": "a" * 257}}}, "limit-comparisons"),
        ({"properties": {"x": {"pattern": "[a](a+)+[b]"}}}, "limit-comparisons"),
        ({"properties": {"x": {"pattern": "[]](a+)+]"}}}, "limit-comparisons"),
        ({"properties": {"x": {"pattern": r"[^]\]](a+)+]"}}}, "limit-comparisons"),
        ({"properties": {"x": {"pattern": "(?x)#[\n(a+)+"}}}, "limit-comparisons"),
        ({"properties": {"x": {"pattern": "(?P<a>x)(?P=a)"}}}, "limit-comparisons"),
        ({"properties": {"x": {"pattern": "(a{2,9}){2,9}"}}}, "limit-comparisons"),
        ({"properties": {"x": {"pattern": "a?" * 26 + "a" * 26}}}, "limit-comparisons"),
        ({"properties": {"x": {"pattern": "(a|a)" * 26 + "b"}}}, "limit-comparisons"),
        ({"properties": {"x": {"pattern": "(?:(?:a|a)(?:a|a))" * 6}}}, "limit-comparisons"),
        ({"properties": {"x": {"pattern": "("}}}, "schema-missing"),
        ({"properties": {"name": {"pattern": "["}}}, "schema-missing"),
    ],
)  # fmt: skip
def test_a_schema_that_cannot_be_used_is_no_yes(schema: Any, code: str) -> None:
    (told,) = found(schema)
    assert told.startswith(code)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/any", "$defs": {"any": True}},
        {"$id": AT, "$ref": f"{AT}#/$defs/any", "$defs": {"any": {"type": "object"}}},
        {"properties": {"credentialSubject": {"properties": {"name": {"pattern": "^[A-Z][a-z]+$"}}}}},  # noqa: E501
        {"properties": {"x": {"pattern": r"^[^@+*(|]+@([a-z]{1,9}\.)?[a-z]+$"}}},
        {"properties": {"x": {"pattern": r"\(a\)+\*[)]+"}}},
        {"properties": {"x": {"pattern": "(?:(a+)?b)?[](+*]"}}},
        {"properties": {"x": {"pattern": "^(19|20)[0-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"}}},  # noqa: E501
        {"properties": {"x": {"pattern": "^(" + "|".join("abcdefgh") + ")$"}}},
        {"allOf": [{"type": "object"}] * 99},
        {"additionalProperties": True, "unevaluatedProperties": {}},
    ],
)  # fmt: skip
def test_an_ordinary_schema_is_used(schema: Any) -> None:
    assert found(schema) == []


def test_a_pattern_is_tried_on_short_texts_only() -> None:
    schema = {"properties": {"credentialSubject": {"properties": {"name": {"pattern": "^a*$"}}}}}
    assert found(schema, {"name": "a" * 512}) == []
    assert found(schema, {"name": "a" * 513}) == ["limit-comparisons"]


def test_a_schema_is_not_looked_at_when_issuing() -> None:
    assert refusal(lambda: with_schema({"name": 5})) == ""


@pytest.mark.parametrize("pattern", ["^a*a*a*b$", "a*a*a*b"])
def test_a_pattern_is_tried_on_short_names_of_members_only(pattern: str) -> None:
    rules: list[Any] = [{pattern: {}}, {pattern: False}]
    for rule in rules:
        schema: Any = {"patternProperties": rule}
        assert refusal(lambda s=schema: check_against({"a" * 513: 1}, s, AT)) == "limit-comparisons"
        assert refusal(lambda s=schema: check_against({"a" * 30: 1}, s, AT)) == ""
    several: Any = {"patternProperties": {pattern: {}}, "additionalProperties": True}
    assert refusal(lambda: check_against({"a" * 513: 1}, several, AT)) == "limit-comparisons"
    left: Any = {"unevaluatedProperties": True, "allOf": [{"patternProperties": {pattern: {}}}]}
    assert refusal(lambda: check_against({"a" * 513: 1}, left, AT)) == "limit-comparisons"


def test_all_patterns_together_take_no_more_than_one_may() -> None:
    texts = {"items": {"pattern": "^[a-z]*[a-z]*[0-9]"}}
    assert refusal(lambda: check_against(["a" * 400] * 2, texts, AT)) == "schema-mismatch"  # type: ignore[arg-type]
    assert refusal(lambda: check_against(["1" * 400] * 2000, texts, AT)) == "limit-comparisons"  # type: ignore[arg-type]
    assert refusal(lambda: check_against(["1"] * 2000, texts, AT)) == ""  # type: ignore[arg-type]
