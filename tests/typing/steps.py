"""What a type proves: that parsing happened, that the chain holds, that the act is allowed.

This file is never run. mypy and pyright read it, and each line that must not pass says so with
the error it expects: an error that vanishes is an unused comment, and that is an error too.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from datetime import datetime
from typing import assert_type

from delegant.credentials import (
    AgentIdentity,
    Anchor,
    Approval,
    Authorization,
    Bundle,
    Evidence,
    Explanation,
    HumanSponsor,
    Link,
    Presentation,
    PrivateKey,
    PublicKey,
    Request,
    Secured,
    StatusList,
    Trust,
    Verdict,
    VerifiedChain,
    approve,
    decide,
    did,
    explain,
    issue_link,
    present,
    verify,
    verify_chain,
)
from delegant.credentials.credential import parse_human_sponsor, parse_link
from delegant.credentials.did import Did
from delegant.credentials.identity import parse_agent_identity
from delegant.credentials.status import parse_status_list


def act(_yes: Authorization) -> None:
    """What an enforcement point does: it needs a yes."""


def keep(_chain: VerifiedChain) -> None:
    """What a broker does: it needs a chain that holds."""


def delegate(_links: tuple[Link, ...]) -> None:
    """What an issuer does: it needs links that were parsed."""


# --- each step has its own type --------------------------------------------------------------


def steps(
    data: bytes, evidence: bytes, trust: Trust, request: Request, at: datetime, secured: Secured
) -> None:
    assert_type(verify(data, evidence, trust, request, at=at), Authorization)
    assert_type(verify_chain(data, evidence, trust, at=at), VerifiedChain)
    assert_type(decide(data, evidence, trust, request, at=at), Verdict)
    assert_type(explain(data, evidence, trust, None, at=at), Explanation)
    assert_type(Presentation.parse(data), Presentation)
    assert_type(Presentation.parse(data).links, tuple[Secured, ...])
    assert_type(Bundle.parse(data).evidence, Evidence)
    assert_type(parse_link(secured), Link)
    assert_type(parse_human_sponsor(secured), HumanSponsor)
    assert_type(parse_agent_identity(secured), AgentIdentity)
    assert_type(parse_status_list(secured), StatusList)
    assert_type(decide(data, evidence, trust, request, at=0).authorization, Authorization | None)


def yes_says_who(yes: Authorization, chain: VerifiedChain) -> None:
    assert_type(yes.links, tuple[Link, ...])
    assert_type(yes.anchor, Anchor)
    assert_type(yes.sponsor, Did)
    assert_type(chain.path, tuple[Did, ...])
    assert_type(yes.approvals, tuple[Approval, ...])
    keep(yes)  # who may act has a chain that holds


# --- nothing parsed is verified --------------------------------------------------------------


def parsed_is_not_verified(
    link: Link, sponsor: HumanSponsor, identity: AgentIdentity, shown: Presentation, bundle: Bundle
) -> None:
    keep(link)  # type: ignore[arg-type]
    keep(sponsor)  # type: ignore[arg-type]
    keep(identity)  # type: ignore[arg-type]
    keep(shown)  # type: ignore[arg-type]
    keep(bundle)  # type: ignore[arg-type]
    keep((link,))  # type: ignore[arg-type]
    act(link)  # type: ignore[arg-type]
    act(shown)  # type: ignore[arg-type]


def verified_chain_allows_no_act(chain: VerifiedChain, told: Explanation, said: Verdict) -> None:
    act(chain)  # type: ignore[arg-type]
    act(told)  # type: ignore[arg-type]
    act(said)  # type: ignore[arg-type]
    act(said.authorization)  # type: ignore[arg-type]
    act(told.verdict.authorization)  # type: ignore[arg-type]
    list(chain.obligations)  # type: ignore[attr-defined]
    list(chain.approvals)  # type: ignore[attr-defined]
    if said.authorization is not None:
        act(said.authorization)


def bytes_and_json_are_not_links(
    data: bytes, text: str, value: dict[str, object], item: Secured, shown: Presentation
) -> None:
    delegate((data,))  # type: ignore[arg-type]
    delegate((text,))  # type: ignore[arg-type]
    delegate((value,))  # type: ignore[arg-type]
    delegate((item,))  # type: ignore[arg-type]
    delegate(shown.links)  # type: ignore[arg-type]


def kinds_of_credential_are_not_each_other(
    link: Link, sponsor: HumanSponsor, identity: AgentIdentity, status: StatusList
) -> None:
    delegate((sponsor,))  # type: ignore[arg-type]
    delegate((identity,))  # type: ignore[arg-type]
    delegate((status,))  # type: ignore[arg-type]
    wrong: HumanSponsor = link  # type: ignore[assignment]
    other: AgentIdentity = sponsor  # type: ignore[assignment]
    del wrong, other


# --- nothing is left out, nothing stands in ----------------------------------------------------


def verifier_needs_trust_request_and_instant(
    data: bytes, evidence: bytes, trust: Trust, request: Request, folder: dict[str, object]
) -> None:
    verify(data, evidence, trust, request)  # type: ignore[call-arg]
    verify(data, evidence, trust, request, 0)  # type: ignore[call-arg]
    verify(data, evidence, request, at=0)  # type: ignore[call-arg, arg-type]
    verify(data, evidence, None, request, at=0)  # type: ignore[arg-type]
    verify(data, evidence, folder, request, at=0)  # type: ignore[arg-type]
    verify(data, evidence, trust, None, at=0)  # type: ignore[arg-type]
    verify(data, evidence, trust, folder, at=0)  # type: ignore[arg-type]
    verify(data, None, trust, request, at=0)  # type: ignore[arg-type]
    verify(data, evidence, trust, request, at=None)  # type: ignore[arg-type]
    verify(data, evidence, trust, request, at=1.5)  # type: ignore[arg-type]
    verify(data, evidence, trust, request, at="2026-11-23T09:00:00Z")  # type: ignore[arg-type]
    verify_chain(data, evidence, trust)  # type: ignore[call-arg]
    decide(data, evidence, trust, request)  # type: ignore[call-arg]


def presentation_holds_what_was_sent(links: tuple[Link, ...], chain: VerifiedChain) -> None:
    Presentation(links)  # type: ignore[arg-type]
    Presentation(chain.links)  # type: ignore[arg-type]
    Presentation(tuple(link.secured for link in links))


def holder_presents_links_with_a_private_key(
    links: tuple[Link, ...], public: PublicKey, private: PrivateKey, request: Request, who: Did
) -> None:
    present(links, public, audience=who, request=request, at=0)  # type: ignore[arg-type]
    assert_type(present(links, private, audience=who, request=request, at=0), Presentation)


def human_approves_a_request_with_a_private_key(
    links: tuple[Link, ...], public: PublicKey, private: PrivateKey, request: Request, who: Did
) -> None:
    approve(public, human=who, chain=links, request=request, audience=who, at=0)  # type: ignore[arg-type]
    approve(private, human=who, chain=links, request=request.digest, audience=who, at=0)  # type: ignore[arg-type]
    approve(private, human=who, chain=links, audience=who, at=0)  # type: ignore[call-arg]
    token = approve(private, human=who, chain=links, request=request, audience=who, at=0)
    present(links, private, audience=who, request=request, at=0, approvals=[token])
    assert_type(Approval.parse(token).token, str)


def issuer_continues_parsed_links(key: PrivateKey, raw: list[dict[str, object]], who: Did) -> None:
    issue_link(
        key,
        issuer=who,
        subject=who,
        organization=who,
        grants=[],
        valid_from=0,
        valid_until=1,
        above=raw,  # type: ignore[arg-type]
    )


def string_is_no_did_until_it_was_checked(text: str) -> None:
    did.key_of(text)  # type: ignore[arg-type]
    name: Did = text  # type: ignore[assignment]
    assert_type(did.check(text), Did)
    plain: str = did.check(text)
    del name, plain


def parsed_objects_do_not_change(link: Link, request: Request, trust: Trust) -> None:
    link.depth = 0  # type: ignore[misc]
    request.action = "db.write"  # type: ignore[misc]
    trust.verifier = None  # type: ignore[misc]
