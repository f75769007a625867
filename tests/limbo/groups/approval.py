"""Approvals: how many humans must agree, who they may be, what exactly they sign, and for how long.

Mia and Leo are humans of Ana's organisation; the second link says that one of them must approve.
"""

from __future__ import annotations

from typing import Any

from altered import both, older_copy, t
from altered_evidence import low
from delegant.credentials import canonical, did, digest
from delegant.credentials.envelope import unpack
from draft import Draft, Given, list_doc
from limbo.crafts import flip, limits, signature
from limbo.forge import Alter
from limbo.groups.attenuation_constraint import approval as rule
from limbo.groups.status_feed import entry, feed
from limbo.rows import accepted, group, malformed, rejected, undecided

BITS = {"mia": 20_000, "leo": 21_000, "eve": 22_000, "research": 23_000, "retrieval": 24_000,
        "maker": 25_000}  # fmt: skip
"""The first status bit of each one's sponsor credential, beyond all that Ana was leased."""
ONE: dict[str, Any] = {"twin": "one-of-two", "importance": "critical"}
WEB = "did:web:acme.example:people:mia"
OTHER_LIST = "https://acme.example/status/9"


def jwk(d: Draft, name: str) -> str:
    """The did:jwk of somebody's key: the same key by another name."""
    return did.from_key(d.key(name).public, "jwk")


def human(name: str, called: Any = None) -> Alter:
    """A sponsor credential of the organisation for somebody."""

    def alter(d: Draft) -> None:
        one = older_copy(d.sponsors[0], d.key("org"))
        first, who = BITS[name] + (20 if called else 0), called(d) if called else d.did(name)
        one.doc |= {"id": d.world.id(f"sponsor/{who}"), "credentialStatus": [
            {**bit, "statusListIndex": str(first + number)}
            for number, bit in enumerate(one.doc["credentialStatus"])
        ]}  # fmt: skip
        one.doc["credentialSubject"]["id"] = who
        one.subject["status"] |= {"from": first + 2, "count": 8}
        d.sponsors.append(one)

    return alter


def asked(threshold: int = 1, *by: str, index: int = 1, over: Any = None) -> Alter:
    """So many of these (Mia and Leo, if nobody is named) must approve, from a link downwards."""

    def alter(d: Draft) -> None:
        names = [d.did(name) if ":" not in name else name for name in by or ("mia", "leo")]
        d.constrain(index, "approval", rule(threshold, names, over))

    return both(human("mia"), human("leo"), alter)


def given(by: str = "mia", **more: Any) -> Alter:
    """An approval; what is callable among its claims and header is asked of the draft."""

    def alter(d: Draft) -> None:
        made: dict[str, Any] = {
            name: {k: v(d) if callable(v) else v for k, v in value.items()}
            if isinstance(value, dict)
            else value
            for name, value in more.items()
        }
        d.approvals.append(Given(by, **made))

    return alter


def wrong(by: str = "mia", **more: Any) -> Alter:
    """One approval is asked for, and this is the one shown."""
    return both(asked(), given(by, **more))


def claim(**claims: Any) -> Alter:
    """Mia's approval with other claims."""
    return wrong(claims=claims)


def coins(value: str) -> Alter:
    return lambda d: d.request.update(amount={"unit": "EUR:2", "value": value})


def own(*by: str, threshold: int = 1) -> Alter:
    """Ana's own rights demand it, too."""
    return lambda d: (
        d.sponsors[0]
        .subject["entitlements"]
        .setdefault("constraints", {})
        .update(approval=rule(threshold, [d.did(name) for name in by], None))
    )


# --- how many, and for whom ------------------------------------------------------------------

