"""Receipts: the checkpoint above the proof, its witnesses, and what the submitter alone is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from delegant.ans.log.checkpoint import Checkpoint, add_signatures, cosign, sign_checkpoint
from delegant.ans.log.note import COSIGNATURE, ED25519, Note, NoteSigner, b64_encode
from delegant.credentials.codec import JsonObject
from limbo.ansdraft import GONE, NEWER, ORIGIN, PAUSED, Bend, Draft, Town, flipped
from limbo.ansgroups.receipt_log import provider_entry
from limbo.ansrows import answer, group, receipt
from world import T0

NOTE = "C2SP tlog-checkpoint, signed-note"
WITNESS = "C2SP tlog-cosignature"


# --- the checkpoint -----------------------------------------------------------------------------


def note(change: Callable[[str], str]) -> Bend:
    """Another text of the checkpoint."""
    return lambda d: d.receipt.update(checkpoint=change(d.receipt["checkpoint"]))


def signed(name: str = ORIGIN, party: str = "log", head: Callable[[Town], Checkpoint] | None = None,
           kind: int = ED25519) -> Bend:  # fmt: skip
    """Signed by somebody of this name with this key."""

    def bend(d: Draft) -> None:
        own = d.town
        signer = NoteSigner(name, own.world._key(party), kind)
        d.receipt["checkpoint"] = sign_checkpoint((head or Town.head)(own), signer)

    return bend


def written(change: Callable[[str], str]) -> Bend:
    """The log signed this text."""

    def bend(d: Draft) -> None:
        text = change(d.town.head().text)
        d.receipt["checkpoint"] = Note(text, (d.town.log.sign(text),)).encode()

    return bend


def extended(own: Town) -> Checkpoint:
    head = own.head()
    return Checkpoint(head.origin, head.size, head.root, ("an extension line",))


def stranger(d: Draft) -> None:
    """A line of a key nobody here knows, below the log's own."""
    own = d.town
    other = NoteSigner("stranger.example/log", own.world._key("stranger"))
    line = other.sign(own.head().text)
    d.receipt["checkpoint"] = add_signatures(d.receipt["checkpoint"], [line])


def unsigned(text: str) -> str:
    return text.split("\n\n", maxsplit=1)[0] + "\n\n"


def bent_signature(text: str) -> str:
    head, tail = text.rstrip("\n").rsplit(" ", 1)
    return f"{head} {flipped(tail, 20)}\n"


CHECKPOINT = group(
    "receipt::checkpoint",
    answer("honest", "A checkpoint by the log's key."),
    answer("stranger-beside", "A line of an unknown key is ignored, as the specification has it.",
           stranger),
    answer("extension-signed", "An extension line that the log signed.", signed(head=extended)),
    answer("unknown-key", "The log's name, and another key.", signed(party="mallory"), "log-note",
           importance="critical"),
    answer("registry-key", "The log's name, and the registry's key, which signs answers alone.",
           signed(party="registry"), "log-note", importance="critical"),
    answer("agent-key", "The log's name, and the agent's key.", signed(party="research"),
           "log-note"),
    answer("another-name", "The log's key under another name.", signed("acme.example/other"),
           "log-note"),
    answer("another-origin", "A tree of another log, signed by this log's key.",
           signed(head=lambda own: Checkpoint("other.example/log", *_of(own))), "log-note"),
    answer("as-a-witness", "The log's key, in the form of a witness.",
           lambda d: d.receipt.update(checkpoint=_cosigned_only(d.town)), "log-note"),
    answer("no-signature", "Nobody signed it.", note(unsigned), "log-note",
           importance="critical"),
    answer("stranger-alone", "Only an unknown key signed it.",
           signed("stranger.example/log", "stranger"), "log-note"),
    answer("signature-bent", "One bit of the signature is another.", note(bent_signature),
           "log-note"),
    answer("size-altered", "A larger size above the same signature.",
           note(lambda text: text.replace("\n11\n", "\n12\n")), "log-note"),
    answer("root-altered", "Another root above the same signature.",
           note(lambda text: _line(text, 2, flipped)), "log-note", importance="critical"),
    answer("root-of-31-bytes", "The log signed a root of 31 bytes.",
           written(lambda text: _line(text, 2, lambda _: b64_encode(bytes(31)))), "log-note"),
    answer("empty-tree-with-a-root", "The log signed a size of 0 above a root that has entries.",
           written(lambda text: _line(text, 1, lambda _: "0")), "log-note"),
    answer("size-beyond-2-63", "The log signed a size that no tree has.",
           written(lambda text: _line(text, 1, lambda _: str(2**63))), "log-note"),
    answer("blank-extension", "The log signed an extension line of nothing.",
           written(lambda text: text + "\n"), "log-note", twin="extension-signed"),
    answer("size-with-zero", "The size is spelled 011.",
           note(lambda text: text.replace("\n11\n", "\n011\n")), "log-note"),
    answer("size-signed", "The size is spelled +11.",
           note(lambda text: text.replace("\n11\n", "\n+11\n")), "log-note"),
    answer("size-negative", "A size below zero.",
           note(lambda text: text.replace("\n11\n", "\n-11\n")), "log-note"),
    answer("extension-added", "An extension line that nobody signed.",
           note(lambda text: text.replace("=\n\n", "=\nan extension line\n\n")), "log-note",
           twin="extension-signed"),
    answer("lines-end-in-cr", "Lines end in CR and LF.", note(lambda t: t.replace("\n", "\r\n")),
           "log-note"),
    answer("no-last-newline", "The last line does not end.", note(lambda t: t[:-1]), "log-note"),
    answer("text-behind", "A line behind the signatures.", note(lambda t: t + "more\n"),
           "log-note"),
    answer("hyphen-for-dash", "Signature lines begin with a dash, not a hyphen.",
           note(lambda t: t.replace("\u2014", "-")), "log-note"),
    answer("empty-text", "An empty checkpoint.", note(lambda _: ""), "log-note"),
    answer("no-text", "The checkpoint is an object.", lambda d: d.receipt.update(checkpoint={}),
           "shape"),
    answer("of-17000-characters", "A checkpoint longer than any.",
           note(lambda t: t + "x" * 17_000), "shape"),
    answer("no-log-in-trust", "The verifier's trust folder names no log: then nothing counts.",
           lambda d: d.registry.pop("log"), "key-unresolved"),
    answer("another-log-in-trust", "The verifier trusts another key for this log.",
           lambda d: d.registry.update(log=NoteSigner(ORIGIN, d.town.world._key("x")).key.vkey),
           "log-note"),
    spec=NOTE, twin="honest",
)  # fmt: skip


