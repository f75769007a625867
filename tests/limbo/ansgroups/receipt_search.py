"""Answers to searches, about names that are away, and the form answers come in."""

from __future__ import annotations

from delegant.ans import new_event
from delegant.credentials import canonical
from delegant.credentials.codec import JsonObject, digest
from delegant.credentials.shape import format_time
from limbo.anscrafts import answered, data, entry, then, token, unsigned
from limbo.ansdraft import (
    GONE,
    NAME,
    NEWER,
    NOBODY,
    NOW,
    OTHER,
    PAUSED,
    Bend,
    Draft,
    town,
)
from limbo.ansrows import answer, group
from world import T0

SPEC = "docs/ans.md: answers"
SEARCH: JsonObject = {"capability": "papers.query"}


# --- searches -------------------------------------------------------------------------------------


def reverse(d: Draft) -> None:
    d.token["entries"].reverse()
    d.answer["resolvedAgents"].reverse()
    d.sign()


def same_twice(d: Draft) -> None:
    d.token["entries"] = [d.token["entries"][0]] * 2
    d.answer["resolvedAgents"] = [d.agent] * 2
    d.sign()


def long_trace(d: Draft) -> None:
    trace = [{"name": NEWER, "reason": "limit"}] * 1001
    d.answer["trace"] = trace
    d.token["trace"] = digest(canonical(trace))
    d.sign()


def nobody(d: Draft) -> None:
    d.answer = d.answered(())


def traced(d: Draft, reason: str, name: str = NEWER) -> None:
    trace = [{"name": name, "reason": reason}]
    d.answer["trace"] = trace
    d.token["trace"] = digest(canonical(trace))
    d.sign()


def said(status: str, ago: int) -> Bend:
    """The agent's heartbeat, as the registry tells it."""
    return entry(health={"status": status, "at": format_time(NOW - 10 - ago)})


def receipts(*, forked: bool) -> Bend:
    """Both receipts are of a log of eleven entries, and the token of one of twelve."""

    def bend(d: Draft) -> None:
        own, other = d.town, town()
        own.event("renew", OTHER, own.second)
        if forked:  # the last of eleven is another
            other.entries[10] = other.entries[9]
        d.answer = d.answered((NEWER, NAME))
        for agent, where in zip(d.answer["resolvedAgents"], (own, other), strict=True):
            agent["receipt"] = where.receipt(where.carrier(agent["ansName"]), size=11)

    return bend