COUNT = [
    accepted("one-of-two", "One of two must approve, and Mia does.", both(asked(), given())),
    undecided("none", "Nobody approved yet.", asked(), "approval-missing", 1, **ONE),
    accepted("the-other-of-two", "Leo does.", both(asked(), given("leo"))),
    accepted("more-than-needed", "Both do, and one would be enough.",
             both(asked(), given(), given("leo"))),
    accepted("two-of-two", "Both must, and both do.", both(asked(2), given(), given("leo"))),
    accepted("two-of-two-in-other-order", "In whatever order.",
             both(asked(2), given("leo"), given())),
    *(undecided(f"one-where-two-{name}", "Both must, and one does.", both(asked(2), given(name)),
                "approval-missing", 1, twin="two-of-two", importance="critical")
      for name in ("mia", "leo")),
    accepted("of-the-first-link", "The first link asks, the second restates it, one answers both.",
             both(asked(index=0), given())),
    undecided("none-of-the-first-link", "The first link asks, and is named.", asked(index=0),
              "approval-missing", 0, twin="of-the-first-link", importance="critical"),
    undecided("enough-for-the-first-link-only", "The first link asks for one, the second for two.",
              both(asked(index=0), asked(2), given()), "approval-missing", 1, twin="two-of-two",
              importance="critical"),
    accepted("of-the-human", "Ana's own rights ask for Mia.",
             both(human("mia"), own("mia"), given())),
    undecided("none-of-the-human", "Ana's own rights ask for Mia, in vain.",
              both(human("mia"), own("mia")), "approval-missing", twin="of-the-human",
              importance="critical"),
    undecided("of-the-link-not-of-the-human", "The link takes Leo, Ana's own rights ask for Mia.",
              both(asked(), own("mia"), given("leo")), "approval-missing",
              twin="of-link-and-human", importance="critical"),
    undecided("of-the-human-not-of-the-link", "Ana's own rights take Mia, the link asks for Leo.",
              both(asked(1, "leo"), own("mia"), given()), "approval-missing", 1,
              twin="of-link-and-human", importance="critical"),
    accepted("of-link-and-human", "The link asks for Leo, Ana's own rights for Mia; both do.",
             both(asked(1, "leo"), own("mia"), given(), given("leo"))),
    accepted("by-the-sponsor", "Ana herself must approve, and does.",
             both(asked(1, "ana"), given("ana"))),
    accepted("above-the-amount", "501 cents, more than 500 need one, and Mia approves.",
             both(asked(1, over="500"), coins("501"), given())),
    undecided("above-the-amount-by-nobody", "501 cents, and nobody approved.",
              both(asked(1, over="500"), coins("501")), "approval-missing", 1,
              twin="above-the-amount", importance="critical"),
    accepted("a-wrong-one-where-none-is-needed", "500 cents: nobody looks at what came along.",
             both(asked(1, over="500"), coins("500"), given("eve", claims={"exp": 0}))),
]  # fmt: skip

# --- of what ---------------------------------------------------------------------------------


def parent_digest(d: Draft) -> str:
    """The digest of the first link, not of the last."""
    return unpack(d.links[0].sign()).digest


def another_request(**facts: Any) -> Any:
    """The digest of the request with other facts."""
    return lambda d: digest(canonical(d.request | facts))


WHAT = [
    *(rejected(f"of-another-{name}", f"It approves {what}.",
               claim(request=another_request(**facts)), "approval", **ONE)
      for name, what, facts in (
          ("resource", "the neighbouring paper", {"resource": "urn:acme:papers:18"}),
          ("action", "a look, not a reading", {"action": "db.list"}),
          ("number-of-rows", "three rows less one", {"rows": 2}),
          ("body", "another body", {"bodyDigest": digest(b"another")}))),
    rejected("of-the-request-as-text", "The digest of nothing at all.",
             claim(request=digest(b"")), "approval", **ONE),
    rejected("of-the-chain-above", "It is of the first link: whoever holds that might use it.",
             claim(chain=parent_digest), "approval", **ONE),
    rejected("of-another-chain", "It is of another chain.", claim(chain=digest(b"another")),
             "approval", **ONE),
    *(rejected(f"for-{name}", f"It is for {who}.", claim(aud=lambda d, n=name: d.did(n)),
               "approval", **ONE)
      for name, who in (("org", "the organisation"), ("retrieval", "the agent"),
                        ("stranger", "another verifier"))),
    accepted("for-its-longest-life", "It lives 15 minutes, and 899 seconds of them are over.",
             claim(iat=lambda d: d.at - 899, exp=lambda d: d.at + 1)),
    accepted("from-a-clock-ahead", "Mia's clock is 30 seconds ahead.",
             claim(iat=lambda d: d.at + 30)),
    *(rejected(f"time-{name}", f"{how}.", claim(iat=lambda d, a=start: d.at + a,
                                                exp=lambda d, b=end: d.at + b), "approval",
               twin=twin, importance="critical")
      for name, how, start, end, twin in (
          ("over", "It ends this second", -900, 0, "for-its-longest-life"),
          ("long-over", "It ended a day ago", -87_300, -86_400, "for-its-longest-life"),
          ("too-long", "It would live 901 seconds", 0, 901, "one-of-two"),
          ("for-ever", "It would live for years", 0, 10**9, "one-of-two"),
          ("ahead", "It was signed 31 seconds from now", 31, 100, "from-a-clock-ahead"),
          ("none", "It ends as it begins", 10, 10, "one-of-two"),
          ("backwards", "It ends before it begins", 20, 10, "one-of-two"))),
]  # fmt: skip

