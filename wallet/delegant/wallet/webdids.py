"""The documents of this home's did:webs: what `serve` answers, and anybody may see.

A document lists the key of now and those before, each with the instant it was revoked, so that
it can only take authority away: no verifier of ours learns a key from one. It names nobody:
people's DIDs are random words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from delegant.credentials.codec import JsonObject
from delegant.credentials.did import Did
from delegant.credentials.did import check as check_did
from delegant.credentials.errors import error
from delegant.credentials.keys import PublicKey
from delegant.w3c.didweb import Listed, document, path_of
from delegant.w3c.keys import Key

from . import files
from .home import Home
from .subject import Retired

__all__ = ["ISSUER_FILE", "WebSubject", "web_document", "web_issuer", "web_subjects"]

ISSUER_FILE: Final = "issuer.json"
"""The public keys of the generic issuer, for its document."""


@dataclass(frozen=True, slots=True)
class WebSubject:
    """A did:web of this home: its keys, present and past, and what it serves.

    Attributes:
        kind: organization, human, agent or issuer.
        path: where its document lies on the host, as ``/people/p-7f3a/did.json``.
    """

    did: Did
    kind: str
    keys: tuple[Listed, ...]
    services: tuple[JsonObject, ...] = ()

    @property
    def path(self) -> str:
        """Where its document lies on the host."""
        return path_of(self.did)

    @property
    def document(self) -> JsonObject:
        """The DID document."""
        return document(self.did, self.keys, services=self.services)


def web_subjects(home: Home) -> list[WebSubject]:
    """Every did:web of this home: the organisation, its generic issuer, people, agents."""
    found: list[WebSubject] = []
    base, url = home.settings.organization, home.settings.url
    if base.startswith("did:web:"):
        anchor = files.read_object(home.path / "anchor.json")
        services = ({"id": "#registry", "type": "DelegantRegistry", "serviceEndpoint": url + "/"},)
        keys = _listed(base, anchor["keys"], home.retired_keys())
        found.append(WebSubject(check_did(base), "organization", keys, services))
    issuer = web_issuer(home)
    if issuer is not None and (home.path / ISSUER_FILE).is_file():
        public = files.read_object(home.path / ISSUER_FILE)["keys"]
        only = ("assertionMethod",)
        issuing = tuple(Listed(Key.from_multikey(text), only) for text in public)
        found.append(WebSubject(issuer, "issuer", issuing))
    for subject in home.subjects():
        if not subject.did.startswith("did:web:"):
            continue
        where: Any = f"{url}/v1/evidence/{subject.did}"
        evidence = {"id": "#evidence", "type": "DelegantEvidence", "serviceEndpoint": where}
        found.append(
            WebSubject(
                check_did(subject.did),
                subject.kind,
                _listed(subject.did, [subject.key.multikey], subject.retired),
                (evidence,) if subject.kind == "agent" else (),
            )
        )
    return found


def web_issuer(home: Home) -> Did | None:
    """The did:web that issues credentials in general, where the organisation's own DID is one.

    It lies beside the organisation's, and no trust folder names it.
    """
    base = home.settings.organization
    return Did(f"{base}:issuer") if base.startswith("did:web:") else None


def web_document(home: Home, path: str) -> JsonObject:
    """The document that lies at a path of this home's host.

    Raises:
        NotFound: ``did-not-found``.
    """
    for one in web_subjects(home):
        if one.path == path:
            return one.document
    raise error("did-not-found", "no DID of this home has its document there")


def _listed(name: str, keys: list[str], retired: tuple[Retired, ...]) -> tuple[Listed, ...]:
    """The keys of now, then those before; one that ends is listed once, with its end."""
    past = {one.key: one for one in retired if one.did == name}
    out = [Listed(_key(text)) for text in keys if text not in past]
    out += [
        Listed(
            _key(one.key),
            expires=one.at if one.expires else None,
            revoked=None if one.expires else one.at,
        )
        for one in past.values()
    ]
    return tuple(out)


def _key(multikey: str) -> Key:
    return Key("Ed25519", PublicKey.from_multikey(multikey).raw)
