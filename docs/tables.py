"""The tables of `verifier.md`, from the constants and docstrings of the core."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from delegant.credentials import (
    CODES,
    Limits,
    approval,
    budget,
    capability,
    codec,
    credential,
    did,
    documents,
    evidence,
    feed,
    invocation,
    path,
    policy,
    resource,
    shape,
    standing,
    verifier,
)

__all__ = ["BLOCKS", "phases"]

FILES: Final = {
    1: ("budget", "codec", "presentation"),
    2: ("codec", "jose", "grammar"),
    3: ("credential", "identity", "invocation", "approval", "request"),
    4: ("chain",),
    5: ("chain", "capability", "constraint"),
    6: ("chain", "envelope", "keys"),
    7: ("path", "approved", "retired", "documents"),
    8: ("standing",),
    9: ("standing", "status", "feed"),
    10: ("act",),
    11: ("act", "constraint", "approved"),
    12: ("act",),
}
"""Where each phase is to be read."""

AGAINST: Final = {
    1: "`verifier.limits` of the trust folder, and the hard caps",
    2: "RFC 8259, with one spelling where others would read two",
    3: "the profile, which the JSON Schemas in `schemas/` state too",
    4: "the link before it",
    5: "the link before it, so the whole chain: the order is transitive",
    6: "the key the link above pins; for the first link the DID's own, else the trust folder's, "
    "else the sponsor credential's",
    7: "`anchors` and `seen.revision` of the trust folder, and evidence signed under them; "
    "documents the verifier fetched, or one of its `resolvers` signed",
    8: "`at`",
    9: "lists and feed signed by the authority the sponsor credential names, `maxStatusAge`, "
    "`requireFeed`, `seen.lists`, `seen.feeds`",
    10: "the holder's key, `verifier.id`, the nonce asked for, `at`",
    11: "the `Request` the enforcement point built, the sponsor credential, the anchor's "
    "`ceiling`, and of the invocation what approvals must be of",
    12: "`verifier.ledgers`; the ledger itself is the enforcement point's",
}
"""What each phase compares with."""


_TEXT: Final = re.DOTALL | re.MULTILINE


def phases() -> dict[int, tuple[str, str]]:
    """Title and sentence of each phase, as the verifier's docstring has them."""
    found = re.findall(
        r"^ ?(\d+)\. \*(.+?)\.\* (.+?)(?=\n ?\d+\. |\n\n)", verifier.__doc__ or "", _TEXT
    )
    return {
        int(number): (title, re.sub(r"\s+", " ", text).replace("``", "`"))
        for number, title, text in found
    }


def checks() -> list[str]:
    """The numbered phases: what must hold, against what, where, and the codes of a refusal."""
    lines: list[str] = []
    for number, (title, text) in phases().items():
        where = ", ".join(f"`{name}.py`" for name in FILES[number])
        codes = ", ".join(f"`{c.name}`" for c in CODES.values() if c.phase == number)
        lines += [
            f"{number}. **{title}.** {text} *Against* {AGAINST[number]}; *in* {where}.<br>",
            f"{' ' * len(f'{number}. ')}{codes}",
        ]
    return lines


def limits() -> list[str]:
    """Every limit: the member of the trust folder that sets it, its default, how far it goes."""
    own, hard = Limits(), budget.HARD
    rows = [
        ("links in a chain", "limits.links", own.links, hard.links, "limit-links"),
        ("presentation", "limits.presentation", _size(own.presentation),
         _size(hard.presentation), "limit-size"),
        ("evidence", "limits.evidence", _size(own.evidence), _size(hard.evidence), "limit-size"),
        ("JSON: nesting; members and items", "", "",
         f"{codec.MAX_DEPTH}; {codec.MAX_MEMBERS:,}", "limit-depth limit-members"),
        ("invocation; an approval", "", "",
         f"{_size(invocation.MAX_INVOCATION)}; {_size(approval.MAX_APPROVAL)}", "limit-size"),
        ("approvals", "", "", shape.MAX_SET, "limit-items"),
        ("items of each kind of evidence", "", "", evidence.MAX_ITEMS, "limit-items"),
        ("grants; actions, resources of one; members of a set", "", "",
         f"{capability.MAX_GRANTS}; {capability.MAX_ACTIONS}, {capability.MAX_RESOURCES}; "
         f"{shape.MAX_SET}", "limit-items"),
        ("characters of an action; a DID; a resource", "", "",
         f"{resource.MAX_ACTION}; {did.MAX_LENGTH}; {shape.MAX_URL:,}", "shape"),
        ("comparisons of grants", "limits.comparisons", f"{own.comparisons:,}",
         f"{hard.comparisons:,}", "limit-comparisons"),
        ("signature checks: links, invocation, approvals", "limits.chainSignatures",
         own.chain_signatures, hard.chain_signatures, "limit-signatures"),
        ("signature checks: evidence", "limits.evidenceSignatures", own.evidence_signatures,
         hard.evidence_signatures, "limit-signatures"),
        ("a status list, decompressed", "limits.statusList", _size(own.status_list),
         _size(hard.status_list), "limit-size"),
        ("all lists of one verification, decompressed", "", f"{path.MAX_LISTS} times that",
         f"{path.MAX_LISTS} times that", "limit-size"),
        ("entries of a revocation feed", "", "", f"{feed.MAX_ENTRIES:,}", "limit-items"),
        ("a revocation feed; a resolver's statement", "", "",
         f"{_size(feed.MAX_FEED)}; {_size(documents.MAX_STATEMENT)}", "limit-size"),
        ("life of a grant", "maxGrantSeconds", _span(policy.DEFAULT_GRANT_SECONDS),
         _span(credential.GRANT_HARD_SECONDS), "ttl-too-long"),
        ("life of a mandate", "maxMandateSeconds", _span(policy.DEFAULT_MANDATE_SECONDS),
         _span(credential.MANDATE_HARD_SECONDS), "ttl-too-long"),
        ("life of a sponsor credential; an identity", "", "",
         f"{_span(credential.SPONSOR_HARD_SECONDS)}; {_span(credential.IDENTITY_HARD_SECONDS)}",
         "ttl-too-long"),
        ("life of an invocation", "", "", _span(invocation.INVOCATION_HARD_SECONDS),
         "invocation-expired"),
        ("life of an approval", "", "", _span(approval.APPROVAL_HARD_SECONDS), "approval"),
        ("life of a grant without status bits", "", "", _span(credential.STATUS_FREE_SECONDS),
         "status-missing"),
    ]  # fmt: skip
    return [
        "| what | set by | default | at most | code |",
        "|---|---|---|---|---|",
        *[_row(what, _code(by), default, most, _code(codes))
          for what, by, default, most, codes in rows],
    ]  # fmt: skip