# --- by whom ---------------------------------------------------------------------------------


def subjects(*more: str) -> Alter:
    """The organisation speaks for these, too."""
    return lambda d: d.trust["anchors"][0]["subjects"].extend(more)


def posing(name: str, called: Any = None) -> Alter:
    """The organisation says of an agent that it is a human, and it must approve, or Leo."""

    def alter(d: Draft) -> None:
        who = called(d) if called else d.did(name)
        d.constrain(1, "approval", rule(1, [who, d.did("leo")], None))
        d.approvals.append(Given(name, name=who))

    return both(human("leo"), human(name, called), subjects("did:jwk:**"), alter)


def child(d: Draft) -> None:
    """The last agent was made by a third one, who is in no link."""
    maker = older_copy(d.identities[1], d.key("ana"))
    maker.doc["credentialSubject"]["id"] = d.did("maker")
    maker.doc["id"] = d.world.id("identity/maker")
    maker.subject["spawn"] = True
    made = d.identities[1]
    made.doc["issuer"], made.signer = d.did("maker"), d.key("maker")
    made.subject.update(identityModel="child", parent=d.did("maker"))
    for link in d.links:
        link.subject["redelegation"]["spawn"] = True
    d.identities.append(maker)


def again(threshold: int, *names: Any) -> Alter:
    """So many of these must approve, and they do; a name may be somebody's did:jwk."""

    def alter(d: Draft) -> None:
        who = [(n, d.did(n)) if isinstance(n, str) else (n[0], jwk(d, n[0])) for n in names]
        by = sorted({called for _, called in who} | {d.did("leo")})
        d.constrain(1, "approval", rule(threshold, by, None))
        d.approvals += [
            Given(name, {"jti": f"a-{at}"}, name=called) for at, (name, called) in enumerate(who)
        ]

    return both(human("mia"), human("leo"), human("mia", lambda d: jwk(d, "mia")),
                subjects("did:jwk:**"), alter)  # fmt: skip


def beside(alter: Alter, *, first: bool) -> Alter:
    """Leo's right approval, and before or behind it another."""
    return both(alter, given("leo")) if first else both(given("leo"), alter)


