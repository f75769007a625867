"""Answers: the registry's word of the minute, and what is shown of the agent."""

from __future__ import annotations

from delegant.ans.log.note import b64_encode
from delegant.ans.signing import digest_of, sign
from delegant.credentials.codec import JsonObject, digest
from delegant.credentials.shape import format_time
from limbo.anscrafts import answered, entry, shown, then, token, unsigned
from limbo.ansdraft import (
    MOVED,
    NAME,
    NEWER,
    NOW,
    PAUSED,
    Draft,
    flipped,
)
from limbo.ansrows import answer, group
from world import T0

SPEC = "docs/ans.md: answers"
SEARCH: JsonObject = {"capability": "papers.query"}


def bent(d: Draft) -> None:
    """One bit of the token's signature."""
    text = d.token["proof"]["proofValue"]
    d.token["proof"]["proofValue"] = text[:-1] + ("2" if text[-1] != "2" else "3")


def another_registry(d: Draft) -> None:
    """A token that another registry signed, as itself."""
    other = d.town.world.db
    d.token["registry"] = other.did
    d.sign(other.key, other.did)


# --- the token ------------------------------------------------------------------------------------

TOKEN = group(
    "receipt::token",
    answer("honest", "An answer about one name."),
    answer("signature-bent", "One character of its signature is another.", bent, "ans-signature"),
    answer("no-proof", "Nobody signed it.", lambda d: d.token.pop("proof"), "shape",
           importance="critical"),
    answer("by-the-log", "Signed by the log's key, which signs checkpoints alone.",
           lambda d: d.sign(d.town.world._key("log")), "ans-signature", importance="critical"),
    answer("by-the-agent", "Signed by the agent it is about.",
           lambda d: d.sign(d.town.bot.key), "ans-signature", importance="critical"),
    answer("by-a-method-of-the-agent", "Signed by the agent, and says so.",
           lambda d: d.sign(d.town.bot.key, d.town.bot.did), "ans-signature"),
    answer("by-mallory-as-the-registry", "Signed by a stranger under the registry's name.",
           lambda d: d.sign(d.town.world._key("mallory")), "ans-signature",
           importance="critical"),
    answer("of-another-registry", "A true token of another registry.", another_registry,
           "ans-signature", importance="critical"),
    answer("registry-claimed", "The registry signs in the name of another.",
           token(registry=lambda d: d.town.world.db.did), "ans-signature"),
    answer("authentication", "Signed for another purpose.",
           lambda d: d.token["proof"].update(proofPurpose="authentication"), "ans-signature"),
    answer("status-altered", "Somebody made active of suspended.", unsigned(status="active"),
           "ans-signature", PAUSED, importance="critical"),
    answer("time-altered", "Somebody gave it another minute.",
           unsigned(validUntil=format_time(NOW + 49)), "ans-signature",
           importance="critical"),
    answer("entry-altered", "Somebody put another agent into the token.",
           lambda d: d.token["entries"][0].update(agent=d.town.second.did), "ans-signature",
           importance="critical"),
    answer("another-query", "A true token, to the question for another name.",
           lambda d: d.answer.update(freshness=Draft(NEWER).token), "ans-signature",
           importance="critical"),
    answer("another-answer", "A whole true answer, to another question.",
           lambda d: setattr(d, "answer", Draft(NEWER).answer), "ans-signature",
           importance="critical"),
    answer("query-claimed", "The answer says it was asked something else.",
           answered(query={"name": NEWER.lower()}), "ans-signature"),
    answer("version-2", "A token of a later version.", token(version=2), "unknown-version"),
    answer("version-of-the-answer", "An answer of a later version.", answered(version=2),
           "unknown-version"),
    answer("unknown-member", "A signed member nobody knows.", token(note="hello"),
           "unknown-member"),
    answer("unknown-member-outside", "An unsigned member nobody knows.", answered(note="hello"),
           "unknown-member"),
    answer("unknown-member-of-the-agent", "A member of the agent nobody knows.", shown(note="x"),
           "unknown-member"),
    answer("no-status", "A token without a status.", token(status=None), "shape"),
    answer("unknown-status", "A status nobody knows.", token(status="fine"), "shape"),
    answer("another-log", "The token speaks of another log.",
           lambda d: (d.token["log"].update(origin="other.example/log"), d.sign()),
           "ans-signature"),
    answer("older-than-the-receipt", "The log is smaller in the token than in the receipt.",
           lambda d: d.head(d.town.head(10)), "ans-signature"),
    answer("two-roots", "Token and receipt have two roots for one size.",
           lambda d: (d.token["log"].update(root=flipped(d.token["log"]["root"])), d.sign()),
           "log-split", importance="critical"),
    answer("two-roots-for-a-search", "The same in answer to a search.",
           lambda d: (d.token["log"].update(root=flipped(d.token["log"]["root"])), d.sign()),
           "log-split", NAME, query=SEARCH, twin="receipt::search::one"),
    answer("root-misspelled", "A root of 31 bytes.",
           lambda d: (d.token["log"].update(root=b64_encode(bytes(31))), d.sign()), "shape"),
    answer("fifty-one-names", "More names than a token holds.",
           lambda d: (d.token.update(entries=d.token["entries"] * 51), d.sign()), "limit-items"),
    answer("no-list-of-names", "The names stand in an object.", token(entries={}), "shape"),
    answer("active-without-a-name", "Active, it says, and names nobody.",
           then(answered(resolvedAgents=[]), token(entries=[])), "ans-signature"),
    answer("status-of-the-name", "The name is suspended, and the answer says active.",
           entry(status="suspended"), "ans-signature", importance="critical"),
    answer("reason-for-an-active-name", "A reason why an active name is away.",
           token(reason="superseded"), "ans-signature"),
    answer("a-name-that-is-none", "The token speaks of what is no name.",
           entry(name="mcp://PaperQuery.v1"), "ans-name"),
    answer("a-successor-that-is-none", "A successor that is no name.", entry(successor="next"),
           "ans-name"),
    spec=SPEC, twin="honest",
)  # fmt: skip


