"""Every command and snippet of the pages on credentials runs."""

from __future__ import annotations

import json
import re
from pathlib import Path

from test_readme import ROOT, Shell


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)


def issuer(shell: Shell, line: str) -> str:
    return shell.types(line).split()[0]


def test_every_command_of_the_page_on_credentials_works(tmp_path: Path) -> None:
    shell = Shell(tmp_path, 8080)
    lines = [line for block in blocks("credentials.md", "sh") for line in block.splitlines()]
    assert len(lines) == 8
    name = issuer(shell, lines[0])
    (degree,) = blocks("credentials.md", "json")
    document = json.loads(degree.replace("ISSUER", name))
    (tmp_path / "degree.json").write_text(json.dumps(document))
    for line in lines[1:6]:
        shell.types(line)
    signed = json.loads((tmp_path / "signed.json").read_text())
    assert {name: one for name, one in signed.items() if name != "proof"} == document
    vp = {
        "@context": document["@context"][:1],
        "type": ["VerifiablePresentation"],
        "holder": name,
        "verifiableCredential": [signed],
    }
    (tmp_path / "presentation.json").write_text(json.dumps(vp))
    for line in lines[6:]:
        shell.types(line)
    assert shell.run(lines[-1].replace("c-1", "c-2")).returncode == 1


def test_every_snippet_of_the_page_on_credentials_works() -> None:
    code = "\n".join(blocks("credentials.md", "python"))
    assert code.count("assert") == 4
    exec(compile(code, "credentials.md", "exec"), {})  # noqa: S102 - the page's own code


def test_every_command_of_the_page_on_selective_disclosure_works(tmp_path: Path) -> None:
    shell = Shell(tmp_path, 8080)
    (block,) = blocks("selective-disclosure.md", "sh")
    lines = block.splitlines()
    name = issuer(shell, lines[0])
    (document,) = blocks("selective-disclosure.md", "json")
    (tmp_path / "sponsor.json").write_text(document.replace("ISSUER", name))
    for line in lines[1:]:
        told = shell.types(line)
    assert "1 parts or decoys were not disclosed" in told
    shown = json.loads(shell.types(f"{lines[-1]} --json"))["document"]["credentialSubject"]
    assert shown == {"id": "did:example:ana", "employer": {"name": "Acme", "unit": "Research"}}
