"""`limbo`: put hostile chains, kept as data, to any implementation of the verifier.

`cases` reads the data, `protocol` is what a target is asked and answers, `naming` the same of
cases about the naming service, `client` is our own target, `targets` reaches one (in this
process, or any command), `judge` compares.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from delegant.cli.edge import Edge, command

__all__ = ["register"]

limbo = typer.Typer(no_args_is_help=True, help="Hostile chains as data, for any implementation.")

File = Annotated[Path | None, typer.Option(help="A file of JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(limbo, name="limbo")


@command(limbo, "run")
def run(
    edge: Edge,
    cases: Annotated[
        Path,
        typer.Option(
            help="The folder of case files: tests/limbo/cases of a checkout, or tests/limbo/ans."
        ),
    ] = Path("tests/limbo/cases"),
    target: Annotated[
        str | None, typer.Option(help="The command of a verifier; else our own library.")
    ] = None,
    xfails: Annotated[
        Path | None, typer.Option(help="A file of case ids that are known to fail.")
    ] = None,
    namespace: Annotated[
        list[str] | None, typer.Option(help="Only these cases; several times.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="Skip cases that need this feature; several times.")
    ] = None,
) -> None:
    """Put every case to a verifier: exit 0 all passed, 3 in part, 1 some failed."""
    from . import cases as cases_  # noqa: PLC0415 - what only this command needs
    from . import judge, targets  # noqa: PLC0415

    found = cases_.load_any(cases, namespace or ())
    known = cases_.xfails(xfails) if xfails is not None else frozenset()
    with targets.reach(target) as asked:
        report = judge.judge(found, asked, known, frozenset(without or ()))
    edge.show(report.json, report.text)
    sys.stdout.flush()
    if report.status:
        raise typer.Exit(report.status)


@command(limbo, "verify")
def verify(
    _edge: Edge,
    presentation: File = None,
    evidence: File = None,
    trust: File = None,
    request: File = None,
    limits: File = None,
    audience: Annotated[str | None, typer.Option(help="The verifier's DID.")] = None,
    nonce: Annotated[str | None, typer.Option(help="The nonce it asked for.")] = None,
    at: Annotated[str | None, typer.Option(help="The instant, as 2026-11-23T09:00:00Z.")] = None,
    question: Annotated[
        Path | None, typer.Option(help="A file with a question about names; nothing else then.")
    ] = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="One case a line on stdin, one answer a line.")
    ] = False,
) -> None:
    """Answer one case as a target does: one line of JSON, exit 0, 1, 3 or 4."""
    from . import client  # noqa: PLC0415 - what only this command needs

    if stream:
        client.serve(sys.stdin.buffer, sys.stdout)
        return
    if question is not None:
        answer = client.from_question(question)
    else:
        paths = {"presentation": presentation, "evidence": evidence, "trust": trust,
                 "request": request, "limits": limits}  # fmt: skip
        answer = client.from_files(paths, audience, nonce, at)
    print(answer.line)
    if answer.status:
        raise typer.Exit(answer.status)
