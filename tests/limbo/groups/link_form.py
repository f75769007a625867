"""The same attacks on chains of vc+jwt, and on chains of both forms: no form is judged less."""

from __future__ import annotations

from altered import (
    block,
    both,
    cut_head,
    cut_middle,
    do,
    doc,
    doubled,
    grafted,
    loop,
    reorder,
    same_id_other_content,
)
from altered_evidence import later, revoked, seen_revision
from delegant.credentials import digest
from limbo.crafts import forms
from limbo.forge import Alter, Case
from limbo.groups.link import leaf_subject, parent, signer, skips, splice
from limbo.rows import accepted, group, malformed, rejected, undecided
from world import T0, World

EVERY = (("jwt", "all three as vc+jwt", ("link-0", "link-1", "link-2")),
         ("mixed", "the middle one as vc+jwt", ("link-1",)),
         ("ends", "the first and the last as vc+jwt", ("link-0", "link-2")))  # fmt: skip
"""Which of three links are vc+jwt."""
MAKERS = {"rejected": rejected, "undecided": undecided, "malformed": malformed}
WIDE = {"actions": ["db.*"], "resources": ["urn:acme:papers:**"]}
ELSEWHERE = {"id": World().id("x"), "digestMultibase": digest(b"x")}

ATTACKS: tuple[tuple[str, str, Alter, str, str, int | None], ...] = (
    ("grafted", "a stranger hangs a link under the chain", grafted, "rejected", "chain-broken", 2),
    ("reordered", "two links change places", reorder, "rejected", "chain-broken", 1),
    ("middle-removed", "the middle one is left out", cut_middle, "rejected", "chain-broken", 1),
    ("head-removed", "the human's is left out", cut_head, "rejected", "chain-broken", 0),
    ("doubled", "the middle one stands twice", doubled, "rejected", "chain-broken", 2),
    ("other-content", "the middle one is signed again with less in it", same_id_other_content,
     "rejected", "chain-broken", 2),
    ("skipped", "the last names the first as its parent", skips, "rejected", "chain-broken", 2),
    ("spliced", "the middle one is of another chain", splice, "rejected", "chain-broken", 2),
    ("other-digest", "the last names its parent by another digest",
     parent(digestMultibase=digest(b"")), "rejected", "chain-broken", 2),
    ("hidden-grandparent", "the first names a parent", block(0, "parent", value=ELSEWHERE),
     "rejected", "chain-broken", 0),
    ("depth-lie", "the last says it is the second", block(2, "depth", value=1), "rejected",
     "depth", 2),
    ("remaining-equal", "what remains does not fall", block(2, "redelegation", "remaining",
     value=2), "rejected", "depth", 2),
    ("cycle", "the last gives to who is above", loop, "rejected", "cycle", 2),
    ("to-itself", "the last gives to its issuer", leaf_subject("retrieval"), "rejected", "cycle",
     2),
    ("sponsor-changed", "the last names another sponsor", lambda d: d.links[2].subject[
     "sponsor"].update(id=d.did("mia")), "rejected", "sponsor-changed", 2),
    ("action-widened", "the middle one widens an action", block(1, "grants", 0, value=WIDE),
     "rejected", "scope-widened", 1),
    ("resource-widened", "the last widens a resource", block(2, "grants", 0, "resources",
     value=["urn:acme:**"]), "rejected", "scope-widened", 2),
    ("end-widened", "the last outlives its parent", lambda d: d.links[2].doc.update(
     validUntil=d.links[0].doc["validUntil"]), "rejected", "scope-widened", 2),
    ("spawn-widened", "the middle one takes the right to spawn", block(1, "redelegation", "spawn",
     value=True), "rejected", "scope-widened", 1),
    ("to-widened", "the middle one names an organisation more", lambda d: d.links[1].subject[
     "redelegation"]["to"].append(d.did("evil-org")), "rejected", "scope-widened", 1),
    ("constraint-widened", "the last raises a limit", both(lambda d: d.constrain(1, "rows",
     {"max": 400}), block(2, "constraints", "rows", value={"max": 401})), "rejected",
     "scope-widened", 2),
    ("constraint-dropped", "the last drops a limit", both(lambda d: d.constrain(1, "rows",
     {"max": 400}), lambda d: d.links[2].subject.pop("constraints")), "rejected",
     "constraint-dropped", 2),
    ("mandate-below", "the middle one is a mandate", block(1, "use", value="mandate"), "rejected",
     "use", 1),
    *((f"signed-by-a-stranger-{index}", "one is by another key", signer(index, "mallory"),
       "rejected", "proof", index) for index in range(3)),
    ("signed-by-its-subject", "the last is by who receives it", signer(2, "dbquery"), "rejected",
     "proof", 2),
    ("rolled-back", "the sponsor credential is older than one seen", seen_revision(2), "rejected",
     "sponsor-rollback", None),
    ("expired", "the last is over", later(300), "rejected", "expired", 2),
    ("not-yet", "the first is not valid yet", do(at=T0 - 31), "rejected", "not-yet-valid", 0),
    *((f"revoked-{index}", "one is revoked", revoked("links", index), "rejected", "revoked", index)
      for index in range(3)),
    ("suspended", "the middle one is suspended", revoked("links", 1, 1), "rejected", "suspended",
     1),
    ("unidentified", "the holder shows no identity", lambda d: d.identities.pop(), "rejected",
     "delegate-not-allowed", 2),
    ("not-invoked", "nobody invoked it", do(invoked=False), "rejected", "holder-missing", None),
    ("not-granted", "something else is asked", lambda d: d.ask("db.drop", "urn:acme:papers:17"),
     "rejected", "no-grant", 0),
    ("too-many-rows", "501 rows are asked", lambda d: d.request.update(rows=501), "rejected",
     "constraint", 2),
    ("unknown-constraint", "the middle one has a constraint nobody knows",
     lambda d: d.constrain(1, "moonPhase", "full"), "undecided", "unknown-constraint", 1),
    ("unknown-version", "the middle one is of version 2", block(1, "version", value=2),
     "undecided", "unknown-version", 1),
    ("without-list", "no status list is shown", do(lists=[]), "undecided", "status-missing", 0),
    ("unknown-member", "the middle one has a member nobody knows", block(1, "note", value="x"),
     "malformed", "unknown-member", 1),
    ("extra-type", "the middle one has a third type", doc(1, "type", value=[
     "VerifiableCredential", "AgentDelegationCredential", "More"]), "malformed", "shape", 1),
    ("empty-actions", "the middle one grants no actions", block(1, "grants", 0, "actions",
     value=[]), "malformed", "empty-array", 1),
    ("other-context", "the middle one has other contexts", doc(1, "@context", value=[
     "https://www.w3.org/ns/credentials/v2"]), "malformed", "context", 1),
)  # fmt: skip


def attacks(form: str, told: str, which: tuple[str, ...]) -> list[Case]:
    """Every attack on a chain whose links have these forms."""
    out = [accepted(f"{form}-honest", f"An honest chain of three links, {told}.", forms(*which),
                    depth=3, features=("vc+jwt",))]  # fmt: skip
    for name, what, alter, state, code, link in ATTACKS:
        out.append(MAKERS[state](f"{form}-{name}", f"Three links, {told}: {what}.",
                                 both(forms(*which), alter), code, link, depth=3,
                                 twin=f"{form}-honest", features=("vc+jwt",),
                                 importance="critical"))  # fmt: skip
    return out


CASES = group("link::form", *(attacks(*one) for one in EVERY), spec="DESIGN, rule 2")
