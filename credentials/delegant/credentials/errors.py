"""Every way a verification, an issuing or a look-up can fail, in one tree and one table.

    Error                    anything we refuse; anything outside this tree is a bug
    ├── Malformed            exit 4   HTTP 400   the bytes are not a document of ours
    │   └── LimitExceeded    exit 4   HTTP 413   too big, too deep, too many
    ├── Rejected             exit 1   HTTP 403   understood, and the answer is no
    │   ├── Conflict         exit 1   HTTP 409   no, because something else is already so
    │   ├── NotFound         exit 1   HTTP 404   nothing by that name
    │   └── Gone             exit 1   HTTP 410   it was, and is no more
    └── Undecided            exit 3   HTTP 422   something needed is absent, stale or unknown
        └── Unavailable      exit 5   HTTP 503   our own store or server cannot answer

Each error carries a stable ``code``; `CODES` gives its class, the verification phase that
raises it, its HTTP status where that differs from the class, what it means and what to do.
``docs/codes.md`` is rendered from this table and a test keeps the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

__all__ = [
    "CODES",
    "Code",
    "Conflict",
    "Error",
    "Gone",
    "LimitExceeded",
    "Malformed",
    "NotFound",
    "Rejected",
    "Unavailable",
    "Undecided",
    "error",
]


class Error(Exception):
    """A refusal with a stable code.

    ``link`` counts from 0 at the root; None where no link is to blame. ``dimension`` names the
    constraint or member concerned (``rows``, ``arguments.customer_id``). ``phase`` is the
    verifier phase (1 to 12) that owns the code, 0 outside verification.
    """

    state: ClassVar[str] = "rejected"
    exit_status: ClassVar[int] = 1
    default_http: ClassVar[int] = 403

    def __init__(
        self, code: str, detail: str, *, link: int | None = None, dimension: str | None = None
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.link = link
        self.dimension = dimension

    def __str__(self) -> str:
        where = "" if self.link is None else f" at link {self.link}"
        about = "" if self.dimension is None else f" ({self.dimension})"
        return f"{self.code}{where}{about}: {self.detail}"

    def at(self, link: int | None) -> None:
        """Blame a link, unless one is blamed already."""
        if self.link is None:
            self.link = link

    @property
    def phase(self) -> int:
        """The verifier phase that owns this code; 0 for codes of issuing, wallet and naming."""
        return CODES[self.code].phase

    @property
    def http_status(self) -> int:
        """The HTTP status this code is answered with."""
        return CODES[self.code].http

    def problem(self) -> dict[str, object]:
        """The one JSON shape of every error: an RFC 9457 problem document."""
        return {
            "type": f"https://delegant.example/problems/{self.code}",
            "title": CODES[self.code].meaning,
            "status": self.http_status,
            "detail": self.detail,
            "code": self.code,
            "message": str(self),
            "link": self.link,
            "dimension": self.dimension,
        }


class Malformed(Error):
    """The bytes are not a document of ours."""

    state = "malformed"
    exit_status = 4
    default_http = 400


class LimitExceeded(Malformed):
    """A limit of size, depth, number or work was reached."""

    default_http = 413


class Rejected(Error):
    """Understood, and the answer is no."""


class Conflict(Rejected):
    """No, because something else is already so."""

    default_http = 409


class NotFound(Rejected):
    """Nothing by that name."""

    default_http = 404


class Gone(Rejected):
    """It was, and is no more."""

    default_http = 410


class Undecided(Error):
    """Something needed is absent, stale or unknown; never a yes."""

    state = "undecided"
    exit_status = 3
    default_http = 422


class Unavailable(Undecided):
    """Our own store or server cannot answer now."""

    exit_status = 5
    default_http = 503


@dataclass(frozen=True, slots=True)
class Code:
    """One row of the table: a stable code and everything the edges need to know of it."""

    name: str
    cls: type[Error]
    phase: int
    http: int
    meaning: str
    remedy: str


def _table(*rows: tuple[type[Error], int, int | None, str, str, str]) -> dict[str, Code]:
    return {
        name: Code(name, cls, phase, http or cls.default_http, meaning, remedy)
        for cls, phase, http, name, meaning, remedy in rows
    }


_M, _L, _R, _U = Malformed, LimitExceeded, Rejected, Undecided
_SHRINK = "Send less, or ask the verifier's owner for a higher limit."

CODES: Final[dict[str, Code]] = _table(
    # 1 limits
    (_L, 1, None, "limit-size", "A document is larger than allowed", _SHRINK),
    (_L, 1, None, "limit-links", "The chain has more links than allowed", _SHRINK),
    (_L, 1, None, "limit-depth", "JSON is nested deeper than allowed", _SHRINK),
    (_L, 1, None, "limit-members", "JSON has more members than allowed", _SHRINK),
    (_L, 1, None, "limit-items", "A list has more items than allowed", _SHRINK),
    (_L, 1, None, "limit-signatures", "More signatures than the budget", _SHRINK),
    (_L, 1, None, "limit-comparisons", "More comparisons than the budget", _SHRINK),
    # 2 strict parse
    (_M, 2, None, "json", "Not JSON as RFC 8259 has it", "Send UTF-8 JSON, unchanged."),
    (_M, 2, None, "encoding", "Text that is not clean UTF-8, base64url or base58",
     "Send the bytes exactly as they were issued."),
    (_M, 2, None, "duplicate-member", "An object names a member twice", "Name each member once."),
    # 3 shape
    (_M, 3, None, "shape", "A member is missing or has a value the format does not allow",
     "Compare with the JSON Schema of the document."),
    (_M, 3, None, "context", "The @context is not exactly the profile's", "Use the profile's."),
    (_M, 3, None, "unknown-member", "An object has a member the format does not know",
     "Remove it: members that nobody enforces protect nobody."),
    (_M, 3, None, "empty-array", "An empty list, which means neither all nor none",
     "Name at least one item, or leave the member out where it is optional."),
    (_U, 3, None, "unknown-version", "A version this verifier does not know", "Update delegant."),
    (_U, 3, None, "unknown-constraint", "A constraint this verifier does not know",
     "Update delegant, or issue the link without it."),
    (_M, 3, None, "vcdm-version", "A credential of the W3C data model 1.1",
     "Issue it under 2.0: validFrom and validUntil, and the v2 context."),
    # 4 linkage
    (_R, 4, None, "chain-broken", "A link does not continue the link before it",
     "Present every link, root first, unchanged."),
    (_R, 4, None, "depth", "More links than a delegator allowed, or a link lies about its depth",
     "Ask the delegator for a link with more `redelegation.remaining`."),
    (_R, 4, None, "cycle", "The same party or link stands twice in the chain",
     "Delegate to someone who is not yet on the path."),
    (_R, 4, None, "sponsor-changed", "The links do not all name the human who signed the first",
     "Every link restates its parent's sponsor."),
    # 5 attenuation
    (_R, 5, None, "scope-widened", "A link allows more than the link before it",
     "Narrow the dimension named, or ask the delegator for more."),
    (_R, 5, None, "constraint-dropped", "A link leaves out a constraint of the link before it",
     "Restate it, equal or narrower."),
    (_R, 5, None, "use", "A mandate was invoked, or stands below another link",
     "Issue a grant under the mandate and invoke that."),
    # 6 keys and signatures
    (_U, 6, None, "key-unresolved", "No trusted source gives this signer's key",
     "The link above must pin the key, or the sponsor credential must."),
    (_R, 6, None, "did-key-mismatch", "Signed, or pinned, with a key that is not the DID's own",
     "Sign with the key the link above names."),
    (_R, 6, None, "key-weak", "A key anyone could sign for", "Make a new key."),
    (_U, 6, None, "suite", "A signature algorithm this verifier does not accept",
     "Use eddsa-jcs-2022 or vc+jwt with EdDSA."),
    (_R, 6, None, "proof", "A signature does not fit what it is said to sign",
     "Send the document exactly as it was signed."),
    # 7 root and path
    (_R, 7, None, "no-human-root", "The chain does not begin with an attested human",
     "Staple the sponsor credential: `delegant evidence refresh`."),
    (_R, 7, None, "root-untrusted", "The sponsor credential comes from no anchor of ours",
     "Add the organisation with `delegant trust add`, if you do trust it."),
    (_R, 7, None, "root-not-authoritative", "The anchor does not speak for this human",
     "Widen the anchor's `subjects`, if it should."),
    (_R, 7, None, "sponsor-rollback", "A newer sponsor credential has been seen",
     "Staple the newest: `delegant evidence refresh`."),
    (_R, 7, None, "ttl-too-long", "A credential lives longer than its kind may",
     "Issue it for a shorter time."),
    (_R, 7, None, "key-retired", "The DID's own document retires its key",
     "Sign with its newest key, under credentials that pin it."),
    (_R, 7, None, "delegate-not-allowed", "A delegate shows no live identity credential, or "
     "comes from an organisation the delegator did not name",
     "Staple the agent's identity, or name its organisation in `redelegation.to`."),
    (_R, 7, None, "spawn-forbidden", "An agent made this agent without the right to",
     "Have a human create the agent, or delegate with `spawn`."),
    (_R, 7, None, "issuer-not-accredited", "The issuer is not accredited here for what it attests",
     "Accredit it with `delegant trust accredit`, if its word should count."),
    (_R, 7, None, "id-no-expiry", "An ephemeral identity without `expires`", "Give it one."),
    (_R, 7, None, "id-no-provenance", "A fork or child that does not name its parent",
     "Name the parent agent."),
    (_R, 7, 409, "id-shared", "One DID or key for two subjects",
     "Every human and every agent has a key of its own."),
    # 8 time
    (_R, 8, None, "expired", "Its time is over", "Issue it again."),
    (_R, 8, None, "not-yet-valid", "Its time has not come", "Wait, or check the clocks."),
    # 9 status
    (_R, 9, None, "revoked", "Revoked, for good", "Ask the issuer for a new one."),
    (_R, 9, None, "suspended", "Suspended", "Ask who suspended it to resume it."),
    (_R, 9, None, "sponsor-gone", "The human was revoked, or their sponsor credential suspended",
     "Have another human take the agent over."),
    (_U, 9, None, "status-missing", "A status list or feed that is needed is not there",
     "Staple it: `delegant evidence refresh`."),
    (_U, 9, None, "status-stale", "A status list or feed is too old for this resource",
     "Staple a fresh one: `delegant evidence refresh`."),
    (_R, 9, None, "status-rollback", "A status list or feed older than one already seen",
     "Staple the newest: `delegant evidence refresh`."),
    (_U, 9, None, "status-unknown", "No status list or feed by the right authority speaks of this",
     "Staple list and feed of the chain's own status authority."),
    # 10 invocation
    (_R, 10, 401, "holder-missing", "No invocation by the holder",
     "Present with `delegant present`."),
    (_R, 10, 401, "holder-mismatch", "The invocation is not by the holder of this chain",
     "The last subject signs, with its own key, over this chain."),
    (_R, 10, 401, "audience", "Meant for another audience", "Present to the audience you named."),
    (_R, 10, 401, "nonce", "Not the nonce that was asked for", "Answer the latest challenge."),
    (_R, 10, 401, "invocation-expired", "The invocation is too old, too new or lives too long",
     "Sign a fresh one; check the clocks."),
    # 11 request
    (_R, 11, None, "no-grant", "No grant covers this action on this resource",
     "Ask the delegator for one."),
    (_R, 11, None, "request-mismatch", "What is done is not what the invocation was signed for",
     "Sign the request you are about to make."),
    (_R, 11, None, "constraint", "The request breaks a constraint", "Ask for less."),
    (_R, 11, None, "task-mismatch", "The grant is for another task", "Use the grant of this task."),
    (_R, 11, None, "exceeds-sponsor", "The human could not do this either",
     "Ask the organisation to widen the human's entitlements."),
    (_R, 11, None, "exceeds-anchor", "The organisation has no such authority here",
     "Widen the anchor's ceiling, if it should have."),
    (_R, 11, None, "tool-not-in-toolset", "The agent never declared this tool",
     "Issue a new identity with the tool, or use another agent."),
    (_R, 11, None, "policy", "The resource's own policy says no", "Ask its owner."),
    (_U, 11, None, "policy-deferred", "The resource's own policy says: not now",
     "Ask again later."),
    (_U, 11, None, "approval-missing", "A human must approve this first", "Ask the approver."),
    (_R, 11, None, "approval", "An approval is not by one of the approvers, not for this act, or "
     "over",
     "Ask the approver for one of this request under this chain, and leave the wrong one out."),
    # 12 obligations
    (_U, 12, None, "no-ledger", "A budget or rate, and no ledger to keep it here",
     "Configure `verifier.ledgers`."),
    (_U, 12, None, "ledger-foreign", "A budget or rate that another's ledger keeps",
     "Present where the ledger is kept."),
    (Conflict, 12, None, "replay", "This invocation, or an approval, was used before",
     "Sign a fresh one."),
    # enforcement over HTTP
    (_U, 0, 428, "chain-unknown", "The chain of this digest was not shown here",
     "Show it: PUT it to /.well-known/agent-chains/<digest>, and repeat."),
    # a resource's own policies
    (_M, 0, None, "policy-format", "Not a policy set, or one that breaks its rules",
     "Run `delegant policy check` on it."),
    (_R, 0, None, "policy-unsigned", "A policy set that too few of its signers have signed",
     "Have it signed: `delegant policy sign`; who must sign is the resource's own policy-trust."),
    (_R, 0, None, "policy-rollback", "An older policy set than one already seen, or another "
     "of the same revision",
     "Use the newest; to go back, sign the old text under a new revision."),
    # wallet, home, command line
    (_R, 0, 401, "wallet-auth", "The wallet does not open", "Check the passphrase."),
    (_M, 0, None, "wallet-format", "Not a wallet of ours, or damaged", "Restore it from a backup."),
    (_R, 0, None, "wallet-mode", "The file can be read by others, or is a link",
     "chmod 600 the file itself."),
    (_R, 0, None, "wallet-kind", "The wallet holds another kind of subject",
     "Humans, agents and organisations have wallets of their own."),
    (Conflict, 0, None, "name-taken", "That name is taken", "Choose another."),
    (NotFound, 0, None, "not-found", "Nothing by that name", "List what there is."),
    (_R, 0, None, "status-range", "No free index left in the leased range",
     "Let grants expire, or lease a larger range."),
    (_R, 0, 405, "method-not-allowed", "This address does not take this method",
     "The API document names the methods of each address."),
    (Unavailable, 0, 429, "too-many", "Too many requests",
     "Wait as long as Retry-After says."),
    # naming service
    (_M, 0, None, "ans-name", "Not a name of the naming service",
     "protocol://AgentFunction.CapabilityDomain.Provider.v1[.0[.0]][.extension]"),
    (_R, 0, None, "ans-signature", "An answer or record whose signature does not fit",
     "Ask again; if it stays so, do not use the agent."),
    (_U, 0, None, "ans-stale", "An answer past its time", "Ask again."),
    (_R, 0, None, "namespace", "This organisation does not own the provider label",
     "Ask the operator: `delegant ans provider add`."),
    (_R, 0, 422, "orphan-agent", "No live human answers for this agent",
     "Register with a live sponsor credential and the agent's identity."),
    (Conflict, 0, None, "stale-version", "The name has changed since", "Read it again and retry."),
    (NotFound, 0, None, "ans-not-found", "No such name here", "Check the spelling."),
    (Gone, 0, None, "ans-gone", "The name was revoked or has expired", "Ask its provider."),
    (_R, 0, None, "ans-suspended", "The name is suspended", "Ask who suspended it to resume it."),
    (_R, 0, None, "ans-rebound", "The name stands for another agent than it did",
     "Do not use it before its provider says who took it over."),
    (_M, 0, None, "ans-query", "Not a question the naming service understands",
     "Ask by name, or by pattern, capability, version, provider, protocol, attestation."),
    (Conflict, 0, None, "ans-transition", "The name is in no state for this event",
     "Read its history: only an active name is updated, and a revoked one is final."),
    (_R, 0, None, "ans-consent", "A transfer that not all three agreed to",
     "The old agent, the new one and the provider's organisation sign it."),
    (Conflict, 0, None, "name-confusable", "A provider label that looks like another's",
     "Choose one that no one could mistake."),
    (_R, 0, 406, "not-acceptable", "No form of the answer that was asked for",
     "Accept application/json."),
    # transparency log
    (_R, 0, None, "log-note", "A note or checkpoint whose form or signature does not fit",
     "Fetch it again; if it stays so, do not believe this log."),
    (_R, 0, None, "log-proof", "A proof that does not lead to the checkpoint",
     "Fetch it again; if it stays so, do not believe this log."),
    (_R, 0, None, "log-rollback", "A log that is smaller or older than it was",
     "Keep both checkpoints and ask its operator: a log only grows."),
    (_R, 0, None, "log-split", "Two checkpoints of one log that cannot both be true",
     "Keep both: together they prove that the log was forked."),
    (_R, 0, None, "log-entry", "An entry that is malformed or breaks the rules of names",
     "Keep it with its proof and ask the log's operator."),
    (_U, 0, None, "log-witness", "Fewer witnesses cosigned than are required here",
     "Fetch a checkpoint that more witnesses have seen."),
    (_R, 0, None, "not-attested", "An attestation of something else, or about another agent",
     "Show the attestation that was asked for."),
    # audit log
    (_R, 0, None, "audit-no-sponsor", "A record that names no accountable human",
     "Record what was verified: a chain begins with its sponsor."),
    (_R, 0, None, "audit-entry", "An entry of an audit log that is malformed or breaks its rules",
     "Keep it with its proof and ask the log's operator."),
    (_R, 0, None, "audit-exhibit", "Bytes beside the log that are not those a record names",
     "Have the bundle exported again; the record itself stands."),
    (_U, 0, None, "audit-incomplete", "The bundle lacks what was asked of it",
     "Have it exported again, for that event or time, or for the checkpoints you keep."),
    (_M, 0, None, "audit-bundle", "Not an audit bundle, or a damaged one",
     "Fetch it again, or have it exported again."),
    (Conflict, 0, None, "audit-outcome", "The act has its outcome, or never had an intent",
     "An act has one outcome: trace its event."),
    (_R, 0, None, "unmatched", "One side has a receipt of an act, and the other has not",
     "Ask the side that lacks it; keep both files."),
    (Conflict, 0, None, "retention", "Younger than records must be kept, or held",
     "Wait until the retention is over, or have the hold lifted."),
    # W3C credentials and DIDs in general (`delegant.w3c`); no chain ever meets these
    (_M, 0, None, "data-model", "Not a conforming credential or presentation of VCDM 2.0",
     "Compare with the W3C Verifiable Credentials Data Model 2.0."),
    (_M, 0, None, "undefined-term", "A term that no @context defines",
     "Define it, or leave it out: it would not be signed."),
    (_U, 0, None, "context-unknown", "A @context that is not bundled here",
     "Use a bundled one, or have the operator add it; none is fetched."),
    (_U, 0, None, "context-inline",
     "A @context inside the document, which its signature does not cover",
     "Allow it by its digest if you know it; or ask for a credential whose contexts are URLs."),
    (_M, 0, None, "json-ld", "Not JSON-LD 1.1 that can be read", "Check the @context."),
    (_L, 0, None, "limit-rdf", "Canonicalisation would cost more than allowed", _SHRINK),
    (_R, 0, None, "proof-purpose", "The proof was made for another purpose",
     "Sign for the purpose asked for."),
    (_R, 0, None, "proof-domain", "The proof was made for another domain", "Sign for this one."),
    (_R, 0, None, "proof-challenge", "The proof answers another challenge",
     "Answer the latest one."),
    (_R, 0, None, "proof-chain", "A proof names a previous proof that is not there",
     "Send every proof of the chain."),
    (_R, 0, None, "controller", "The key is not controlled by whom it must be",
     "The issuer, or holder, signs with a key of its own."),
    (_R, 0, None, "disclosure", "A disclosure that does not belong to its token, or must not be",
     "Show the token as it was issued, with some of its own disclosures."),
    (_R, 0, None, "related-resource", "A related resource does not have the digest stated",
     "Fetch it again, or have the credential issued again."),
    (_R, 0, None, "schema-mismatch", "The credential does not fit its credentialSchema",
     "Issue it again, so that it fits."),
    (_U, 0, None, "schema-missing", "A credentialSchema that is not here",
     "Give it to the verifier; it is fetched only where the operator allowed the host."),
    (_M, 0, None, "status-list", "A status list, or an entry of one, that breaks its specification",
     "Compare with Bitstring Status List 1.0."),
    (_M, 0, None, "status-length", "A status list of fewer than 131,072 entries",
     "Ask its issuer for a conforming list: a short one tells who is meant."),
    (_M, 0, None, "status-index", "A status list index beyond the end of its list",
     "Ask the issuer for a credential whose entry is in the list."),
    (_R, 0, None, "chain-type", "A kind of credential the generic issuer never signs",
     "Use the command made for it."),
    (_R, 0, 401, "api-auth", "No valid credential for the API", "Send the bearer token."),
    (_M, 0, None, "did-invalid", "Not a DID, or not a DID URL of the kind asked for",
     "Check the spelling."),
    (_M, 0, None, "did-url", "Not a DID URL, or one that leads nowhere",
     "did:…[/path][?query][#fragment], as DID Core 1.0 section 3.2 writes it."),
    (_M, 0, None, "did-options", "An option or parameter of resolution with a wrong value",
     "Compare with DID Resolution 1.0, sections 3 and 4.1."),
    (_U, 0, 501, "did-feature", "An option of resolution that this DID or resolver has not",
     "Ask without it."),
    (_M, 0, None, "did-document", "A document that is not this DID's",
     "Publish a conforming document."),
    (_M, 0, None, "did-log", "A did:webvh log whose entries do not follow from each other",
     "Publish the log as it was written, every entry, unchanged."),
    (_R, 0, None, "did-witness", "Too few witnesses approved a version of a did:webvh",
     "Collect their proofs in did-witness.json, and publish it before the log."),
    (_U, 0, 501, "did-method", "A DID method this resolver does not know",
     "Use did:key, did:jwk, did:web or did:webvh."),
    (NotFound, 0, None, "did-not-found", "No document by that DID", "Check the spelling."),
    (Gone, 0, None, "did-deactivated", "The DID was deactivated", "Ask its controller."),
    (_R, 0, 406, "did-representation", "Not a representation this resolver has",
     "Accept application/did-resolution, application/did+json or application/did+ld+json."),
    (NotFound, 0, None, "key-not-found", "The document has no such verification method",
     "Check the fragment."),
    (_R, 0, None, "key-purpose", "The document does not list the key for this purpose",
     "Sign with a key that is listed for it."),
    (_R, 0, None, "fetch-refused", "An address this machine never connects to",
     "Only public https addresses are fetched."),
    (_U, 0, 503, "fetch-failed", "A document could not be fetched, within the limits",
     "Try again, or give it to the verifier."),
    (Unavailable, 0, None, "extra-missing", "A part of delegant that is not installed",
     "Install the extra named."),
    (Unavailable, 0, None, "unavailable", "The store or server cannot answer now", "Try again."),
)  # fmt: skip


def error(
    code: str, detail: str, *, link: int | None = None, dimension: str | None = None
) -> Error:
    """The error of a code, as an instance of its class; raise it."""
    return CODES[code].cls(code, detail, link=link, dimension=dimension)