def renewed(d: Draft, seconds: int) -> None:
    """The name was renewed, to a record that lasts this long from T0."""
    own = d.town
    own.event("renew", NAME, record=own.record(NAME, seconds=seconds))
    d.answer = d.answered((NAME,))


FRESH = group(
    "receipt::fresh",
    answer("now", "Ten seconds old."),
    answer("last-second", "The last second of its minute.", lambda d: setattr(d, "at", NOW + 49)),
    answer("clock-behind", "The asker's clock is 30 seconds behind.",
           lambda d: setattr(d, "at", NOW - 40)),
    answer("record-lasts", "The record ends an hour from now.",
           lambda d: renewed(d, 3600 + 100)),
    answer("a-second-late", "Its minute is over.", lambda d: setattr(d, "at", NOW + 50),
           "ans-stale", twin="last-second", importance="critical"),
    answer("an-hour-late", "Kept for an hour.", lambda d: setattr(d, "at", NOW + 3600),
           "ans-stale", importance="critical"),
    answer("from-the-future", "More than 30 seconds from the future.",
           lambda d: setattr(d, "at", NOW - 41), "ans-stale", twin="clock-behind"),
    answer("record-over", "The record has ended, however fresh the token.",
           lambda d: renewed(d, 95), "ans-stale", twin="record-lasts", importance="critical"),
    answer("good-for-an-hour", "No registry may give more than a minute.",
           token(validUntil=format_time(NOW + 3600)), "shape"),
    answer("ends-before-it-begins", "It ends before it begins.",
           token(validUntil=format_time(NOW - 20)), "shape"),
    answer("no-zone", "A time without its zone.", token(validUntil="2026-09-21T14:14:20"),
           "shape"),
    answer("a-number", "A time as a number.", token(time=NOW - 10), "shape"),
    spec=SPEC, twin="now",
)  # fmt: skip

# --- what is shown of the agent -------------------------------------------------------------------


def forged_record(d: Draft) -> None:
    """A record of mallory's making, its endpoint his, signed by him."""
    key = d.town.world._key("mallory")
    record = {k: v for k, v in d.agent["record"].items() if k != "proof"}
    record["endpoints"] = {"mcp": "https://evil.example/"}
    d.agent["record"] = sign(record, key, d.town.bot.did, T0)


def signed_otherwise(d: Draft) -> None:
    """The agent itself signed another record, which is not the one that was logged."""
    own = d.town
    record = own.record(NAME, capabilities=["papers.query", "payments.send"])
    d.agent["record"] = record
    d.agent["ansRecordSignature"] = record["proof"]["proofValue"]


def signed_and_named(d: Draft) -> None:
    """The same, and the registry's token names it."""
    signed_otherwise(d)
    entry(record=digest_of(d.agent["record"]))(d)