JWK: dict[str, Any] = {"features": ("did:jwk",), "importance": "critical"}
WHO = [
    *(rejected(f"by-{name}", f"It is by {who}.", wrong(name), "approval", **ONE)
      for name, who in (
          ("ana", "Ana, whom nobody asked"), ("retrieval", "the agent itself"),
          ("research", "the agent above"), ("dbquery", "an agent below"),
          ("org", "the organisation"), ("db", "the verifier itself"), ("mallory", "a stranger"))),
    rejected("by-a-human-nobody-named", "Eve is a human like Mia, and none of those who may.",
             both(human("eve"), wrong("eve")), "approval", **ONE),
    *(rejected(f"beside-a-right-one-{name}", f"Leo's is right, and Eve's, {name} it, is not hers "
               "to give.", both(asked(), human("eve"), beside(given("eve"), first=first)),
               "approval", twin="more-than-needed", importance="critical")
      for name, first in (("before", True), ("behind", False))),
    *(rejected(f"beside-a-right-one-{name}", f"Leo's is right, Mia's is {what}.",
               both(asked(), given("leo"), given(**more)), "approval", twin="more-than-needed",
               importance="critical")
      for name, what, more in (
          ("over", "over", {"claims": {"iat": 0, "exp": 900}}),
          ("of-another-act", "of another act", {"claims": {"request": digest(b"")}}),
          ("forged", "by a stranger's key", {"key": "mallory"}))),
    *(rejected(f"{name}-attested", f"The organisation calls {who} a human, and it approves "
               "itself.", posing(name), "approval", twin="by-the-other-human",
               importance="critical")
      for name, who in (("retrieval", "the agent"), ("research", "the agent above"))),
    accepted("by-the-other-human", "The organisation calls the agent a human; Leo approves.",
             both(posing("retrieval"), lambda d: setattr(d, "approvals", [Given("leo")]))),
    *(rejected(f"{name}-under-its-other-name", f"{who} has a did:jwk of the same key, which the "
               "organisation calls a human.", posing(name, lambda d, n=name: jwk(d, n)),
               "approval", twin="by-the-other-human", **JWK)
      for name, who in (("retrieval", "The agent"), ("research", "The agent above"))),
    rejected("by-who-made-the-agent", "The agent was made by another, who approves it.",
             both(child, posing("maker")), "approval",
             twin="by-a-human-of-a-made-agent", importance="critical"),
    accepted("by-a-human-of-a-made-agent", "The agent was made by another; Mia approves.",
             both(child, asked(), given())),
    rejected("twice-by-one", "Mia approves twice, under two names of the token.",
             again(2, "mia", "mia"), "approval", twin="twice-by-two", importance="critical"),
    accepted("twice-by-two", "Mia and Leo approve.", again(2, "mia", "leo")),
    rejected("the-same-token-twice", "The same token stands twice.",
             both(asked(2), given(), given()), "approval", twin="two-of-two",
             importance="critical"),
    rejected("one-token-too-often", "One is enough, and the same token stands twice.",
             both(asked(), given(), given()), "approval", **ONE),
    rejected("two-names-of-one-key", "Mia's did:key and did:jwk approve: one human, one key.",
             again(2, "mia", ("mia",)), "approval", twin="other-name-of-one-key", **JWK),
    accepted("other-name-of-one-key", "Mia's did:jwk approves, and Leo.",
             again(2, ("mia",), "leo"), features=("did:jwk",)),
]  # fmt: skip

# --- with which key, in what form ------------------------------------------------------------


def token(change: Any) -> Alter:
    return wrong(after=change)


def web(pinned: str | None) -> Alter:
    """Mia has a web name, and her sponsor credential pins this key for it."""

    def alter(d: Draft) -> None:
        one = d.sponsors[1]
        one.doc["credentialSubject"]["id"] = WEB
        if pinned is not None:
            one.subject["key"] = d.key(pinned).public.multikey
        d.constrain(1, "approval", rule(1, [WEB], None))
        d.approvals.append(Given("mia", name=WEB))

    return both(asked(), subjects("did:web:acme.example:people:**"), alter)