def _of(own: Town) -> tuple[int, bytes]:
    head = own.head()
    return head.size, head.root


def _cosigned_only(own: Town) -> str:
    head = own.head()
    signer = NoteSigner(ORIGIN, own.world._key("log"), COSIGNATURE)
    return Note(head.text, (cosign(head, signer, T0),)).encode()


def _line(text: str, number: int, change: Callable[[str], str]) -> str:
    lines = text.split("\n")
    lines[number] = change(lines[number])
    return "\n".join(lines)


# --- witnesses ----------------------------------------------------------------------------------


def witnessed(quorum: int, *by: int) -> Bend:
    return lambda d: d.witnessed(quorum, *by)


def own_witness(d: Draft) -> None:
    """The log's own key, trusted as one of two witnesses, cosigns."""
    own = d.town
    mirror = NoteSigner("mirror.example/w", own.world._key("log"), COSIGNATURE)
    keys = [own.witnesses[0].key.vkey, mirror.key.vkey]
    d.registry.update(witnesses=keys, quorum=2)
    lines = [cosign(own.head(), signer, T0) for signer in (own.witnesses[0], mirror)]
    d.receipt["checkpoint"] = add_signatures(own.note(), lines)


def twice(d: Draft) -> None:
    """One witness cosigns twice, a second apart."""
    d.witnessed(2, 0)
    again = cosign(d.town.head(), d.town.witnesses[0], T0 + 1)
    d.receipt["checkpoint"] = add_signatures(d.receipt["checkpoint"], [again])


def two_names(d: Draft) -> None:
    """One key under two names, both trusted."""
    own = d.town
    alias = NoteSigner("w1-again.example/w", own.world._key("witness1"), COSIGNATURE)
    d.registry.update(witnesses=[own.witnesses[0].key.vkey, alias.key.vkey], quorum=2)
    lines = [cosign(own.head(), signer, T0) for signer in (own.witnesses[0], alias)]
    d.receipt["checkpoint"] = add_signatures(own.note(), lines)


def bent(d: Draft) -> None:
    d.witnessed(1, 0)
    d.receipt["checkpoint"] = bent_signature(d.receipt["checkpoint"])


def other_head(d: Draft) -> None:
    """A trusted witness's line, from below another checkpoint."""
    d.witnessed(1)
    line = cosign(d.town.head(10), d.town.witnesses[0], T0)
    d.receipt["checkpoint"] = add_signatures(d.town.note(), [line])


