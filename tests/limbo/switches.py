"""What stands in the place of a check that is switched off, where nothing will not do.

`necessity` replaces a refusal by ``pass``. Some refusals are the only thing between a value that
is missing and its use; there the laxest sensible verifier is written down instead: one that goes
on without the key, the human, the invocation.
"""

from __future__ import annotations

ANYTHING = "type('Anything', (str,), {'__ne__': lambda self, other: False})()"

INSTEAD = {
    # a parser that stops at the end of the first value, and takes any number
    "2 json codec._slow_parse#1": "return json.JSONDecoder().raw_decode(data.decode())[0]",
    "2 json codec._int#1": "return int(digits)",
    "2 json codec._float#1": "return value",
    # one that does not miss what the child left out
    "5 constraint-dropped constraint.narrows#1": "continue",
    # one that skips a signature whose key it does not know
    "6 key-unresolved chain.signatures#1": (
        "holder = pinned(link.subject, link.key)\n"
        "keys = () if holder is None else (holder,)\n"
        "continue"
    ),
    # one for whom whoever signed first is a human of ours
    "7 no-human-root path.People._human#2": (
        "return Human(name, next(iter(self._trust.anchors.values())), None, (pinned(name, None),))"
    ),
    "7 root-untrusted path.People._human#3": (
        "return Human(name, next(iter(self._trust.anchors.values())), credential,"
        " (pinned(name, credential.key),))"
    ),
    "9 revoked standing._clear#2": "return",
    "9 sponsor-gone standing._clear#1": "return",
    # one that passes over an approval by somebody who is none of its humans
    "11 approval approved.judge#1": "continue",
    "11 approval approved.judge#2": "continue",
    # one that asks nobody to sign
    "10 holder-missing act.invocation#1": (
        f"return Invocation('EdDSA', '', b'', b'', chain.actor, '', at, at + 60, '', nonce, '',"
        f" {ANYTHING})"
    ),
}
"""By the name of a check."""

SHARPER = {
    "vcdm-version": ("context", "unknown-member"),
    "task-mismatch": ("constraint",),
    "no-ledger": ("ledger-foreign",),
}
"""Checks that give a sharper name to what others refuse too: those are switched off with them."""

BESIDES = {
    "key-weak": """
from limbo.edwards import lax
strict = core.PublicKey.verify
core.PublicKey.verify = lambda key, signature, message: (
    strict(key, signature, message) or lax(key.raw, signature, message)
)
"""
}
"""What a library refuses besides: libsodium takes no small-order key either, other libraries do."""

ELSEWHERE = {
    "1 limit-depth codec._slow_parse#2": "the scan before it ends deeper texts; a second wall",
    "1 limit-signatures path.People.agent#1": "tests/credentials/test_attacks.py, 400 ancestors",
    "1 limit-size codec.b64u_decode#1": "whoever calls it has bounded the text",
    "1 limit-size presentation.Presentation.of#1": "tests/credentials/test_cache.py, two strings",
    "2 encoding keys.PublicKey.from_multikey#1": "tests/credentials/test_keys.py: no text at all",
    "2 encoding keys.PrivateKey.__init__#1": "making keys, not verifying",
    "2 json codec.reread#1": "what the program wrote itself, not what is presented",
    "2 json codec.canonical#1": "never for a value that was parsed",
    "3 empty-array verifier._Run.read#1": "tests/credentials/test_attacks.py, parsed by the caller",
    "3 shape codec.reread#2": "what the program wrote itself, not what is presented",
    "3 shape did.from_key#1": "making DIDs, not verifying",
    "3 shape policy.Trust.from_json#2": "tests/wallet/test_trustfolder.py: the verifier's own file",
    "3 shape policy.Trust.from_json#3": "tests/wallet/test_trustfolder.py: the verifier's own file",
    "3 shape policy._audits#1": "tests/credentials/test_edges_trust.py: logs, no chain",
    "3 shape policy._note_key#1": "tests/credentials/test_edges_trust.py: names, no chain",
    "3 shape policy._registries#1": "tests/wallet/test_trustfolder.py: names, no chain",
    "3 shape policy._peer#1": "tests/credentials/test_edges_trust.py: names, no chain",
    "3 shape policy._seen#1": "tests/wallet/test_trustfolder.py: the verifier's own file",
    "3 shape proof.verify#1": "tests/vectors: any document's proof, not a link's",
    "3 context proof.verify#3": "tests/vectors: any document's proof, not a link's",
    "6 suite proof.verify#2": "tests/vectors: any document's proof, not a link's",
    "3 shape shape.seconds#1": "how long something is to last, as people type it",
    "3 shape shape.format_time#1": "writing times, not reading them",
    "3 shape status.document#1": "making lists, not reading them",
    "9 status-unknown standing.stands#1": "tests/credentials/test_attestation.py: no chain's",
    "11 request-mismatch verifier._Run.invoked#1": "tests/credentials/test_authenticate.py: no act",
    "3 unknown-version policy.Trust.from_json#1": "tests/credentials/test_attacks.py: its own file",
}
"""Refusals that no presentation reaches, and what holds them."""