SIGNED = [
    *(rejected(f"signed-by-{name}", f"Mia's name, {whose} key.", wrong(key=name), "approval", **ONE)
      for name, whose in (("mallory", "a stranger's"), ("leo", "Leo's"), ("ana", "Ana's"),
                          ("retrieval", "the agent's"))),
    rejected("signature-flipped", "One bit of the signature is turned.", token(signature(flip(7))),
             "approval", **ONE),
    rejected("signature-of-zeros", "64 bytes of zero.", token(signature(lambda _: bytes(64))),
             "approval", origin="CVE-2022-21449", **ONE),
    rejected("kid-of-another", "The kid is Leo's, the signature Mia's.", wrong(
        header={"kid": lambda d: did.vm_of(did.Did(d.did("leo")))}), "approval", **ONE),
    rejected("kid-with-anothers-fragment", "Mia's DID with Leo's fragment.", wrong(
        header={"kid": lambda d: f"{d.did('mia')}#{d.did('leo')[8:]}"}), "approval",
        origin="CVE-2024-42350", **ONE),
    rejected("in-anothers-name", "Mia's key and kid, Leo's name.", wrong(
        claims={"iss": lambda d: d.did("leo")}), "approval", **ONE),
    accepted("alg-ed25519", "Ed25519 is the newer name of the same (RFC 9864).",
             wrong(header={"alg": "Ed25519"})),
    *(undecided(f"alg-{name}", f"{alg}: an algorithm this verifier does not take.",
                wrong(header={"alg": alg}), "suite", origin=origin, **ONE)
      for name, alg, origin in (("none", "none", "RFC 8725, 2.1"),
                                ("hs256", "HS256", "CVE-2016-5431"), ("es256", "ES256", ""))),
    accepted("by-web-name", "Mia has a web name; her sponsor credential pins her key.",
             web("mia"), features=("did:web",)),
    rejected("by-web-name-of-another-key", "Her sponsor credential pins another key.",
             web("leo"), "approval", twin="by-web-name", features=("did:web",),
             importance="critical"),
    undecided("by-web-name-without-key", "Her sponsor credential pins none.", web(None),
              "key-unresolved", twin="by-web-name", features=("did:web",)),
    *(malformed(f"typ-{name}", f"A header whose typ is {value!r}: another kind of token.",
                wrong(header={"typ": value}), "shape", origin="RFC 8725, 3.11", **ONE)
      for name, value in (("invocation", "agent-invocation+jwt"), ("link", "vc+jwt"),
                          ("jwt", "JWT"), ("receipt", "agent-receipt+jwt"), ("null", None))),
    *(malformed(f"header-with-{name}", f"A header with {name}.",
                wrong(header={name: value}), "unknown-member", origin=origin, **ONE)
      for name, value, origin in (
          ("jwk", {"kty": "OKP", "crv": "Ed25519", "x": "AA"}, "CVE-2018-0114"),
          ("crit", ["exp"], "RFC 7515, 4.1.11"), ("b64", False, "RFC 7797"))),
    *(malformed(f"{name}-absent", f"{name} is required.", claim(**{name: ...}), "shape", **ONE)
      for name in ("iss", "aud", "iat", "exp", "jti", "chain", "request")),
    *(malformed(f"with-{name}", f"A claim {name} that an approval does not have.",
                claim(**{name: value}), "unknown-member", **ONE)
      for name, value in (("nonce", "n-1"), ("nbf", 0), ("scope", "db.*"), ("over", "500"))),
    malformed("exp-text", "exp is a text.", claim(exp="1790000900"), "shape", **ONE),
    malformed("iss-mail", "iss is a mail address.", claim(iss="mia@acme.example"), "shape", **ONE),
    malformed("signature-cut", "63 bytes.", token(signature(lambda s: s[:-1])), "shape", **ONE),
    malformed("payload-no-object", "The payload is a list.", token(
        lambda raw: ".".join([raw.split(".")[0], "W10", raw.split(".")[2]])), "shape", **ONE),
    malformed("too-long", "A token of more than 8 KiB.", token(lambda raw: raw + "A" * 8192),
              "limit-size", **ONE),
    malformed("the-invocation-itself", "The invocation once more, as an approval.",
              both(asked(), lambda d: setattr(d, "last", lambda b: b["presentation"].update(
                  approvals=[b["presentation"]["invocation"]]) or b)), "shape", **ONE),
    malformed("more-signatures-than-allowed", "One check is left after links and invocation.",
              both(asked(2), given(), given("leo"), limits(chainSignatures=4)),
              "limit-signatures", twin="as-many-signatures-as-allowed"),
    accepted("as-many-signatures-as-allowed", "Two checks are left after links and invocation.",
             both(asked(2), given(), given("leo"), limits(chainSignatures=5))),
]  # fmt: skip

# --- whether they still count ----------------------------------------------------------------


def mias(change: Any) -> Alter:
    """Mia approves, and her sponsor credential is another."""
    return both(wrong(), lambda d: change(d.sponsors[1]))


def untrusted(d: Draft) -> None:
    """Mia is attested by an organisation nobody trusts."""
    one = d.sponsors[1]
    one.doc["issuer"] = one.subject["organization"] = d.did("evil-org")
    one.signer = d.key("evil-org")


def revoked(bit: int) -> Alter:
    """A bit of Mia's own credential is set."""
    return both(wrong(), lambda d: d.revoke(d.sponsors[1], bit))


def apart(age: int | None) -> Alter:
    """Mia's own bits are in another list, which is so old, or not there."""

    def alter(d: Draft) -> None:
        for bit in d.sponsors[1].doc["credentialStatus"]:
            bit["statusListCredential"] = OTHER_LIST
        if age is not None:
            d.lists.append(list_doc(d.world, url=OTHER_LIST))
            d.lists[-1].doc["validFrom"] = t(-age)

    return both(wrong(), alter)