WITNESSES = group(
    "receipt::witness",
    answer("two-of-two", "Both witnesses cosigned, both are wanted.", witnessed(2, 0, 1)),
    answer("one-of-two", "One of two is wanted, and one cosigned.", witnessed(1, 1)),
    answer("stranger-too", "A witness nobody asked for cosigned too.", witnessed(2, 0, 1, 2)),
    answer("none", "No witness cosigned.", witnessed(1), "log-witness", twin="one-of-two"),
    answer("too-few", "One cosigned, two are wanted.", witnessed(2, 0), "log-witness",
           importance="critical"),
    answer("stranger", "One trusted witness and a stranger.", witnessed(2, 0, 2), "log-witness",
           importance="critical"),
    answer("twice", "One witness, twice.", twice, "log-witness", importance="critical"),
    answer("two-names", "One key under two names.", two_names, "log-witness",
           importance="critical"),
    answer("the-log-itself", "The log's own key is no witness of it.", own_witness, "log-witness",
           importance="critical"),
    answer("bent", "One bit of a trusted witness's cosignature is another.", bent, "log-note",
           twin="one-of-two"),
    answer("of-another-checkpoint", "A cosignature of an older checkpoint.", other_head,
           "log-note", twin="one-of-two"),
    spec=WITNESS, twin="two-of-two",
)  # fmt: skip


# --- the submitter's receipt --------------------------------------------------------------------
def opened(**changes: Any) -> Callable[[Town], JsonObject]:
    """The submitter's receipt of NEWER, its opening bent."""

    def make(own: Town) -> JsonObject:
        made = own.receipt(own.names[NEWER][0], opening=True)
        opening: JsonObject = made["opening"]
        for name, value in changes.items():
            opening.pop(name) if value is None else opening.update({name: value})
        return made

    return make


def bound(own: Town) -> JsonObject:
    d = Draft(NEWER)
    provider_entry(d)
    return {**d.receipt, "opening": {"salt": "c2FsdCBvZiAxNiBieXRlcw"}}


def with_(**changes: Any) -> Callable[[Town], JsonObject]:
    return lambda own: own.receipt(own.names[NEWER][0]) | changes


OPENING = group(
    "receipt::opening",
    receipt("honest", "The submitter's receipt opens who stands behind the entry.", opened()),
    receipt("closed", "A receipt for everybody has no opening.", with_()),
    receipt("of-a-label", "The receipt of a label's binding.",
            lambda own: {k: v for k, v in bound(own).items() if k != "opening"}),
    receipt("revoked", "The receipt of a revocation.",
            lambda own: own.receipt(own.names[GONE][1])),
    receipt("suspended", "The receipt of a suspension by the sponsor.",
            lambda own: own.receipt(own.names[PAUSED][1], opening=True)),
    receipt("another-sponsor", "It names another sponsor than was logged.",
            lambda own: opened(sponsor=own.world.org.did)(own), "ans-signature",
            importance="critical"),
    receipt("another-salt", "Another salt.", opened(salt="AAAAAAAAAAAAAAAAAAAAAA"),
            "ans-signature"),
    receipt("short-salt", "A salt of four bytes, which can be guessed.", opened(salt="c2FsdA"),
            "ans-signature"),
    receipt("sponsor-withheld", "The sponsor is logged, and not opened.", opened(sponsor=None),
            "ans-signature"),
    receipt("chain-added", "A chain that was not logged.", opened(chain="uEiAAAA"),
            "ans-signature"),
    receipt("unknown-member", "A member nobody knows.", opened(name="Ana"), "unknown-member"),
    receipt("on-a-label", "An opening where nobody is named.", bound, "ans-signature",
            twin="of-a-label"),
    receipt("unknown-member-outside", "A member of the receipt that nobody knows.",
            with_(signature="z1"), "unknown-member", twin="closed"),
    receipt("version-2", "A receipt of a later version.", with_(version=2), "unknown-version",
            twin="closed"),
    receipt("version-text", "A version that is a text.", with_(version="1"), "shape",
            twin="closed"),
    receipt("no-json", "Bytes that are no JSON.", lambda _: b'{"version":1,', "json",
            twin="closed"),
    spec="docs/ans.md: receipts", twin="honest",
)  # fmt: skip
SHOWN = group(
    "receipt::opening",
    answer("shown-to-all", "An answer tells everybody what is the submitter's alone.",
           lambda d: d.agent.update(receipt=d.town.receipt(d.town.names[NEWER][0], opening=True)),
           "ans-signature", NEWER),
    spec="docs/ans.md: receipts", twin="receipt::leaf::honest",
)  # fmt: skip

CASES = [*CHECKPOINT, *WITNESSES, *OPENING, *SHOWN]