UP = {"capability": "papers.query", "available": 300}
V1 = {"pattern": "*://PaperQuery.*.AcmeLabs.v*"}
TRACED = {"capability": "papers.query", "trace": True}
FOUND = group(
    "receipt::search",
    answer("one", "One agent has the capability.", query=SEARCH),
    answer("two", "Two versions, the higher one first.", lambda _: None, None, NEWER, NAME,
           query=V1),
    answer("traced", "With a trace, which is empty.", query=TRACED),
    answer("up", "It said that it is up, two minutes ago; five are allowed.",
           said("up", 120), query=UP),
    answer("two-receipts", "The log has grown since; both receipts are under one checkpoint.",
           receipts(forked=False), None, NEWER, NAME, query=V1),
    answer("up-long-ago", "It said that it is up six minutes ago.", said("up", 360),
           "ans-signature", query=UP, twin="up", importance="critical"),
    answer("down", "It said that it is down.", said("down", 120), "ans-signature", query=UP,
           twin="up", importance="critical"),
    answer("health-unknown", "A state of health nobody knows.", said("fine", 120), "shape",
           query=UP, twin="up"),
    answer("two-receipts-two-logs", "Two receipts, each under another log of one size.",
           receipts(forked=True), "log-split", NEWER, NAME, query=V1, twin="two-receipts",
           importance="critical"),
    answer("limited", "One of two, as many as were asked for.", lambda _: None, None, NEWER,
           query=V1 | {"limit": 1}, given={"total": 2}),
    answer("lower-first", "The lower version first.", reverse, "ans-signature", NEWER, NAME,
           query=V1, twin="two"),
    answer("one-twice", "One agent, twice.", same_twice, "ans-signature", NEWER, NAME, query=V1,
           twin="two"),
    answer("another-protocol", "Not the protocol that was asked for.", lambda _: None,
           "ans-signature", query={"protocol": "a2a"}, importance="critical"),
    answer("another-version", "Not the version that was asked for.", lambda _: None,
           "ans-signature", query=SEARCH | {"version": ">=2.0.0"}, importance="critical"),
    answer("another-provider", "Not the provider that was asked for.", lambda _: None,
           "ans-signature", query={"provider": "OtherLabs"}, importance="critical"),
    answer("not-attested", "Not attested, as was asked for.", lambda _: None, "ans-signature",
           query=SEARCH | {"attestations": ["SOXComplianceCertified"]}, importance="critical"),
    answer("not-up", "Nobody knows whether it is up, as was asked for.", lambda _: None,
           "ans-signature", query=SEARCH | {"available": 300}),
    answer("another-name", "It does not fit the pattern.", lambda _: None, "ans-signature", OTHER,
           query=V1, twin="two"),
    answer("suspended-among-them", "A suspended name among the answers.",
           entry(status="suspended"), "ans-signature", query=SEARCH),
    answer("some-withheld", "Two were found, one is given, ten were asked for.",
           token(total=2), "ans-signature", query=SEARCH, importance="critical"),
    answer("fewer-found-than-given", "None was found, and one is given.", token(total=0),
           "ans-signature", query=SEARCH),
    answer("answered-as-a-name", "A search answered as if for one name.", token(status="active"),
           "ans-signature", query=SEARCH),
    answer("nobody", "Nobody fits; the registry says so, and signs it.", nobody,
           "ans-not-found", query=SEARCH),
    answer("trace-missing", "The trace that was asked for is missing.", answered(trace=None),
           "ans-signature", query=TRACED, twin="traced"),
    answer("trace-altered", "Another trace than was signed.",
           answered(trace=[{"name": NEWER, "reason": "limit"}]), "ans-signature", query=TRACED,
           twin="traced"),
    answer("trace-reason", "A reason nobody knows.", lambda d: traced(d, "dislike"), "shape",
           query=TRACED, twin="traced"),
    answer("trace-name", "A trace of what is no name.", lambda d: traced(d, "limit", "x"),
           "ans-name", query=TRACED, twin="traced"),
    answer("trace-of-1001", "A trace longer than any.", long_trace, "limit-items", query=TRACED,
           twin="traced"),
    spec="docs/searching.md", twin="one",
)  # fmt: skip

# --- names that are away --------------------------------------------------------------------------


def another_revocation(d: Draft) -> None:
    own = d.town
    first = own.names[GONE][0].leaf
    d.answer["last"]["event"] = new_event(
        own.bot.key, own.bot.did, own.keeper.did, GONE, "revoke", at=T0 + 1,
        before=(first["seq"], first["event"]), reason="superseded",
    )  # fmt: skip


