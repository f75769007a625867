"""What a revocation feed is made of: its token, its members, its entries."""

from __future__ import annotations

from typing import Any

from altered import both, t
from altered_evidence import identity
from draft import Draft
from limbo.crafts import limits, members, token
from limbo.forge import Alter, stapled
from limbo.groups.status_feed import NEVER, SPEC, STRANGER, bent, entry, feed
from limbo.rows import accepted, group, malformed, undecided

SHAPED: dict[str, Any] = {"twin": "feed-of-another-link"}


def as_object(d: Draft) -> None:
    """The payload as an object instead of a token."""
    feed()(d)
    one = d.feeds[0]
    one.after = lambda _token: one.doc


def jws(**changes: Any) -> Alter:
    """Other members of the header, rightly signed."""

    def alter(d: Draft) -> None:
        feed()(d)
        one = d.feeds[0]
        one.after = token(lambda _d: one.signer, d, head=members(**changes))

    return alter


FORM = [
    *(malformed(f"feed-{name}", f"A feed {how}.", alter, code, **SHAPED)
      for name, how, alter, code in (
          ("as-object", "as an object, not a token", as_object, "shape"),
          ("null", "that is null", both(feed(), stapled("feeds", value=[None])), "shape"),
          ("text", "that is some text", both(feed(), stapled("feeds", value=["feed"])),
           "encoding"),
          ("no-list", "that stands alone, in no list", both(feed(), stapled("feeds", value="")),
           "shape"),
          ("none", "list that is empty", both(feed(), stapled("feeds", value=[])), "empty-array"),
          ("513", "list of 513", lambda d: [feed()(d) for _ in range(513)] and None,
           "limit-items"),
          ("typ-vc", "that says it is a credential", bent(typ="vc+jwt"), "shape"),
          ("typ-invocation", "that says it is an invocation", bent(typ="agent-invocation+jwt"),
           "shape"),
          ("crit", "with a critical header", jws(crit=["b64"]), "unknown-member"),
          ("key-inside", "with a key in its header", jws(jwk={"kty": "OKP"}), "unknown-member"),
          ("without-kid", "without a kid", jws(kid=...), "shape"),
          ("unknown-member", "with a member nobody knows", feed(until="then"), "unknown-member"),
          ("seq-zero", "number 0", feed(seq=0), "shape"),
          ("seq-text", "whose number is text", feed(seq="7"), "shape"),
          ("seq-true", "whose number is true", feed(seq=True), "shape"),
          ("seq-negative", "whose number is below nothing", feed(seq=-7), "shape"),
          ("without-seq", "without a number", feed(seq=...), "shape"),
          ("without-end", "without an end", feed(validUntil=...), "shape"),
          ("end-before-start", "that ends before it starts", feed(validUntil=t(-1)), "shape"),
          ("url", "at no plain URL", feed(id="urn:feed"), "shape"),
          ("version-text", "of version one in words", feed(version="1"), "shape"),
          ("entries-empty", "of an empty list", feed(entries=[]), "empty-array"),
          ("entries-null", "of null", feed(entries=None), "shape"),
          ("entries-object", "of an object", feed(entries={}), "shape"))),
    *(malformed(f"feed-entry-{name}", f"An entry {how}.", feed(one), code, **SHAPED)
      for name, how, one, code in (
          ("of-another-kind", "of a kind nobody knows", entry("agent", NEVER), "shape"),
          ("did-as-link", "names a DID as a link", entry("link", STRANGER), "shape"),
          ("link-as-did", "names a link as a DID", entry("did", NEVER), "shape"),
          ("upper-case", "names a link in upper case", entry("link", NEVER.upper()), "shape"),
          ("without-reason", "gives no reason", entry("link", NEVER, reason=...), "shape"),
          ("empty-reason", "gives an empty reason", entry("link", NEVER, reason=""), "shape"),
          ("long-reason", "gives a reason of 257 letters",
           entry("link", NEVER, reason="x" * 257), "shape"),
          ("odd-reason", "gives a reason with a line in it",
           entry("link", NEVER, reason="a\nb"), "shape"),
          ("without-at", "says no time", entry("link", NEVER, at=...), "shape"),
          ("odd-at", "says a time with a fraction",
           entry("link", NEVER, at="2026-09-21T14:13:20.5Z"), "shape"),
          ("without-by", "says on nobody's word", entry("link", NEVER, by=...), "shape"),
          ("by-name", "says on the word of a name", entry("link", NEVER, by="ana"), "shape"),
          ("undone", "takes something back", entry("link", NEVER, undone=True), "unknown-member"),
          ("null", "is null", None, "shape"), ("text", "is text", NEVER, "shape"))),
    undecided("feed-version-2", "A feed of a version to come.", feed(version=2),
              "unknown-version", None, **SHAPED),
    undecided("feed-alg-none", "A feed that is not signed.", jws(alg="none"), "suite", None,
              **SHAPED),
    accepted("feed-malformed-of-another", "Another's feed that is nonsense: nobody reads it.",
             feed(by="mallory", seq=None)),
    accepted("feed-signatures-enough", "Five items of evidence, five signatures.",
             both(feed(), limits(evidenceSignatures=5))),
    malformed("feed-signatures-spent", "One more feed than signatures may be checked.",
              both(feed(), feed(age=1), limits(evidenceSignatures=5)), "limit-signatures", None,
              twin="feed-signatures-enough"),
    accepted("feed-and-an-ephemeral-agent", "An ephemeral agent, and a clean feed.",
             both(identity(1, identityModel="ephemeral", expires=t(31 * 86_400)), feed())),
]  # fmt: skip

CASES = group("status", FORM, spec=SPEC)
