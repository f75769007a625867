"""The edge of every command: its common options, its errors, its two ways of printing.

Exit status: 0 accepted, 1 rejected, 2 wrong command line, 3 undecided, 4 malformed, 5 a server
or file that cannot answer. Errors go to stderr as ``error:`` and ``hint:``; with ``--json`` one
problem document goes to stdout instead.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import time
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from delegant.credentials import CODES, Error
from delegant.credentials.errors import error
from delegant.wallet import Home, Passphrases

__all__ = ["Edge", "command", "now"]

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="The home folder; else $DELEGANT_HOME, else upward.")
]
PassphraseOption = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="A file (mode 600) with the passphrase of the wallets."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


def now() -> int:
    """This instant, whole seconds since 1970: the only clock of the command line."""
    return int(time.time())


@dataclass
class Edge:
    """What a command knows of its surroundings."""

    home_path: Path | None
    passphrase_file: Path | None
    json: bool

    def passphrases(self) -> Passphrases:
        """Where passphrases come from."""
        return Passphrases(self.passphrase_file)

    def home(self) -> Home:
        """The home meant."""
        return Home.find(self.home_path, self.passphrases())

    def show(self, value: Any, human: str | Callable[[], None]) -> None:
        """Print the value as JSON, or else the text, or call what prints."""
        if self.json:
            print(json.dumps(value, indent=2, ensure_ascii=False))
        elif callable(human):
            human()
        else:
            print(human)

    def fail(self, exc: Error) -> typer.Exit:
        """Tell an error, and the exit that goes with it."""
        if self.json:
            print(json.dumps(exc.problem(), indent=2))
        else:
            print(f"error: {exc}", file=sys.stderr)
            print(f"hint: {CODES[exc.code].remedy}", file=sys.stderr)
        return typer.Exit(exc.exit_status)


_COMMON: dict[str, tuple[Any, Any]] = {
    "home": (HomeOption, None),
    "passphrase_file": (PassphraseOption, None),
    "as_json": (JsonOption, False),
}


def command(app: typer.Typer, name: str | None = None) -> Callable[[Any], Any]:
    """Register a function ``f(edge, …)`` as a command with the common options."""

    def register(function: Any) -> Any:
        hints = typing.get_type_hints(function, include_extras=True)
        own = list(inspect.signature(function).parameters.values())[1:]
        parameters = [p.replace(annotation=hints[p.name]) for p in own]
        for option, (annotation, default) in _COMMON.items():
            parameters.append(
                inspect.Parameter(
                    option,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=default,
                    annotation=annotation,
                )
            )

        def run(**given: Any) -> None:
            edge = Edge(given.pop("home"), given.pop("passphrase_file"), given.pop("as_json"))
            _guarded(edge, lambda: function(edge, **given))

        keyword = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
        run.__signature__ = inspect.Signature(keyword)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in keyword}
        run.__name__ = function.__name__
        run.__doc__ = function.__doc__
        app.command(name)(run)
        return function

    return register


def _guarded(edge: Edge, body: Callable[[], None]) -> None:
    try:
        body()
        sys.stdout.flush()
    except Error as exc:
        raise edge.fail(exc) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except OSError as exc:
        where = f"{exc.filename}: " if exc.filename else ""
        told = error("unavailable", f"{where}{exc.strerror or type(exc).__name__}")
        raise edge.fail(told) from None
