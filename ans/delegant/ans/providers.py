"""Provider labels: whose they are, for ever.

A label is bound by the operator, or claimed by a did:web organisation as the label of its own
domain; never to whoever comes first. Each binding is an entry of the log. Two organisations never
hold labels that could be mistaken for one another (``name-confusable``); one may hold several of
its own. No binding is ever undone: names under a label would change hands silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from delegant.credentials import PublicKey, did, shape
from delegant.credentials.codec import parse_object
from delegant.credentials.errors import Error, error

from .confusable import domain_label, skeleton
from .name import provider_label
from .sequencer import Batch
from .signing import check, version
from .store import Store

__all__ = ["Keys", "bind", "claimed"]

Keys = Sequence[PublicKey]
MAX_CLAIM: Final = 65_536
SKEW_SECONDS: Final = 300
_CLAIM: Final = frozenset({"version", "registry", "label", "organization", "at", "proof"})


def bind(
    store: Store, batch: Batch, registry: str, label: str, organization: str, basis: str
) -> int:
    """Bind a label; the number of the log's entry.

    Raises:
        Malformed: ``ans-name``, ``shape``. Conflict: ``name-taken``, ``name-confusable``.
    """
    key, owner = provider_label(label), did.check(organization)
    bound = store.provider(batch.db, key)
    if bound is not None:
        if bound.organization != owner:
            raise error("name-taken", f"{label} belongs to {bound.organization}")
        return int(bound.leaf)
    looks = skeleton(key)
    for other in store.alike(batch.db, looks):
        if other.organization != owner:
            raise error("name-confusable", f"{label} looks like {other.shown}")
    number = batch.log(
        {
            "version": 1,
            "registry": registry,
            "kind": "provider",
            "type": "bind",
            "provider": key,
            "shown": label,
            "organization": owner,
            "basis": basis,
        }
    )
    store.bind(
        batch.db, label=key, shown=label, organization=owner, basis=basis, skeleton=looks,
        leaf=number,
    )  # fmt: skip
    return number


def claimed(data: bytes, registry: str, keys: Keys, at: int) -> tuple[str, str]:
    """The label and the organisation of a claim that its domain's own key signed.

    Raises:
        Malformed: the codes of phases 2 and 3, ``ans-name``. Rejected: ``audience``,
        ``invocation-expired``, ``holder-mismatch``, ``namespace``.
    """
    claim = parse_object(data, size=MAX_CLAIM)
    version(claim, "claim")
    shape.closed(claim, "claim", _CLAIM)
    label, organization = claim["label"], did.check(claim["organization"])
    provider_label(label)
    if claim["registry"] != registry:
        raise error("audience", "the claim is for another registry")
    if abs(shape.time(claim["at"], "claim.at") - at) > SKEW_SECONDS:
        raise error("invocation-expired", "the claim is not of now")
    if did.method_of(organization) != "web":
        raise error("namespace", "only a did:web has a domain: ask the operator for the label")
    try:
        check(claim, organization, keys)
    except Error as exc:
        raise error("holder-mismatch", exc.detail) from None
    if provider_label(domain_label(organization)) != provider_label(label):
        raise error("namespace", f"{label} is not the label of {organization}")
    return label, organization
