"""`vc`: any W3C credential issued, shown in part, verified; files only, no network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import error
from delegant.w3c.keys import Signer
from delegant.wallet import files

from . import attesting, vcfiles
from .edge import Edge, command, now

vc = typer.Typer(no_args_is_help=True, help="Any W3C credential or presentation, from files.")

ATTESTATION = "AgentAttestationCredential"
Input = Annotated[Path, typer.Option("--input", "-i", help="The file to read.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Where to write; else print.")]
Feature = Annotated[
    str | None,
    typer.Option(help="credential_jose, credential_sdjwt, presentation_jose, presentation_sdjwt: "
                 "as the public JOSE suite calls it; --output then gets its result."),
]  # fmt: skip
At = Annotated[str | None, typer.Option(help="The instant, as 2026-11-25T09:00:00Z; else now.")]
Documents = Annotated[
    list[Path] | None, typer.Option("--resolve-from", help="A file with a DID document.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(vc, name="vc")


@command(vc, "key")
def vc_key(
    edge: Edge,
    output: Annotated[Path, typer.Option("--output", "-o", help="The new key file, mode 600.")],
    kind: Annotated[str, typer.Option(help="Ed25519, P-256, P-384 or P-521.")] = "Ed25519",
) -> None:
    """Make a key for credentials of this kind, and its did:key; it is not encrypted."""
    made = vcfiles.new_key(kind)
    if output.exists():
        raise error("name-taken", f"{output} is there already")
    files.write_json(output, made, secret=True)
    shown = {"did": made["controller"], "method": made["id"], "file": str(output)}
    edge.show(shown, f"{made['controller']}\n  in {output}")


@command(vc, "issue")
def vc_issue(
    edge: Edge,
    input_: Annotated[
        Path | None, typer.Option("--input", "-i", help="The document to secure.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="The key file: `vc key`, a JWK or a Multikey.")
    ] = None,
    type_: Annotated[
        str | None,
        typer.Option("--type", help=f"{ATTESTATION}: the home attests, with its own key."),
    ] = None,
    agent: Annotated[str | None, typer.Option(help="With --type: the agent.")] = None,
    claim: Annotated[str | None, typer.Option(help="With --type: what is claimed.")] = None,
    until: Annotated[
        str | None, typer.Option(help="With --type: an instant, or how long, as 30d.")
    ] = None,
    feature: Feature = None,
    form: Annotated[str, typer.Option(help="di (a proof inside), jwt or sd-jwt.")] = "di",
    suite: Annotated[
        str | None, typer.Option(help="The cryptosuite of a proof; else by the key.")
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="The verification method; else what the key file says.")
    ] = None,
    sd: Annotated[
        list[str] | None,
        typer.Option("--sd", help="A path that may be withheld, as credentialSubject.name."),
    ] = None,
    holder_key: Annotated[
        Path | None, typer.Option(help="The holder's public key: only it can show the SD-JWT.")
    ] = None,
    challenge: Annotated[str | None, typer.Option(help="What a presentation answers.")] = None,
    domain: Annotated[str | None, typer.Option(help="Where a presentation is meant to go.")] = None,
    output: Output = None,
) -> None:
    """Check a credential or presentation against the data model, and secure it."""
    if type_ is not None:
        _attest(edge, type_, agent, claim, until, output, given=(input_, key))
        return
    if input_ is None or key is None:
        raise typer.BadParameter("--input and --key are needed")
    with vcfiles.result(feature, output):
        form = vcfiles.form(feature, form, issuing=True)
        secret = vcfiles.read_key(key, private=feature is None)
        signer: Signer = secret.signer()
        made = vcfiles.issue(
            files.read_object(input_),
            signer,
            method=method or secret.method,
            form=form,
            suite=suite or vcfiles.suite_of(signer),
            created=now(),
            disclosable=vcfiles.paths(sd),
            holder=None if holder_key is None else vcfiles.read_key(holder_key).public,
            challenge=challenge,
            domain=domain,
        )
        vcfiles.deliver(edge, made, feature, output)


def _attest(
    edge: Edge,
    kind: str,
    agent: str | None,
    claim: str | None,
    until: str | None,
    output: Path | None,
    *,
    given: tuple[Path | None, Path | None],
) -> None:
    if kind != ATTESTATION:
        raise error("chain-type", f"{kind[:80]!r} has no command here; {ATTESTATION} has")
    if agent is None or claim is None or given != (None, None):
        raise typer.BadParameter("--type takes --agent and --claim, and no --input or --key")
    attesting.issue(edge, agent, claim, until, None, None, None, output)


@command(vc, "disclose")
def vc_disclose(
    edge: Edge,
    input_: Input,
    sd: Annotated[
        list[str] | None, typer.Option("--sd", help="A path to disclose; all others stay hidden.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="The holder's key, for a key binding.")] = None,
    audience: Annotated[str, typer.Option(help="Whom it is shown to.")] = "",
    nonce: Annotated[str, typer.Option(help="What they asked to be answered.")] = "",
    output: Output = None,
) -> None:
    """Show an SD-JWT with some of its parts."""
    signer = None if key is None else vcfiles.read_key(key, private=True).signer()
    made = vcfiles.sdjwt().present(
        vcfiles.text(input_),
        vcfiles.paths(sd),
        signer=signer,
        audience=audience,
        nonce=nonce,
        at=now(),
    )
    vcfiles.deliver(edge, made, None, output)


@command(vc, "verify")
def vc_verify(
    edge: Edge,
    file: Annotated[Path | None, typer.Argument(help="A credential or presentation.")] = None,
    input_: Annotated[
        Path | None, typer.Option("--input", "-i", help="The same, as an option.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="A public key to verify a token with, by its kid.")
    ] = None,
    feature: Feature = None,
    at: At = None,
    resolve_from: Documents = None,
    status_list: Annotated[
        list[str] | None, typer.Option(help="FILE, or URL=FILE: a status list that was fetched.")
    ] = None,
    schema: Annotated[list[str] | None, typer.Option(help="URL=FILE: a schema.")] = None,
    resource: Annotated[
        list[str] | None, typer.Option(help="URL=FILE: a related resource.")
    ] = None,
    challenge: Annotated[
        str | None, typer.Option(help="What the presentation, or key binding, must answer.")
    ] = None,
    domain: Annotated[str | None, typer.Option(help="Whom it must be meant for.")] = None,
    allow_context: Annotated[
        list[Path] | None,
        typer.Option(help="A file with a @context that may be written into the document."),
    ] = None,
    unsigned: Annotated[bool, typer.Option(help="A presentation nobody signed will do.")] = False,
    lax: Annotated[
        bool,
        typer.Option(help="Only warn of issuer, validity, status, schema, resources and contexts."),
    ] = False,
    output: Output = None,
) -> None:
    """Verify it: exit 0 for yes, 1 for no, 3 if something is missing, 4 if it is malformed."""
    path = file or input_
    if path is None:
        raise error("shape", "name the file to verify")
    with vcfiles.result(feature, output):
        report = vcfiles.verify(
            path,
            feature=feature,
            key=None if key is None else vcfiles.read_key(key),
            at=vcfiles.instant(at, now()),
            documents=resolve_from or (),
            lists=vcfiles.named(status_list, by_id=True),
            schemas=vcfiles.named(schema),
            resources=vcfiles.named(resource),
            contexts=vcfiles.contexts(allow_context),
            challenge=challenge,
            domain=domain,
            unsigned=unsigned,
            strict=not lax,
        )
        if feature is not None:
            report.require()
            vcfiles.deliver(edge, "", feature, output)
            return
    shown = report.as_json()
    if output is not None:
        files.write_json(output, shown)
    edge.show(shown, _human(shown))
    if not report.verified:
        raise typer.Exit(report.errors[0].exit_status)


def _human(shown: JsonObject) -> str:
    """The verdict as a person reads it."""
    lines = ["verified" if shown["verified"] else "not verified"]
    for proof in shown["proofs"]:
        whose = proof["controller"] or "a key you gave"
        lines.append(f"  signed by {whose} ({proof['form']})")
        if proof["hidden"]:
            lines.append(f"  {proof['hidden']} parts or decoys were not disclosed")
    for what in ("errors", "warnings"):
        lines += [f"  {what[:-1]}: {one['message']}" for one in shown[what]]
    return "\n".join(lines)
