"""What lies on a person's disk: wallets, the home, trust folders.

A `Wallet` holds the keys of one human, agent or organisation under a passphrase, in a file of
its own. A `Home` is the folder of an organisation with its people and agents. A trust folder is
a verifier's: `load_trust` reads it, `save_seen` remembers what an accepted verdict met.

This room writes files, durably and all or nothing, and talks to no network. A private key
leaves it only inside a `PrivateKey`. A process that acts for an agent never opens a human's
wallet.
"""

from .agents import create_agent, create_ephemeral, delegate, find_chain, make_bundle
from .attestations import (
    attest,
    attestation_evidence,
    attestations,
    find_attestation,
    read_attestation,
)
from .evidence import Known, gather
from .home import Home, Settings, Subject
from .keystore import Wallet
from .organization import add_human, create_home, refresh, renew_human
from .passphrase import Passphrases
from .registry import open_organization
from .rekeying import rotate_organization
from .rotation import renew_identity, rotate_agent, rotate_human
from .trustfolder import (
    TrustFolder,
    accredit,
    add_anchor,
    add_audit,
    add_registry,
    init_trust,
    load_trust,
    remove_anchor,
    remove_audit,
    remove_registry,
    save_seen,
    update_anchor,
)
from .webdids import WebSubject, web_document, web_subjects

__all__ = [
    "Home",
    "Known",
    "Passphrases",
    "Settings",
    "Subject",
    "TrustFolder",
    "Wallet",
    "WebSubject",
    "accredit",
    "add_anchor",
    "add_audit",
    "add_human",
    "add_registry",
    "attest",
    "attestation_evidence",
    "attestations",
    "create_agent",
    "create_ephemeral",
    "create_home",
    "delegate",
    "find_attestation",
    "find_chain",
    "gather",
    "init_trust",
    "load_trust",
    "make_bundle",
    "open_organization",
    "read_attestation",
    "refresh",
    "remove_anchor",
    "remove_audit",
    "remove_registry",
    "renew_human",
    "renew_identity",
    "rotate_agent",
    "rotate_human",
    "rotate_organization",
    "save_seen",
    "update_anchor",
    "web_document",
    "web_subjects",
]
