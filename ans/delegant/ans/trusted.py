"""Whom a client of the naming service believes: one registry, its log, its log's witnesses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from delegant.credentials import Peer, PublicKey, Trust, did
from delegant.credentials.did import Did
from delegant.credentials.errors import error

from .log.note import COSIGNATURE, ED25519, NoteKey

__all__ = ["RegistryTrust"]


@dataclass(frozen=True, slots=True)
class RegistryTrust:
    """A registry as its verifier trusts it.

    Attributes:
        id: its DID: signs freshness tokens and answers.
        keys: its keys; those of the DID itself where that is its own key.
        log: signs the checkpoints of its log, and nothing else.
        witnesses, quorum: how many of which witnesses must have cosigned a checkpoint.
        url: where it is reached, if known.
        organizations: keys, by DID, of organisations whose signed word about a name can be
            checked; without them the registry's word for theirs has to do.
    """

    id: Did
    keys: tuple[PublicKey, ...]
    log: NoteKey
    witnesses: tuple[NoteKey, ...] = ()
    quorum: int = 0
    url: str | None = None
    organizations: Mapping[str, tuple[PublicKey, ...]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, registry: str, peer: Peer, organizations: Mapping[str, tuple[PublicKey, ...]] = {}
    ) -> RegistryTrust:
        """From an entry of a trust folder.

        Raises:
            Undecided: ``key-unresolved`` where it names no log: then no answer counts.
            Rejected: ``log-note`` for what is no note key of its kind.
        """
        name = did.check(registry)
        if peer.log is None:
            raise error("key-unresolved", f"the trust folder names no log of {name}")
        return cls(
            name,
            peer.keys,
            _note_key(peer.log, ED25519, "a log"),
            tuple(_note_key(one, COSIGNATURE, "a witness") for one in peer.witnesses),
            peer.quorum,
            peer.url,
            organizations,
        )

    @classmethod
    def from_trust(cls, trust: Trust, registry: str | None = None) -> RegistryTrust:
        """From a trust folder: the registry of this DID, or the only one.

        Raises:
            NotFound: ``not-found``; and what `of` raises.
        """
        if registry is None and len(trust.registries) == 1:
            (registry,) = trust.registries
        if registry is None or registry not in trust.registries:
            told = registry or f"one of {len(trust.registries)}: name its DID"
            raise error("not-found", f"no registry {told} in the trust folder")
        anchors = {name: anchor.keys for name, anchor in trust.anchors.items()}
        return cls.of(registry, trust.registries[registry], anchors)


def _note_key(text: str, kind: int, whose: str) -> NoteKey:
    key = NoteKey.parse(text)
    if key.kind != kind:
        raise error("log-note", f"{key.name} is no key of {whose}: it is of kind {key.kind:#04x}")
    return key