def seen(number: int) -> Alter:
    """The verifier has met such a revision of Mia's credential."""
    return both(wrong(), lambda d: d.trust.update(seen={"revision": {d.did("mia"): number}}))


STANDING = [
    rejected("of-somebody-unattested", "No sponsor credential says that Mia is a human.",
             both(wrong(), lambda d: d.sponsors.pop(1)), "no-human-root", **ONE),
    rejected("of-somebody-elses-human", "An organisation nobody trusts says who Mia is.",
             both(wrong(), untrusted), "root-untrusted", **ONE),
    rejected("of-nobody-we-hear-about", "The organisation does not speak for Mia here.",
             both(wrong(), lambda d: d.trust["anchors"][0].update(
                 subjects=[d.did("ana"), d.did("leo")])), "root-not-authoritative",
             twin="of-somebody-we-hear-about", importance="critical"),
    accepted("of-somebody-we-hear-about", "It does.",
             both(wrong(), lambda d: d.trust["anchors"][0].update(
                 subjects=[d.did("ana"), d.did("mia")]))),
    rejected("of-a-forged-human", "Mia's sponsor credential is signed by a stranger.",
             both(wrong(), lambda d: setattr(d.sponsors[1], "signer", d.key("mallory"))), "proof",
             **ONE),
    rejected("of-a-human-grown-old", "Mia's sponsor credential has just ended.",
             mias(lambda one: one.doc.update(validFrom=t(-80_000), validUntil=t(0))), "expired",
             twin="of-a-human-growing-old", importance="critical"),
    accepted("of-a-human-growing-old", "Mia's sponsor credential has a second left.",
             mias(lambda one: one.doc.update(validFrom=t(-80_000), validUntil=t(1)))),
    rejected("of-a-human-to-come", "Mia's sponsor credential begins in 31 seconds.",
             mias(lambda one: one.doc.update(validFrom=t(31))), "not-yet-valid",
             twin="of-a-human-coming", importance="critical"),
    accepted("of-a-human-coming", "It begins in 30 seconds.",
             mias(lambda one: one.doc.update(validFrom=t(30)))),
    rejected("of-a-human-for-too-long", "Mia's sponsor credential lives a second over a day.",
             mias(lambda one: one.doc.update(validUntil=t(86_401))), "ttl-too-long", **ONE),
    rejected("of-a-human-rolled-back", "A newer sponsor credential of Mia's was seen.", seen(2),
             "sponsor-rollback", twin="of-a-human-seen", importance="critical"),
    accepted("of-a-human-seen", "This very one was seen.", seen(1)),
    rejected("of-a-human-revoked", "Mia is gone.", revoked(0), "sponsor-gone", **ONE),
    rejected("of-a-human-suspended", "Mia is away.", revoked(1), "sponsor-gone", **ONE),
    accepted("of-a-human-beside-a-revoked-one", "Mia is gone, and Leo approves.", both(
        asked(), given("leo"), lambda d: d.revoke(d.sponsors[1]))),
    rejected("of-a-human-in-the-feed", "The feed names Mia.",
             both(wrong(), feed(entry("sponsor", lambda d: d.did("mia")))), "sponsor-gone", **ONE),
    rejected("of-a-did-in-the-feed", "The feed names Mia's DID.",
             both(wrong(), feed(entry("did", lambda d: d.did("mia")))), "sponsor-gone", **ONE),
    accepted("of-a-human-in-a-list-apart", "Mia's bits are in another list, and that is fresh.",
             apart(300)),
    undecided("of-a-human-in-a-stale-list", "That is a second too old.", apart(301),
              "status-stale", twin="of-a-human-in-a-list-apart", importance="critical"),
    undecided("of-a-human-in-no-list", "That is not there.", apart(None), "status-missing",
              twin="of-a-human-in-a-list-apart", importance="critical"),
    accepted("of-a-human-in-an-old-list-for-little", "That is older, for what is not sensitive.",
             both(apart(3600), low)),
]  # fmt: skip


CASES = [
    *group("approval", COUNT, WHAT, WHO, SIGNED, spec="DESIGN 11: request"),
    *group("approval", STANDING, spec="DESIGN 7 to 9: approvers"),
]
