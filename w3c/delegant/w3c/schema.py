"""``credentialSchema``: JSON Schema 2020-12 over a whole credential, with schemas passed in.

A schema is somebody else's program. It refers to nothing outside itself, it is counted while
it runs, and it may use no pattern that a short text can make run for ever.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import jsonschema
from jsonschema import Draft202012Validator, validators
from referencing import Registry
from referencing.exceptions import NoSuchResource, Unresolvable

from delegant.credentials.codec import Json, JsonObject, canonical, parse
from delegant.credentials.errors import Error, error

from .related import Look, look_up
from .values import ABSENT, many, types_of

__all__ = ["TYPE", "check", "check_against"]

TYPE: Final = "JsonSchema"
DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
MAX_SCHEMA: Final = 256 * 1024
MAX_STEPS: Final = 50_000
"""Keywords looked at in one validation."""
MAX_PATTERN: Final = 256
MAX_MATCHED: Final = 512
"""Longest text a pattern is tried on; member names are bounded by the parser's size alone."""
MAX_REPEATS: Final = 3


def check(credential: JsonObject, schemas: Look) -> None:
    """Hold a credential to each of its schemas of type ``JsonSchema`` (VC JSON Schema 1.0).

    Raises:
        Rejected: ``schema-mismatch``. Undecided: ``schema-missing`` for a schema that is not
        here, is no schema, or is of a type nobody here knows. LimitExceeded: ``limit-*``.
    """
    for one in many(credential.get("credentialSchema", ABSENT), "credentialSchema"):
        if TYPE not in types_of(one):
            raise error("schema-missing", f"a schema of type {types_of(one)[:2]} is not known here")
        found = look_up(schemas, one["id"])
        if found is None:
            raise error("schema-missing", f"{one['id'][:120]} was not given")
        check_against(credential, found, one["id"])


def check_against(credential: JsonObject, schema: Json, name: str) -> None:
    """Hold a credential to one schema, given as an object or as bytes.

    Raises:
        As `check`.
    """
    if type(schema) is bytes:
        schema = parse(schema, size=MAX_SCHEMA)
    if type(schema) is not dict or len(canonical(schema)) > MAX_SCHEMA:
        raise error("schema-missing", f"{name[:120]} is no schema, or a larger one than allowed")
    if schema.get("$schema", DRAFT) != DRAFT:
        raise error("schema-missing", f"{name[:120]} is in another dialect than 2020-12")
    try:
        _check_patterns(schema)
        Draft202012Validator.check_schema(schema)
        found = next(_Counted()(schema).iter_errors(credential), None)
    except Error:
        raise
    except jsonschema.SchemaError as exc:
        raise error("schema-missing", f"{name[:120]} is no schema: {exc.message[:120]}") from None
    except (Unresolvable, NoSuchResource):
        raise error("schema-missing", f"{name[:120]} refers to another schema") from None
    except RecursionError:
        raise error("limit-depth", f"{name[:120]} refers to itself too often") from None
    if found is not None:
        where = found.json_path[:120]
        raise error("schema-mismatch", f"{where}: {found.message[:200]}", dimension=where)


_PATTERN: Final = Draft202012Validator.VALIDATORS["pattern"]


def _nowhere(uri: str) -> Any:
    raise NoSuchResource(uri)


class _Counted:
    """Makes validators that count their steps together."""

    def __init__(self) -> None:
        self._steps = 0
        rules = {
            name: self._counting(rule) for name, rule in Draft202012Validator.VALIDATORS.items()
        }
        extend: Any = validators.extend
        self._class = extend(Draft202012Validator, rules)

    def __call__(self, schema: JsonObject) -> Any:
        return self._class(schema, registry=Registry(retrieve=_nowhere))  # type: ignore[call-arg]

    def _counting(self, rule: Callable[..., Any]) -> Callable[..., Iterator[Any]]:
        def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
            self._steps += 1 + (len(instance) if type(instance) in (dict, list) else 0)
            if self._steps > MAX_STEPS:
                raise error("limit-comparisons", f"a schema that takes more than {MAX_STEPS} steps")
            if rule is _PATTERN and type(instance) is str and len(instance) > MAX_MATCHED:
                raise error("limit-comparisons", f"a pattern over {len(instance)} characters")
            yield from rule(validator, value, instance, schema) or ()

        return counted


# --- patterns ------------------------------------------------------------------------------


def _check_patterns(schema: JsonObject) -> None:
    """Refuse patterns whose cost could grow with more than a small power of the text."""
    stack: list[Any] = [schema]
    while stack:
        node = stack.pop()
        if type(node) is dict:
            if type(node.get("pattern")) is str:
                _check_pattern(node["pattern"])
            if type(node.get("patternProperties")) is dict:
                for one in node["patternProperties"]:
                    _check_pattern(one)
            stack.extend(node.values())
        elif type(node) is list:
            stack.extend(node)


_QUANTIFIER: Final = re.compile(r"[*+]|\{[0-9]*,?[0-9]*\}", re.ASCII)
_PLAIN: Final = ("(?:", "(?=", "(?!", "(?<=", "(?<!")


def _check_pattern(pattern: str) -> None:
    """No repetition of what repeats or chooses, few repetitions, no reference back, no flags."""
    if len(pattern) > MAX_PATTERN:
        raise error("limit-comparisons", f"a pattern of {len(pattern)} characters")
    repeats = at = 0
    groups = [False]  # whether each open group repeats or chooses inside
    while at < len(pattern):
        mark = pattern[at]
        quantifier = _QUANTIFIER.match(pattern, at)
        if mark == "\\":
            if pattern[at + 1 : at + 2].isdigit():
                raise error("limit-comparisons", f"{pattern[:60]!r} refers back")
            at += 2
        elif mark == "[":
            at = _after_class(pattern, at)
        elif quantifier is not None:
            repeats += 1
            groups[-1] = True
            at = quantifier.end()
        else:
            if mark == "(":
                if pattern[at + 1 : at + 2] == "?" and not pattern.startswith(_PLAIN, at):
                    raise error("limit-comparisons", f"{pattern[:60]!r} sets flags or names groups")
                groups.append(False)
            elif mark == ")" and len(groups) > 1:
                inside = groups.pop()
                groups[-1] |= inside
                if inside and _QUANTIFIER.match(pattern, at + 1):
                    raise error("limit-comparisons", f"{pattern[:60]!r} repeats what repeats")
            elif mark == "|":
                groups[-1] = True
            at += 1
    if repeats > MAX_REPEATS:
        raise error("limit-comparisons", f"{pattern[:60]!r} has {repeats} repetitions")


def _after_class(pattern: str, at: int) -> int:
    """Where a character class ends; a bracket that comes first in it is a character."""
    at += 2 if pattern[at + 1 : at + 2] == "^" else 1
    at += pattern[at : at + 1] == "]"
    while at < len(pattern) and pattern[at] != "]":
        at += 2 if pattern[at] == "\\" else 1
    return at + 1
