"""The wheel in an empty environment, beside a user's own ``credentials.py``."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from delegant.w3c import contexts

ROOT = Path(__file__).resolve().parent.parent


def run(*typed: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command, its output kept."""
    return subprocess.run(
        [str(word) for word in typed], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    out = tmp_path_factory.mktemp("dist")
    done = run(
        sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = out.glob("*.whl")
    return found


def test_the_wheel_holds_every_room_and_no_namespace_init(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for room in ("credentials", "w3c", "wallet", "ans", "governance", "resolver", "cli", "schemas"):
        assert f"delegant/{room}/__init__.py" in names
        assert f"delegant/{room}/py.typed" in names
    assert "delegant/__init__.py" not in names
    assert "delegant/schemas/agent-delegation.json" in names
    assert "delegant/schemas/contexts/delegation-v1.jsonld" in names
    folder = "delegant/w3c/contexts/"
    bundled = {name for name in names if name.startswith(folder) and name.endswith(".jsonld")}
    assert bundled == {f"{folder}{row[0]}.jsonld" for row in contexts._FILES.values()}
    assert f"{folder}LICENCES.md" in names
    assert not any(name.endswith(".txt") and "NOTICE" in name for name in names)
    assert all(name.startswith(("delegant/", "delegant-")) for name in names)


def test_base_install_verifies_and_says_what_serve_needs(wheel: Path, tmp_path: Path) -> None:
    here = tmp_path / "elsewhere"
    here.mkdir()
    (here / "credentials.py").write_text("raise SystemExit('the wrong credentials')\n")
    python = tmp_path / "venv" / "bin" / "python"
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=here)
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    pins = ROOT / "requirements" / "base.txt"
    installed = run(*pip, "--require-hashes", "-r", pins, cwd=here)
    if installed.returncode != 0:
        pytest.skip(f"the base dependencies cannot be had here: {installed.stderr[-200:]}")
    assert run(*pip, "--no-deps", wheel, cwd=here).returncode == 0
    code = (
        "import sys; from delegant.credentials import verify; "
        "bad = {'fastapi', 'sqlalchemy', 'uvicorn', 'httpx', 'typer'} & set(sys.modules); "
        "sys.exit(f'imported {bad}' if bad else 0)"
    )
    done = run(python, "-c", code, cwd=here)
    assert done.returncode == 0, done.stderr
    served = run(python.parent / "delegant", "serve", cwd=here)
    assert served.returncode == 5
    assert "pip install '.[server]'" in served.stderr
    assert "Traceback" not in served.stderr
    shown = run(python.parent / "delegant", "demo", cwd=here)
    assert "pip install '.[server]'" in shown.stderr
