"""docs/operations.md and deploy/: what an operator reads and copies is so."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import typer

from delegant.cli.main import app
from delegant.resolver import deadline, listening, metrics, working
from delegant.resolver.accesslog import AccessLog
from delegant.resolver.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text()
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
UNIT = ROOT / "deploy" / "delegant.service"


def blocks(kind: str) -> list[str]:
    """The code blocks of a kind."""
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def test_the_settings_it_shows_are_settings() -> None:
    (text,) = blocks("ini")
    found = dict(line.split("=", 1) for line in text.splitlines())
    settings = Settings.from_env(found)
    known = {row.split("`")[1] for row in Settings.table().splitlines()[2:]}
    assert set(found) <= known
    assert settings.workers == 2
    assert set(re.findall(r"DELEGANT_[A-Z_]+", PAGE)) <= known | {"DELEGANT_PASSPHRASE_FILE"}


def test_every_option_of_the_command_has_its_variable_and_is_what_it_shows() -> None:
    command = typer.main.get_command(app).commands["serve"]  # type: ignore[attr-defined]
    options = {name for one in command.params for name in one.opts}
    for line in "\n".join(blocks("sh")).splitlines():
        if line.startswith("delegant serve"):
            words = shlex.split(line)[2:]
            assert {word for word in words if word.startswith("--")} <= options
            named = dict(zip(words[::2], words[1::2], strict=True))
            Settings.from_env({}, **{k[2:].replace("-", "_"): v for k, v in named.items()})
    ours = {one.removeprefix("--").replace("-", "_") for one in options}
    assert ours & set(Settings.__dataclass_fields__) >= {"bind", "workers", "database", "rate"}


def test_the_metrics_and_limits_it_lists_are_all_there_are() -> None:
    gauges = [(name, "", lambda: 1.0) for name in
              ("log_size", "checkpoint_age_seconds", "kept_answers", "kept_bytes")]  # fmt: skip
    told = metrics.Meter(gauges=gauges).text().decode()
    made = set(re.findall(r"^# TYPE (delegant_\w+) ", told, re.MULTILINE))
    made = {name for name in made if not name.endswith("_created")}
    listed = set(re.findall(r"^\| `(delegant_.*?)\|", PAGE, re.MULTILINE))
    names = set(re.findall(r"delegant_[a-z_]+", " ".join(listed)))
    assert names == made
    limits = PAGE.split("## Limits")[1].split("## nginx")[0]
    rows = [row.split("|")[1] for row in limits.splitlines() if row.startswith("| `")]
    assert set(re.findall(r"`([a-z-]+)`", " ".join(rows))) == set(metrics.LIMITS)


def test_its_numbers_are_the_programs() -> None:
    assert f"more than {deadline.MAX_WAITING} requests" in PAGE
    assert f"{deadline.MAX_HEAD >> 10} KiB or {deadline.MAX_HEADERS} fields" in PAGE
    assert f"a line of more than {deadline.MAX_LINE >> 10} KiB" in PAGE
    assert f"at most {working.STOP_SECONDS:.0f} seconds" in PAGE
    assert listening.DRAIN_SECONDS < listening.LAST_SECONDS < working.STOP_SECONDS


def test_a_line_of_the_access_log_is_as_it_shows(tmp_path: Path) -> None:
    (shown,) = blocks("json")
    log = AccessLog(str(tmp_path / "log"))
    log.add((time.time(), "203.0.113.7", "GET", "/v1/resolve", 200, 0.000153, 2912, "x"))
    log.close()
    made = json.loads((tmp_path / "log").read_text())
    assert list(made) == list(json.loads(shown))
    assert made["us"] == json.loads(shown)["us"] == 153


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd-analyze is not installed here")
    text = UNIT.read_text()
    binary = tmp_path / "delegant"
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    changed = text.replace("/opt/delegant/bin/delegant", str(binary))
    (tmp_path / "delegant.service").write_text(changed)
    done = subprocess.run(
        [tool, "verify", "--recursive-errors=no", "--man=no", tmp_path / "delegant.service"],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if "delegant.service" in line]
    assert ours == []
    (tmp_path / "delegant.service").write_text(changed.replace("KillMode=mixed", "KillMode=soft"))
    done = subprocess.run(
        [tool, "verify", "--recursive-errors=no", "--man=no", tmp_path / "delegant.service"],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert "kill mode" in done.stderr


def test_the_unit_gives_the_stop_the_time_it_needs_and_no_more_rights() -> None:
    text = UNIT.read_text()
    assert int(re.search(r"TimeoutStopSec=(\d+)", text)[1]) > working.STOP_SECONDS  # type: ignore[index]
    for line in ("User=delegant", "NoNewPrivileges=yes", "ProtectSystem=strict", "KillMode=mixed"):
        assert line in text.splitlines()


def test_the_dockerfile_copies_what_there_is_pins_all_and_is_not_root() -> None:
    joined = DOCKERFILE.replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if line and not line.startswith("#")]
    known = {"ARG", "FROM", "WORKDIR", "RUN", "ENV", "COPY", "USER", "VOLUME", "EXPOSE",
             "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}  # fmt: skip
    assert {line.split()[0] for line in lines} <= known
    for line in lines:
        words = line.split()
        if words[0] == "COPY" and not words[1].startswith("--from"):
            assert all((ROOT / one).exists() for one in words[1:-1]), line
        if "pip install" in line and "/wheels" not in line:
            assert "--require-hashes" in line
        if words[0] in ("ENTRYPOINT", "CMD"):
            assert isinstance(json.loads(line.partition(" ")[2]), list)
    for name in re.findall(r"-r (\S+)", DOCKERFILE):
        assert "--hash=sha256:" in (ROOT / name).read_text()
    rooms = re.findall(
        r'^    "(\w+)/delegant"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE
    )
    assert {f"COPY {room} {room}" for room in rooms} <= set(lines)
    final = joined.rpartition("FROM ")[2]
    user = re.search(r"^USER (\d+)", final, re.MULTILINE)
    assert user
    assert int(user[1]) > 0
    found = dict(re.findall(r"(DELEGANT_[A-Z_]+)=(\S+)", final))
    assert Settings.from_env(found).address == ("0.0.0.0", 8080)  # noqa: S104 - in a container
