"""Provider labels: whose they are, for ever.

A label is bound by the operator, or claimed by a did:web organisation as the label of its own
domain; never to whoever comes first. Each binding is an entry of the log. Two organisations never
hold labels that could be mistaken for one another (``name-confusable``); one may hold several of
its own. No binding is ever undone: names under a label would change hands silently.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from delegant.credentials import PublicKey, did, shape
from delegant.credentials.codec import JsonObject, parse_object
from delegant.credentials.errors import Error, error

from .batch import Added, Batch
from .confusable import domain_label, skeleton
from .name import provider_label
from .signing import check, version
from .store import Store

__all__ = ["Binding", "Keys", "claimed"]

Keys = Sequence[PublicKey]
MAX_CLAIM: Final = 65_536
SKEW_SECONDS: Final = 300
_CLAIM: Final = frozenset({"version", "registry", "label", "organization", "at", "proof"})


class Binding:
    """A label, to be bound for ever (`batch.Change`).

    Args:
        registry: whose label it is.
        receipt: gives the receipt of an entry of the log.

    Raises:
        Malformed: ``ans-name``, ``shape``; from `add`, Conflict: ``name-taken``,
        ``name-confusable``.
    """

    digest = None
    key = None
    once = None

    def __init__(
        self,
        store: Store,
        registry: str,
        label: str,
        organization: str,
        basis: str,
        receipt: Callable[[int], JsonObject],
    ) -> None:
        self.label = provider_label(label)
        self.receipt = receipt
        self._store = store
        self._registry = registry
        self._shown = label
        self._owner = did.check(organization)
        self._basis = basis

    def add(self, batch: Batch) -> Added:
        """The binding and its leaf."""
        bound = self._store.provider(batch.db, self.label)
        if bound is not None:
            if bound.organization != self._owner:
                raise error("name-taken", f"{self._shown} belongs to {bound.organization}")
            return Added(int(bound.leaf), known=True)
        looks = skeleton(self.label)
        for other in self._store.alike(batch.db, looks):
            if other.organization != self._owner:
                raise error("name-confusable", f"{self._shown} looks like {other.shown}")
        number = batch.log(
            {
                "version": 1,
                "registry": self._registry,
                "kind": "provider",
                "type": "bind",
                "provider": self.label,
                "shown": self._shown,
                "organization": self._owner,
                "basis": self._basis,
            }
        )
        self._store.bind(
            batch.db, label=self.label, shown=self._shown, organization=self._owner,
            basis=self._basis, skeleton=looks, leaf=number,
        )  # fmt: skip
        batch.bound(self.label, self._owner)
        return Added(number)


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
