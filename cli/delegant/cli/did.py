"""`did`: DIDs by themselves: made, and worked out from what is at hand. Nothing is fetched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from delegant.credentials import Error
from delegant.credentials.errors import error
from delegant.credentials.shape import time
from delegant.w3c import webvh
from delegant.w3c.dids import checked
from delegant.w3c.didurl import DidUrl, Options
from delegant.w3c.keys import EdSigner, Key
from delegant.w3c.resolution import Resolution, local
from delegant.wallet import Wallet, files

from .edge import Edge, command, now
from .typed import instant

did = typer.Typer(no_args_is_help=True, help="did:key, did:jwk and did:webvh.")
CONTEXTS = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"]
SIGNING = ("authentication", "assertionMethod", "capabilityInvocation", "capabilityDelegation")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(did, name="did")


@command(did, "create")
def did_create(
    edge: Edge,
    output: Annotated[Path, typer.Option("--output", "-o", help="The new wallet file.")],
    method: Annotated[str, typer.Option(help="key, jwk or webvh.")] = "key",
    kind: Annotated[str, typer.Option(help="agent or human.")] = "agent",
    place: Annotated[
        str | None,
        typer.Option(help="Of a did:webvh: where its log will be, as example.com/people/ana."),
    ] = None,
    log: Annotated[
        Path, typer.Option(help="Of a did:webvh: the new log, to be published there.")
    ] = Path("did.jsonl"),
) -> None:
    """Make a key and its DID, in an encrypted wallet file of its own.

    With --method webvh, the key is the only one that may update the DID, and its document lists
    it; the wallet goes by the key's did:key as well.
    """
    if kind not in ("agent", "human"):
        raise error("shape", "--kind is agent or human")
    if (method == "webvh") != (place is not None):
        raise error("shape", "--method webvh and --place go together")
    host, port, path = _place(place or "")
    if place is not None and log.exists():
        raise error("name-taken", f"{log} is there already")
    name = output.stem
    wallet = Wallet.create(
        output,
        edge.passphrases().get(f"{kind} {name}", new=True),
        kind="human" if kind == "human" else "agent",
        name=name,
        method="key" if place else method,
    )
    made = str(wallet.did)
    if place:
        signer = EdSigner(wallet.key("main"))
        made, line = webvh.create(host, path, signer, _document(signer.public), at=now(), port=port)
        files.write(log, line)
        edge.show(
            {"did": made, "wallet": str(output), "log": str(log)},
            f"{made}\n  key in {output}\n  publish {log} at {webvh.urls(made).log}",
        )
        return
    edge.show({"did": made, "wallet": str(output)}, f"{made}\n  in {output}")


def _place(place: str) -> tuple[str, int | None, tuple[str, ...]]:
    """Host, port and path of ``example.com:8443/people/ana``; refused before a key is made."""
    if not place:
        return "", None, ()
    authority, *path = place.rstrip("/").split("/")
    host, colon, port = authority.partition(":")
    if colon and not (port.isascii() and port.isdigit() and len(port) < 6):
        raise error("did-invalid", f"{port[:20]!r} is not a port")
    webvh.template(host, tuple(path), int(port) if colon else None)
    return host, int(port) if colon else None, tuple(path)


def _document(key: Key) -> dict[str, object]:
    method = {
        "id": f"{{DID}}#{key.multikey}",
        "type": "Multikey",
        "controller": "{DID}",
        "publicKeyMultibase": key.multikey,
    }
    return {
        "@context": CONTEXTS,
        "verificationMethod": [method],
        **{name: [method["id"]] for name in SIGNING},
    }


@command(did, "resolve")
def did_resolve(
    edge: Edge,
    name: Annotated[str, typer.Argument(help="The DID, perhaps with ?versionId=…")],
    log: Annotated[
        Path | None, typer.Option("--log", help="The log of a did:webvh: its did.jsonl.")
    ] = None,
    witness: Annotated[
        Path | None, typer.Option("--witness", help="Its did-witness.json, where there is one.")
    ] = None,
    version_number: Annotated[
        int | None, typer.Option("--version-number", help="The version wanted, from 1.")
    ] = None,
    version_id: Annotated[
        str | None, typer.Option("--version-id", help="The version wanted, in full.")
    ] = None,
    version_time: Annotated[
        str | None, typer.Option("--version-time", help="The version in force at that time.")
    ] = None,
    at: Annotated[str | None, typer.Option("--at", help="2026-11-23T09:00:00Z; else now.")] = None,
) -> None:
    """Print the DID resolution result: document, metadata, or what is wrong.

    A did:key or did:jwk follows from itself, a did:webvh from its log. The result is JSON on
    standard output, of a failure too; the exit status tells the kind of failure.
    """
    try:
        moment = None if version_time is None else time(version_time, "--version-time")
        options = Options(version_id=version_id, version_number=version_number, version_time=moment)
        found = _resolved(name, options, log, witness, instant(at, now()))
    except Error as exc:
        result = webvh.failed(exc).json
        edge.show(result | exc.problem(), json.dumps(result, indent=2))
        if edge.json:
            raise typer.Exit(exc.exit_status) from None
        raise
    edge.show(found.json, json.dumps(found.json, indent=2, ensure_ascii=False))


def _resolved(
    text: str, options: Options, log: Path | None, witness: Path | None, at: int
) -> Resolution:
    if "?" in text:
        url = DidUrl.parse(text)
        asked = Options.read(url.parameters)
        if options.versioned or url.path or url.fragment is not None or asked.services:
            raise error("did-options", "only one version, of a whole document, can be asked for")
        name, options = url.did, asked
    else:
        name = checked(text)
    if not name.startswith("did:webvh:"):
        return local(name, options)
    webvh.read(name)
    if log is None:
        raise error("did-method", "a did:webvh follows from its log: --log did.jsonl")
    return webvh.resolve(
        name,
        files.read(log, size=webvh.MAX_LOG),
        witness=None if witness is None else files.read(witness, size=webvh.MAX_WITNESS),
        at=at,
        version_id=options.version_id,
        version_number=options.version_number,
        version_time=options.version_time,
    )
