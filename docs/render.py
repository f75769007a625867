"""Render the pages that follow from the code; with ``--check`` compare instead."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer
from tables import BLOCKS, phases

from delegant.cli.main import app
from delegant.credentials import CODES
from delegant.resolver.settings import Settings

HERE = Path(__file__).resolve().parent
PHASES = {0: "Wallet, command line and naming service"} | {
    number: title for number, (title, _) in phases().items()
}


def codes() -> str:
    """Every code, by phase: what it means and what to do."""
    lines = [
        "# Codes",
        "",
        "Every refusal carries one of these. The state decides the exit status: rejected 1,",
        "undecided 3, malformed 4; a server that cannot answer is 5. This page is rendered from",
        "`delegant.credentials.errors` by `docs/render.py`, and a test keeps the two equal.",
    ]
    for phase in (*range(1, 13), 0):
        title = f"{phase}. {PHASES[phase]}" if phase else PHASES[0]
        lines += ["", f"## {title}", "", "| code | state | HTTP | meaning | what to do |"]
        lines += ["|---|---|---|---|---|"]
        lines += [
            f"| `{c.name}` | {c.cls.state} | {c.http} | {c.meaning} | {c.remedy} |"
            for c in CODES.values()
            if c.phase == phase
        ]
    return "\n".join(lines) + "\n"


def _options(command: Any) -> list[str]:
    rows = []
    for parameter in command.params:
        names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
        if parameter.param_type_name == "argument":
            names = f"`{parameter.name.upper()}`"
        if parameter.name not in ("help", "home", "passphrase_file", "as_json"):
            rows.append(f"| {names} | {getattr(parameter, 'help', '') or ''} |")
    return ["", "| | |", "|---|---|", *rows] if rows else []


def _commands(command: Any, path: str) -> list[str]:
    lines: list[str] = []
    for name, sub in sorted(getattr(command, "commands", {}).items()):
        if getattr(sub, "commands", None):
            lines += _commands(sub, f"{path} {name}")
        else:
            lines += ["", f"## `{path} {name}`", "", (sub.help or "").strip(), *_options(sub)]
    return lines


def cli() -> str:
    """Every command with its options, as the program itself has them."""
    lines = [
        "# The command line",
        "",
        "Every command also takes `--home` (else `$DELEGANT_HOME`, else the nearest",
        "`delegant.toml` upward), `--passphrase-file` (else `$DELEGANT_PASSPHRASE_FILE`, else the",
        "keyring where the home says so, else a prompt) and `--json`. Exit status: 0 accepted,",
        "1 rejected, 2 wrong command line, 3 undecided, 4 malformed, 5 unavailable. This page is",
        "rendered from the program by `docs/render.py`, and a test keeps the two equal.",
        *_commands(typer.main.get_command(app), "delegant"),
    ]
    return "\n".join(lines) + "\n"


def verifier() -> str:
    """The page as it stands, with the tables that the code gives."""
    page = (HERE / "verifier.md").read_text()
    for name, rows in BLOCKS.items():
        before, begin, rest = page.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->\n")
        if not end:
            sys.exit(f"docs/verifier.md has no place for {name}")
        page = before + "\n".join((begin + rows()[0], *rows()[1:], "", end + after))
    return page


def operations() -> str:
    """The page as it stands, with the table of settings that the code gives."""
    page = (HERE / "operations.md").read_text()
    before, begin, rest = page.partition("<!-- settings -->\n")
    _, end, after = rest.partition("<!-- /settings -->\n")
    if not end:
        sys.exit("docs/operations.md has no place for settings")
    return before + begin + Settings.table() + end + after


PAGES = {"codes.md": codes, "cli.md": cli, "verifier.md": verifier, "operations.md": operations}


def main() -> None:
    """Write the pages, or with --check fail if one differs."""
    for name, render in PAGES.items():
        page = HERE / name
        if "--check" in sys.argv[1:]:
            if page.read_text() != render():
                sys.exit(f"docs/{name} is out of date: run python docs/render.py")
        else:
            page.write_text(render())


if __name__ == "__main__":
    main()
