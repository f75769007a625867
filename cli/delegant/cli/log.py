"""`log`: read the log of names to its end, watch it, and witness it.

None of these commands trusts the registry: they read what it serves, or a copy on disk, and hold
it to a key that was known before. The log, and httpx with it, is imported where it is used.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from delegant.credentials import PrivateKey
from delegant.credentials.errors import error
from delegant.credentials.shape import closed
from delegant.wallet import Wallet, files, load_trust
from delegant.wallet.keystore import read_header

from .edge import Edge, command
from .serve import needs_server
from .typed import address, seconds

if TYPE_CHECKING:
    from delegant.ans.log.checkpoint import Checkpoint
    from delegant.ans.log.fetching import Fetch
    from delegant.ans.log.note import NoteKey, NoteSigner
    from delegant.ans.log.reading import LogReader
    from delegant.ans.replay import Entry

log = typer.Typer(no_args_is_help=True, help="The log of names: verify, watch, witness.")

Where = Annotated[str, typer.Argument(help="The registry's address, or a folder of tiles.")]
Key = Annotated[
    str | None, typer.Option(help="The log's note key, name+hash+key, or its registry.json.")
]
Folder = Annotated[
    Path | None, typer.Option("--trust", help="A trust folder that names the log; else the home's.")
]
Did = Annotated[str | None, typer.Option(help="The registry's DID; else the only one trusted.")]
Witnesses = Annotated[
    list[str] | None, typer.Option("--witness", help="With --key: the note key of a witness.")
]
Quorum = Annotated[
    int | None, typer.Option("--witness-quorum", help="How many witnesses must have cosigned.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(log, name="log")


@dataclass(frozen=True)
class Believed:
    """A log as it was named: where it is, and what is believed of it."""

    where: str
    key: NoteKey
    witnesses: list[NoteKey]
    quorum: int
    registry: str | None

    @contextmanager
    def reading(
        self, known: Checkpoint | None = None, save: Path | None = None
    ) -> Iterator[LogReader]:
        """What reads it, on from a checkpoint that was believed before.

        ``save``: a folder that gets a copy of whatever is read, laid out as it is served.
        """
        from delegant.ans.log.fetching import folder_fetch, http_fetch  # noqa: PLC0415 - httpx
        from delegant.ans.log.reading import LogReader  # noqa: PLC0415

        with ExitStack() as stack:
            if self.where.startswith(("http://", "https://")):
                url = self.where.rstrip("/") + "/"
                fetch: Fetch = stack.enter_context(http_fetch(url))
            elif Path(self.where).is_dir():
                fetch = folder_fetch(Path(self.where))
            else:
                raise error("not-found", f"{self.where} is neither an address nor a folder")
            yield LogReader(
                fetch if save is None else _saving(fetch, save),
                self.key,
                witnesses=self.witnesses,
                quorum=self.quorum,
                known=known,
            )


def _saving(fetch: Fetch, folder: Path) -> Fetch:
    def read(name: str) -> bytes:
        data = fetch(name)  # which refuses every name that is no path of a log
        files.make_folder((folder / name).parent)
        files.write(folder / name, data)
        return data

    return read


def _believed(
    edge: Edge,
    where: str,
    key: str | None,
    trust: Path | None,
    registry: str | None,
    witnesses: list[str] | None,
    quorum: int | None,
) -> Believed:
    from delegant.ans.log.note import NoteKey  # noqa: PLC0415

    if key is None:
        if witnesses:
            raise error("shape", "--witness goes with --key; a trust folder names its own")
        peers = load_trust(trust or edge.home().path / "trust").registries
        if registry is None and len(peers) != 1:
            raise error("shape", f"{len(peers)} registries are trusted here: say which, --registry")
        registry = registry or next(iter(peers))
        peer = peers.get(registry)
        if peer is None or peer.log is None:
            raise error("not-found", f"the trust folder names no log of {registry}")
        key, witnesses = peer.log, list(peer.witnesses)
        quorum = peer.quorum if quorum is None else quorum
    elif trust is not None:
        raise error("shape", "give --key or --trust, not both")
    known = [NoteKey.parse(text) for text in witnesses or ()]
    wanted = len(known) if quorum is None else quorum
    if not 0 <= wanted <= len(known):
        raise error("shape", f"{len(known)} witnesses are named, {wanted} are asked for")
    return Believed(where, _log_key(key), known, wanted, registry)


def _log_key(text: str) -> NoteKey:
    """A note key as it was typed, or as a ``registry.json`` has it."""
    from delegant.ans.log.note import NoteKey  # noqa: PLC0415

    if not Path(text).is_file():
        return NoteKey.parse(text)
    key = files.read_object(Path(text)).get("log")
    if type(key) is not str:
        raise error("not-found", f"{text} names no log")
    return NoteKey.parse(key)


@command(log, "verify")
def log_verify(
    edge: Edge,
    where: Where,
    key: Key = None,
    trust: Folder = None,
    registry: Did = None,
    witness: Witnesses = None,
    witness_quorum: Quorum = None,
    name: Annotated[str | None, typer.Option(help="And show the whole life of this name.")] = None,
    save: Annotated[
        Path | None, typer.Option(help="Keep a copy of the tiles in this folder.")
    ] = None,
) -> None:
    """Read a log from its first entry to its newest, and hold it to every rule of names.

    The root is computed again from the entries and compared with what was signed; the life of
    every name is replayed. The first entry that does not fit is named.
    """
    from delegant.ans.monitor import history, verify_log  # noqa: PLC0415

    believed = _believed(edge, where, key, trust, registry, witness, witness_quorum)
    with believed.reading(save=save) as reader:
        if name is None:
            found = verify_log(reader, believed.registry)
            edge.show(found.json, _summary(found.json))
            return
        entries, found = history(reader, name, believed.registry)
    rows = [entry.leaf.json | {"index": entry.index} for entry in entries]
    text = "\n".join(_line(entry) for entry in entries)
    edge.show(found.json | {"history": rows}, f"{_summary(found.json)}\n{name}\n{text}")


def _summary(value: dict[str, Any]) -> str:
    return (
        f"{value['origin']}: {value['size']} entries, and every one keeps the rules\n"
        f"  root       {value['root']}\n"
        f"  registry   {value['registry'] or 'nothing logged yet'}\n"
        f"  names      {value['names']}: {value['active']} active or expired, "
        f"{value['suspended']} suspended, {value['revoked']} revoked\n"
        f"  providers  {', '.join(value['providers']) or 'none'}"
        + "".join(
            f"\n! {row['kind']} at {row['index']} {row['time']}: {row['detail']}"
            for row in value.get("rewinds", ())
        )
    )


def _line(entry: Entry) -> str:
    leaf = entry.leaf.json
    whose = f"from {leaf['from']} to {leaf['agent']}" if "from" in leaf else f"of {leaf['agent']}"
    signer = "" if leaf["by"] == "agent" else f", by the {leaf['by']}"
    return f"  {entry.index:>6}  {leaf['time']}  {leaf['type']:<9} {whose}{signer}"


@command(log, "monitor")
def log_monitor(
    edge: Edge,
    where: Where,
    state: Annotated[Path, typer.Option(help="The file that remembers the last checkpoint.")],
    own: Annotated[
        list[str] | None, typer.Option(help="A provider label you own, LABEL or LABEL=DID.")
    ] = None,
    agent: Annotated[
        list[str] | None, typer.Option(help="A name and the agent it must be, NAME=DID.")
    ] = None,
    every: Annotated[
        str | None, typer.Option(help="Look again after so long, as 60s; else once.")
    ] = None,
    key: Key = None,
    trust: Folder = None,
    registry: Did = None,
    witness: Witnesses = None,
    witness_quorum: Quorum = None,
) -> None:
    """Look for what happened to the names you own; exit 1 when there is something.

    Reported are look-alikes of your labels and names, names registered under your labels, names
    that became another agent's or were suspended or revoked by others, and whatever breaks the
    rules. With --every it goes on until there is something. A log that shrank, or is another
    than the one seen before, is refused: keep both checkpoints.
    """
    from delegant.ans.monitor import Monitor, Watch  # noqa: PLC0415

    believed = _believed(edge, where, key, trust, registry, witness, witness_quorum)
    watch = Watch.of(own or (), agent or ())
    pause = None if every is None else seconds(every)
    known = _remembered(believed, state)
    monitor = Monitor(watch, believed.registry, known)
    with believed.reading(known) as reader:
        while True:
            report = monitor.look(reader)
            if report.findings or pause is None:
                edge.show(report.json, _report(report.json))
            # Told before it is remembered: what was not told is told again.
            files.write_json(state, {"version": 1, "checkpoint": reader.note})
            if report.findings:
                sys.stdout.flush()
                raise typer.Exit(1)
            if pause is None:
                return
            time.sleep(pause)


def _remembered(believed: Believed, state: Path) -> Checkpoint | None:
    """The checkpoint that was seen last; None where there is no state yet.

    Raises:
        Malformed: ``shape`` for a damaged file: it protects against rollback, so it is not
        silently begun anew. Rejected: ``log-note``.
    """
    from delegant.ans.log.checkpoint import open_checkpoint  # noqa: PLC0415

    if not state.exists():
        return None
    value = closed(files.read_object(state), state.name, frozenset({"version", "checkpoint"}))
    if value["version"] != 1 or type(value["checkpoint"]) is not str:
        raise error("shape", f"{state.name}: version is 1, checkpoint is a signed note")
    return open_checkpoint(value["checkpoint"], believed.key)


def _report(value: dict[str, Any]) -> str:
    lines = [f"{value['origin']}: {value['size']} entries, {value['since']} seen before"]
    lines += [f"  {row['name']}  {row['agent']}, {row['state']}" for row in value["names"]]
    for row in value["findings"]:
        when = f" {row['time']}" if "time" in row else ""
        lines.append(f"! {row['kind']} at {row['index']}{when}: {row['about']}: {row['detail']}")
    if value.get("more"):
        lines.append("! and more than that")
    return "\n".join(lines if value["findings"] else [*lines, "nothing you should look at"])


@command(log, "witness-key")
def log_witness_key(
    edge: Edge,
    name: Annotated[str, typer.Argument(help="Its name, as witness.example/w1.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The new file, under a passphrase.")],
) -> None:
    """Make the key of a witness; what is printed is public."""
    from delegant.ans.log.note import COSIGNATURE, NoteKey  # noqa: PLC0415

    NoteKey(name, COSIGNATURE, PrivateKey.generate().public)  # a name that no key has makes no file
    secret = edge.passphrases().get(f"witness {name}", new=True)
    signer = _signer(name, Wallet.create(out, secret, kind="witness", name=name))
    vkey = signer.key.vkey
    edge.show({"name": name, "key": vkey, "file": str(out)}, vkey)


@command(log, "witness")
def log_witness(
    edge: Edge,
    key_file: Annotated[Path, typer.Option(help="From `delegant log witness-key`.")],
    log_key: Annotated[
        list[str],
        typer.Option("--log", help="A log's note key, or its registry.json; several times."),
    ],
    bind: Annotated[
        str, typer.Option(help="HOST:PORT; port 0 picks a free one.")
    ] = "127.0.0.1:8089",
    state: Annotated[
        Path | None, typer.Option(help="What was cosigned last; else beside the key.")
    ] = None,
) -> None:
    """Cosign the checkpoints of logs that only grow, for whoever asks. Stop with Ctrl-C.

    A witness on the machine of the log, or in the same hands, is a demonstration: whoever could
    fork the log could fork its witness too. Run it elsewhere.
    """
    needs_server()
    from delegant.ans.log.witness import Witness  # noqa: PLC0415
    from delegant.resolver.listening import listen  # noqa: PLC0415 - needs the extra
    from delegant.resolver.witnessing import Book, PlainDeadline, witness_app  # noqa: PLC0415

    host, port = address(bind)
    logs = [_log_key(text) for text in log_key]
    header = read_header(key_file)
    secret = edge.passphrases().get(f"witness {header['name']}")
    signer = _signer(header["name"], Wallet.open(key_file, secret, kind="witness"))
    witness = Witness(signer, {one.name: [one] for one in logs})
    book = Book(state or key_file.with_name(f"{key_file.name}.seen.json"))

    def listening(url: str) -> None:
        told = (
            f"listening on {url}\nwitness {signer.key.vkey}\n"
            f"of {', '.join(one.name for one in logs)}\n"
            "on the machine of the log this is a demonstration, not independence"
        )
        value = {"listening": url, "key": signer.key.vkey, "logs": [one.name for one in logs]}
        print(json.dumps(value) if edge.json else told, flush=True)

    listen(witness_app(witness, book), host, port, listening, protocol=PlainDeadline)


def _signer(name: str, wallet: Wallet) -> NoteSigner:
    from delegant.ans.log.note import COSIGNATURE, NoteSigner  # noqa: PLC0415

    return NoteSigner(name, wallet.key(), COSIGNATURE)