def freshness() -> list[str]:
    """Whose clock, and how much grace."""
    skew, ages = _span(standing.SKEW_SECONDS), policy.DEFAULT_STATUS_AGE
    least = _span(credential.STATUS_FREE_SECONDS)
    return [
        "| of what | rule | else |",
        "|---|---|---|",
        _row("a start: link, sponsor credential, identity", f"at most {skew} ahead of `at`",
             "`not-yet-valid`"),
        _row("an end of one of these", "after `at`, without grace", "`expired`"),
        _row("invocation", f"`iat` at most {skew} ahead, `exp` after `at` and at most "
             f"{_span(invocation.INVOCATION_HARD_SECONDS)} after `iat`", "`invocation-expired`"),
        _row("approval", f"`iat` at most {skew} ahead, `exp` after `at` and at most "
             f"{_span(approval.APPROVAL_HARD_SECONDS)} after `iat`", "`approval`"),
        _row("status list, resource of high sensitivity",
             f"at most {_span(ages['high'])} old (`maxStatusAge.high`)", "`status-stale`"),
        _row("status list, resource under `lowSensitivity`",
             f"at most {_span(ages['low'])} old (`maxStatusAge.low`)", "`status-stale`"),
        _row("status list", f"not past its `validUntil`; not from more than {skew} ahead",
             "`status-stale`, `status-unknown`"),
        _row("status list", "no older than `seen.lists` has met", "`status-rollback`"),
        _row("revocation feed", "as young as a list, where one is shown, `requireFeed` asks for "
             "it, or `seen.feeds` has met one",
             "`status-missing`, `status-stale`, `status-unknown`"),
        _row("revocation feed", "no lower `seq` than `seen.feeds` has met", "`status-rollback`"),
        _row("DID document", f"listing asked of the newest, from at most {skew} ahead of `at` and "
             "not past its `validUntil`; `revoked` and deactivated of all", "`key-retired`"),
        _row("sponsor credential", "no lower `revision` than `seen.revision` has met",
             "`sponsor-rollback`"),
        _row("grant without status entry", f"lives at most {least}; its parent's bits kill it",
             "`status-missing`"),
    ]  # fmt: skip


def states() -> list[str]:
    """The four states: exit status, and the HTTP statuses of the verifier's codes."""
    says = {
        "rejected": "understood, and no",
        "undecided": "something needed is absent, stale or unknown; never a yes",
        "malformed": "not documents of ours, or beyond a limit",
    }
    lines = [
        "| state | says | exit | HTTP |",
        "|---|---|---|---|",
        "| accepted | yes, once the obligations are discharged | 0 | 200 |",
    ]
    for state, text in says.items():
        codes = [c for c in CODES.values() if c.phase and c.cls.state == state]
        exits = sorted({c.cls.exit_status for c in codes})
        http = sorted({c.http for c in codes})
        lines.append(_row(state, text, *exits, ", ".join(map(str, http))))
    return lines


BLOCKS: Final[dict[str, Callable[[], list[str]]]] = {
    "checks": checks,
    "limits": limits,
    "freshness": freshness,
    "states": states,
}
"""What stands between ``<!-- NAME -->`` and ``<!-- /NAME -->``."""


def _row(*cells: object) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _code(words: str) -> str:
    return ", ".join(f"`{word}`" for word in words.split())


def _size(count: int) -> str:
    """Bytes as one says them."""
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if count % unit == 0:
            return f"{count // unit} {name}"
    return f"{count:,} bytes"


_SPANS: Final = ((86_400, 2 * 86_400, "days"), (3600, 3600, "h"), (60, 300, "min"))
"""A unit in seconds, from how many on it is used, and its name."""


def _span(seconds: int) -> str:
    """Seconds as one says them: 30 s, 15 min, 24 h, 90 days."""
    for unit, least, name in _SPANS:
        if seconds % unit == 0 and seconds >= least:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"