AWAY = group(
    "receipt::away",
    answer("gone", "The name was revoked, with the signed event that did it.", lambda _: None,
           "ans-gone", GONE),
    answer("suspended", "The name is suspended, with the signed event that did it.",
           lambda _: None, "ans-suspended", PAUSED),
    answer("not-found", "Nobody has the name; the registry says so, and signs it.",
           lambda _: None, "ans-not-found", NOBODY),
    answer("gone-long-ago", "Revoked names answer so for ever, and late answers are stale.",
           lambda d: setattr(d, "at", NOW + 86_400), "ans-stale", GONE),
    answer("gone-unproven", "The event that revoked it is not shown.", answered(last=None),
           "ans-signature", GONE),
    answer("gone-by-another-event", "The registration is shown for the revocation.",
           answered(last=lambda d: d.town.past(GONE)[0]), "ans-signature", GONE),
    answer("gone-by-an-unlogged-event", "The agent signed another revocation, never logged.",
           another_revocation, "ans-signature", GONE, importance="critical"),
    answer("gone-as-suspended", "A revocation passed for a suspension.",
           lambda d: (token(status="suspended")(d), entry(status="suspended")(d),
                      d.answer.update(resolutionStatus="suspended")), "ans-signature", GONE),
    answer("gone-or-suspended", "The token says revoked, and of the name suspended.",
           entry(status="suspended"), "ans-signature", GONE),
    answer("reason-altered", "The token gives another reason than the event.",
           token(reason="merely resting"), "ans-signature", GONE),
    answer("since-altered", "The token gives another time than the log.",
           token(since=format_time(T0 + 50)), "ans-signature", GONE),
    answer("event-altered", "The event gives another reason than was signed.",
           lambda d: d.answer["last"]["event"].update(reason="merely resting"), "ans-signature",
           GONE),
    answer("suspended-made-active", "The record of a suspended name, shown as if it were active.",
           lambda d: d.answer.update(
               resolutionStatus="success", last=None,
               resolvedAgents=[Draft(NAME).agent]), "ans-signature", PAUSED,
           importance="critical"),
    spec=SPEC, twin="receipt::token::honest",
)  # fmt: skip


# --- the form -------------------------------------------------------------------------------------


def raw(d: Draft) -> bytes:
    return canonical(d.answer)


def cut(d: Draft) -> bytes:
    assert d.data is not None
    return d.data.rsplit(b".", 1)[0]


FORM = group(
    "receipt::form",
    answer("json", "The answer in JSON."),
    answer("spaces", "The same with spaces, and its members in another order.",
           data(lambda d: raw(d).replace(b',"', b' , "'))),
    answer("no-json", "Cut short.", data(lambda d: raw(d)[:-1]), "json"),
    answer("two-answers", "One answer behind the other.", data(lambda d: raw(d) * 2), "json"),
    answer("member-twice", "A member twice, the second one another.",
           data(lambda d: raw(d)[:-1] + b',"resolutionStatus":"success"}'), "duplicate-member",
           importance="critical"),
    answer("member-twice-deep", "A member of the record twice.",
           data(lambda d: raw(d).replace(b'"ttl":3600', b'"ttl":3600,"ttl":3600')),
           "duplicate-member"),
    answer("utf-16", "UTF-16.", data(lambda d: raw(d).decode().encode("utf-16")), "encoding"),
    answer("latin-1", "A byte that is no UTF-8.", data(lambda d: raw(d)[:-1] + b"\xe9}"),
           "encoding"),
    answer("a-list", "A list.", data(lambda d: b"[" + raw(d) + b"]"), "shape"),
    answer("five-million-spaces", "Longer than any answer.",
           data(lambda d: raw(d)[:-1] + b" " * 5_000_000 + b"}"), "limit-size"),
    answer("empty", "No bytes at all.", data(lambda _: b""), "json"),
    answer("empty-object", "An object of nothing.", data(lambda _: b"{}"), "shape"),
    spec=SPEC, twin="json",
)  # fmt: skip
SIGNED = group(
    "receipt::jws",
    answer("honest", "The answer in its JWS form.", lambda d: d.jws()),
    answer("by-mallory", "Signed by a stranger.",
           lambda d: d.jws(key=d.town.world._key("mallory")), "ans-signature",
           importance="critical"),
    answer("by-the-log", "Signed by the log's key.",
           lambda d: d.jws(key=d.town.world._key("log")), "ans-signature"),
    answer("another-type", "A token of another type.", lambda d: d.jws("agent-invocation+jwt"),
           "shape"),
    answer("no-signature", "Without its signature.",
           then(Draft.jws, data(cut)), "encoding"),
    answer("empty-signature", "With an empty one.",
           then(Draft.jws, data(lambda d: cut(d) + b".")), "shape"),
    answer("token-altered", "The JWS is right, and the token within was changed.",
           lambda d: (unsigned(status="suspended")(d), d.jws()), "ans-signature"),
    spec=SPEC, twin="honest", features=("jws",),
)  # fmt: skip

CASES = [*FOUND, *AWAY, *FORM, *SIGNED]
