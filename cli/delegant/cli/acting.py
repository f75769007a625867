"""`present`, `verify`, `bundle`, `evidence`: use a chain, judge it, carry it in one file."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

import typer

from delegant.credentials import (
    Bundle,
    Error,
    Evidence,
    Explanation,
    Request,
    Trust,
    Verdict,
    explain,
)
from delegant.credentials.codec import parse_object
from delegant.credentials.did import check as check_did
from delegant.credentials.errors import error
from delegant.credentials.presentation import MAX_BUNDLE
from delegant.wallet import files, find_chain, gather, load_trust, make_bundle, refresh, save_seen

from . import retiring, typed
from .edge import Edge, command, now
from .render import evidence_rows, show_explanation

bundle = typer.Typer(no_args_is_help=True, help="The one file a verifier needs.")
evidence = typer.Typer(no_args_is_help=True, help="Credentials, status lists and the feed.")

Output = Annotated[Path | None, typer.Option("--output", "-o", help="The file; else stdout.")]
Need = Annotated[str, typer.Option(help="ACTION:RESOURCE that is about to be done.")]
Audience = Annotated[str | None, typer.Option(help="The verifier's DID.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "present")(present)
    command(app, "verify")(verify_)
    app.add_typer(bundle, name="bundle")
    app.add_typer(evidence, name="evidence")


def _write(edge: Edge, data: bytes, output: Path | None, told: str) -> None:
    if output is None:
        sys.stdout.write(data.decode() + "\n")
        return
    files.write(output, data + b"\n")
    edge.show({"file": str(output), "bytes": len(data)}, f"{output}: {told}, {len(data)} bytes")


def present(
    edge: Edge,
    agent: Annotated[str, typer.Argument(help="The agent that acts.")],
    need: Need,
    rows: typed.Rows = None,
    bytes_: typed.Bytes = None,
    columns: typed.Columns = None,
    argument: typed.Argument = None,
    purpose: typed.Purpose = None,
    task: typed.Task = None,
    initiation: typed.Initiation = "human_request",
    amount: Annotated[str | None, typer.Option(help="UNIT=VALUE, as EUR:2=1000.")] = None,
    data_class: typed.DataClass = None,
    network: Annotated[str | None, typer.Option(help="The caller's address.")] = None,
    method: Annotated[str | None, typer.Option(help="HTTP method.")] = None,
    uri: Annotated[str | None, typer.Option(help="HTTP target.")] = None,
    body: Annotated[Path | None, typer.Option(help="HTTP body, a file.")] = None,
    audience: Audience = None,
    link: Annotated[str | None, typer.Option(help="The grant to use; else the newest.")] = None,
    nonce: Annotated[str | None, typer.Option(help="The nonce the verifier asked for.")] = None,
    output: Output = None,
) -> None:
    """Sign what the agent is about to do, and write the bundle. Only the agent's wallet opens."""
    home = edge.home()
    asked = typed.request(
        need,
        home,
        {
            "rows": rows,
            "bytes": bytes_,
            "columns": typed.words(columns) or None,
            "arguments": typed.arguments(argument) or None,
            "purpose": purpose,
            "task": task,
            "initiation": initiation,
            "amount": amount,
            "data_class": data_class,
            "network": network,
            "method": method,
            "uri": uri,
            "body": body,
        },
    )
    subject = home.subject(agent)
    at = now()
    links = home.chain(home.link(link)) if link else find_chain(home, subject.did, asked, at)
    wallet = home.open_wallet("agent", subject.handle)
    made = make_bundle(home, wallet, links, asked, audience=audience, now=now(), nonce=nonce)
    _write(edge, made.to_bytes(), output, f"{len(links)} links, valid for a minute")


def verify_(
    edge: Edge,
    file: Annotated[Path, typer.Argument(help="The bundle.")],
    trust: Annotated[Path | None, typer.Option(help="The trust folder; else the home's.")] = None,
    need: Annotated[
        str | None, typer.Option(help="ACTION:RESOURCE that is about to be done.")
    ] = None,
    at: Annotated[str | None, typer.Option(help="The instant, as 2026-11-23T09:00:00Z.")] = None,
    audience: Audience = None,
    nonce: Annotated[str | None, typer.Option(help="The nonce you asked for.")] = None,
    explain_: Annotated[bool, typer.Option("--explain", help="Print the account.")] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Say so: verification never uses the network.")
    ] = False,
    remember: Annotated[
        bool, typer.Option(help="Note the newest lists and revisions in the trust folder.")
    ] = True,
    document: Annotated[
        list[Path] | None,
        typer.Option(help="What `did resolve` printed: it may retire a key, and adds none."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="Fetch the chain's DID documents from this host; they may retire keys."),
    ] = None,
) -> None:
    """Verify a bundle: exit 0 accepted, 1 rejected, 3 undecided, 4 malformed."""
    if offline and allow_host:
        raise typer.BadParameter("--offline fetches nothing: leave out --allow-host")
    folder = trust if trust is not None else edge.home().path / "trust"
    own = load_trust(folder)
    if audience is not None:
        own = dataclasses.replace(own, verifier=check_did(audience))
    when = typed.instant(at, now())
    parsed = Bundle.parse(files.read(file, size=MAX_BUNDLE))
    if need is not None:
        _same(parsed.request, need)
    given = [retiring.read(path) for path in document or ()]

    def judged(under: Trust) -> Explanation:
        return explain(
            parsed.presentation, parsed.evidence, under, parsed.request, at=when, nonce=nonce
        )

    found = judged(own.with_documents(given))
    if allow_host and found.verdict.authorization is not None:
        fetched = retiring.fetch(edge, found.verdict.authorization, allow_host, when)
        found = judged(own.with_documents([*given, *fetched]))
    if explain_ and not edge.json:
        show_explanation(found)
    yes = found.verdict.authorization
    if yes is None:
        if edge.json:
            edge.show(found.json if explain_ else found.verdict.json, "")
            raise typer.Exit(_exit(found.verdict))
        raise _refusal(found.verdict)
    if remember:
        save_seen(folder, yes.seen)
    edge.show(
        found.json if explain_ else found.verdict.json,
        f"accepted: {yes.actor} may {parsed.request.action} on {parsed.request.resource},\n"
        f"  authorised by {yes.sponsor} through {len(yes.links)} link(s)",
    )


