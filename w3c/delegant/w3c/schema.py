"""``credentialSchema``: JSON Schema 2020-12 over a whole credential, with schemas passed in.

A schema is somebody else's program. It refers to nothing outside itself, it is counted while
it runs, and it may use no pattern that a short text can make run for ever.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

import jsonschema
from jsonschema import Draft202012Validator, validators
from referencing import Registry
from referencing.exceptions import NoSuchResource, Unresolvable

from delegant.credentials.codec import Json, JsonObject, canonical, parse
from delegant.credentials.errors import Error, error

from .related import Look, look_up
from .values import ABSENT, many, types_of

__all__ = ["CREDENTIAL_TYPE", "TYPE", "check", "check_against"]

TYPE: Final = "JsonSchema"
CREDENTIAL_TYPE: Final = "JsonSchemaCredential"
DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
MAX_SCHEMA: Final = 256 * 1024
MAX_STEPS: Final = 50_000
"""Keywords looked at in one validation."""
MAX_PATTERN: Final = 256
MAX_MATCHED: Final = 512
"""Longest text a pattern is tried on, a member's name too."""
MAX_REPEATS: Final = 3
MAX_CHOICES: Final = 1024
"""Ways through a pattern, its repetitions aside: each ``?`` and ``|`` may double them."""
MAX_TRIES: Final = 200_000_000
"""Steps that all patterns together may take at the worst, in one validation."""


def check(
    credential: JsonObject, schemas: Look, trusted: Callable[[Any], JsonObject] | None = None
) -> None:
    """Hold a credential to each of its schemas (VC JSON Schema 1.0).

    Args:
        credential: without its proof.
        schemas: from URLs to schemas, or to credentials that hold one.
        trusted: verifies such a credential, or raises; None: there may be none.

    Raises:
        Rejected: ``schema-mismatch``. Undecided: ``schema-missing`` for a schema that is not
        here, is no schema, or is of a type nobody here knows. LimitExceeded: ``limit-*``.
    """
    for one in many(credential.get("credentialSchema", ABSENT), "credentialSchema"):
        kinds = types_of(one)
        if TYPE not in kinds and (CREDENTIAL_TYPE not in kinds or trusted is None):
            raise error("schema-missing", f"a schema of type {kinds[:2]} is not known here")
        found = look_up(schemas, one["id"])
        if found is None:
            raise error("schema-missing", f"{one['id'][:120]} was not given")
        if trusted is not None and CREDENTIAL_TYPE in kinds:
            found = _inside(trusted(found), one["id"])
        check_against(credential, found, one["id"])


def _inside(holder: JsonObject, name: str) -> Json:
    """The schema in a ``JsonSchemaCredential`` that was verified (2.2)."""
    subject = holder.get("credentialSubject")
    fits = CREDENTIAL_TYPE in types_of(holder) and TYPE in types_of(subject)
    if not fits or type(subject) is not dict or holder.get("id") != name:
        raise error("schema-missing", f"{name[:120]} is no credential with a schema by that name")
    return subject.get("jsonSchema")


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
        named = _check_patterns(schema)
        Draft202012Validator.check_schema(schema)
        found = next(_Counted(named)(schema).iter_errors(credential), None)
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
_NAMES: Final = tuple(
    Draft202012Validator.VALIDATORS[name] for name in ("patternProperties", "additionalProperties")
)
"""The rules that try a schema's own patterns on the names of members."""
_LEFT: Final = Draft202012Validator.VALIDATORS["unevaluatedProperties"]
"""It tries those of every schema it is led to."""


def _nowhere(uri: str) -> Any:
    raise NoSuchResource(uri)


class _Counted:
    """Makes validators that count their steps together."""

    def __init__(self, named: list[str]) -> None:
        self._named = named
        self._steps = 0
        self._tries = 0
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
            if rule is _PATTERN and type(instance) is str:
                self._try(value, instance)
            if (rule in _NAMES or rule is _LEFT) and type(instance) is dict:
                own = schema.get("patternProperties", ())
                for pattern in self._named if rule is _LEFT else own:
                    for name in instance:
                        self._try(pattern, name)
            yield from rule(validator, value, instance, schema) or ()

        return counted

    def _try(self, pattern: str, text: str) -> None:
        if len(text) > MAX_MATCHED:
            raise error("limit-comparisons", f"a pattern over {len(text)} characters")
        self._tries += _worst(pattern, len(text))
        if self._tries > MAX_TRIES:
            raise error("limit-comparisons", f"patterns that may take more than {MAX_TRIES} steps")


# --- patterns ------------------------------------------------------------------------------


def _check_patterns(schema: JsonObject) -> list[str]:
    """Refuse patterns whose cost could grow with more than a small power of the text.

    Returns:
        Those that are tried on the names of members.
    """
    named: list[str] = []
    stack: list[Any] = [schema]
    while stack:
        node = stack.pop()
        if type(node) is dict:
            if type(node.get("pattern")) is str:
                _check_pattern(node["pattern"])
            if type(node.get("patternProperties")) is dict:
                for one in node["patternProperties"]:
                    _check_pattern(one)
                    named.append(one)
            stack.extend(node.values())
        elif type(node) is list:
            stack.extend(node)
    return named


_QUANTIFIER: Final = re.compile(r"[*+]|\{[0-9]*,?[0-9]*\}", re.ASCII)
_PLAIN: Final = ("(?:", "(?=", "(?!", "(?<=", "(?<!")


@lru_cache(maxsize=1024)
def _check_pattern(pattern: str) -> tuple[int, int]:
    """No repetition of what repeats or chooses, few of either, no reference back, no flags.

    Returns:
        How many repetitions it has, and how many ways through it there are beside them.
    """
    if len(pattern) > MAX_PATTERN:
        raise error("limit-comparisons", f"a pattern of {len(pattern)} characters")
    repeats = at = 0
    ways, choices = 1, [1]  # in all; and the alternatives of each open group
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
                choices.append(1)
                at += pattern[at + 1 : at + 2] == "?"  # which is no choice
            elif mark == ")" and len(groups) > 1:
                inside = groups.pop()
                groups[-1] |= inside
                ways *= choices.pop()
                if inside and _QUANTIFIER.match(pattern, at + 1):
                    raise error("limit-comparisons", f"{pattern[:60]!r} repeats what repeats")
            elif mark == "|":
                groups[-1] = True
                choices[-1] += 1
            elif mark == "?":
                ways *= 2
            at += 1
    if repeats > MAX_REPEATS:
        raise error("limit-comparisons", f"{pattern[:60]!r} has {repeats} repetitions")
    ways *= math.prod(choices)
    if ways > MAX_CHOICES:
        raise error("limit-comparisons", f"{pattern[:60]!r} can be read in too many ways")
    return repeats, ways


def _worst(pattern: str, length: int) -> int:
    """Steps a search may take: each repetition, and each place to begin at, tries every length."""
    repeats, ways = _check_pattern(pattern)
    anchored = pattern.startswith("^") and "|" not in pattern
    return int(ways * (length + 1) ** (repeats + (not anchored)))


def _after_class(pattern: str, at: int) -> int:
    """Where a character class ends; a bracket that comes first in it is a character."""
    at += 2 if pattern[at + 1 : at + 2] == "^" else 1
    at += pattern[at : at + 1] == "]"
    while at < len(pattern) and pattern[at] != "]":
        at += 2 if pattern[at] == "\\" else 1
    return at + 1