def snippet(d: Draft) -> None:
    """An attestation that the token does not state."""
    d.agent["relevantVcSnippets"] = [
        {
            "type": "SOXComplianceCertified", "issuer": d.town.world.org.did,
            "issueDate": format_time(T0), "digestMultibase": digest(b"sox"),
        }
    ]  # fmt: skip


def large_extension(d: Draft) -> None:
    d.agent["record"]["protocolExtensions"] = {"mcp": {"x": "x" * 4096}}


AGENT = group(
    "receipt::agent",
    answer("honest", "The agent's record, as it signed it."),
    answer("moved", "A name that was transferred.", lambda _: None, None, MOVED),
    answer("endpoint-shown", "Another endpoint is shown than the record has.",
           shown(serviceEndpoint="https://evil.example/"), "ans-signature",
           importance="critical"),
    answer("name-shown", "Another name is shown.", shown(ansName=NEWER), "ans-signature"),
    answer("agent-shown", "Another agent is shown.",
           lambda d: d.agent.update(agentDid=d.town.second.did), "ans-signature",
           importance="critical"),
    answer("signature-shown", "Another signature is shown.", shown(ansRecordSignature="z1"),
           "ans-signature"),
    answer("extensions-shown", "Extensions the record does not have.",
           shown(protocolExtensions={"mcp": {}}), "ans-signature"),
    answer("attestation-shown", "An attestation the registry does not state.", snippet,
           "ans-signature", importance="critical"),
    answer("member-missing", "The endpoint is not shown.",
           lambda d: d.agent.pop("serviceEndpoint"), "shape"),
    answer("endpoint-in-the-record", "Another endpoint in the signed record.",
           lambda d: d.agent["record"].update(endpoints={"mcp": "https://evil.example/"}),
           "ans-signature", importance="critical"),
    answer("record-by-mallory", "A record signed by a stranger.", forged_record, "ans-signature",
           importance="critical"),
    answer("record-not-logged", "The agent signed it, and it was never logged.",
           signed_otherwise, "ans-signature", importance="critical"),
    answer("record-named-not-logged", "The registry names it, and the log does not.",
           signed_and_named, "ans-signature", importance="critical"),
    answer("another-record", "The record of another name.",
           lambda d: d.agent.update(record=Draft(NEWER).agent["record"]), "ans-signature"),
    answer("epoch-claimed", "The registry counts a transfer that was not.", entry(epoch=1),
           "ans-signature"),
    answer("seq-behind", "The registry's event is older than the record's.", entry(seq=0),
           "ans-signature", MOVED, twin="moved"),
    answer("event-claimed", "The registry names another event of this number.",
           entry(event=digest(b"another")), "ans-signature"),
    answer("index-claimed", "The registry names another place in the log.", entry(index=2),
           "ans-signature"),
    answer("agent-claimed", "The registry names another agent.",
           entry(agent=lambda d: d.town.second.did), "ans-signature", importance="critical"),
    answer("unattested-withheld", "A capability nobody attested is not said to be unattested.",
           entry(unattested=None), "ans-signature", importance="critical"),
    answer("unattested-added", "A capability the record does not claim is said to be unattested.",
           entry(unattested=["papers.query", "payments.send"]), "ans-signature"),
    answer("nobody-shown", "The token names an agent and none is shown.",
           answered(resolvedAgents=[]), "ans-signature"),
    answer("shown-twice", "The agent is shown twice.",
           answered(resolvedAgents=lambda d: d.answer["resolvedAgents"] * 2), "ans-signature"),
    answer("no-list", "resolvedAgents is an object.", answered(resolvedAgents={}),
           "ans-signature"),
    answer("status-claimed", "resolutionStatus is not what was signed.",
           answered(resolutionStatus="not-found"), "ans-signature"),
    answer("trace-unasked", "A trace that nobody asked for.", answered(trace=[]),
           "ans-signature"),
    answer("large-extension", "A protocol extension of more than 4,096 bytes.", large_extension,
           "limit-size"),
    answer("record-name-is-none", "The record is of what is no name.",
           lambda d: d.agent["record"].update(name="mcp://PaperQuery.v1"), "ans-name"),
    answer("last-unasked", "A newest event of a name that is not away.",
           answered(last=lambda d: d.town.past(NAME)[0]), "ans-signature"),
    spec=SPEC, twin="honest",
)  # fmt: skip

CASES = [*TOKEN, *FRESH, *AGENT]