def _refusal(verdict: Verdict) -> Error:
    """The refusal a verdict tells, to be raised."""
    code = verdict.code or "unavailable"
    return error(code, verdict.detail, link=verdict.link, dimension=verdict.dimension)


def _exit(verdict: Verdict) -> int:
    return {"accepted": 0, "rejected": 1, "undecided": 3, "malformed": 4}[verdict.state]


def _same(request: Request, need: str) -> None:
    action, resource = typed.pair(need)
    if (request.action, request.resource) != (action, resource):
        raise error(
            "request-mismatch",
            f"the bundle is for {request.action}:{request.resource}, not for {need}",
        )


@command(bundle, "export")
def bundle_export(
    edge: Edge,
    links: Annotated[list[str], typer.Argument(help="Link files or ids, root first.")],
    need: Annotated[str | None, typer.Option(help="ACTION:RESOURCE; else the grant's own.")] = None,
    rows: typed.Rows = None,
    task: typed.Task = None,
    audience: Audience = None,
    output: Output = None,
) -> None:
    """Put links, an invocation by their holder, and evidence into one file."""
    home = edge.home()
    chain = [home.link(name) for name in links]
    if need is None:
        need = _only_need(chain[-1].authority.json["grants"])
    asked = typed.request(need, home, {"rows": rows, "task": task})
    holder = home.subject(chain[-1].subject)
    wallet = home.open_wallet("agent", holder.handle)
    made = make_bundle(home, wallet, chain, asked, audience=audience, now=now())
    _write(edge, made.to_bytes(), output, f"{len(chain)} links, valid for a minute")


def _only_need(grants: list[dict[str, list[str]]]) -> str:
    pairs = [f"{a}:{r}" for grant in grants for a in grant["actions"] for r in grant["resources"]]
    if len(pairs) == 1 and not pairs[0].endswith("*") and ".*:" not in pairs[0]:
        return pairs[0]
    raise error("shape", "say what is about to be done: --need ACTION:RESOURCE")


@command(evidence, "refresh")
def evidence_refresh(
    edge: Edge,
    file: Annotated[Path | None, typer.Argument(help="A bundle whose evidence to renew.")] = None,
    agent: Annotated[str | None, typer.Option(help="Write this agent's evidence instead.")] = None,
    output: Output = None,
) -> None:
    """Sign again what ages (lists, feed, sponsor credentials), and staple it afresh."""
    home = edge.home()
    changed = refresh(home, home.open_wallet("organization"), now())
    told = "renewed " + (", ".join(changed) or "nothing: all is fresh")
    if file is not None:
        before = Bundle.parse(files.read(file, size=MAX_BUNDLE))
        parties = _parties(before)
        fresh: Evidence = gather(home, parties)
        _write(edge, dataclasses.replace(before, evidence=fresh).to_bytes(), output or file, told)
    elif agent is not None:
        found = gather(home, [home.subject(agent).did])
        _write(edge, found.to_bytes(), output, told)
    else:
        edge.show({"renewed": changed}, told)


@command(evidence, "show")
def evidence_show(
    edge: Edge, file: Annotated[Path, typer.Argument(help="A bundle, or evidence by itself.")]
) -> None:
    """Show what a bundle or evidence has, and how old it is. Nothing of it is verified."""
    value = parse_object(files.read(file, size=MAX_BUNDLE), size=MAX_BUNDLE)
    inner = value.get("evidence", {}) if "presentation" in value else value
    rows = evidence_rows(Evidence.from_json(inner), now())
    text = "\n".join(f"{row['kind']:<12} {row['of']}\n  {row['says']}" for row in rows)
    edge.show(rows, text or "no evidence")


def _parties(found: Bundle) -> list[str]:
    """Every DID on the path of a bundle, as its links state them."""
    out: list[object] = []
    for link in found.presentation.links:
        subject = link.document.get("credentialSubject")
        out += [link.document.get("issuer"), subject.get("id") if type(subject) is dict else None]
    return [did for did in out if type(did) is str]
