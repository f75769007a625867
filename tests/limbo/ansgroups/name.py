"""What is a name, what is none however much it looks like one, and whose names look alike."""

from __future__ import annotations

from limbo.ansrows import Row, group, pair, text

GRAMMAR = "docs/ans.md: names"
CSA = "arXiv 2505.19301"
A63, B63, C63 = "a" * 63, "b" * 63, "c" * 63
LONGEST = f"mcp://{A63}.{B63}.{C63}.v1.{'d' * 52}"
LONGER = f"mcp://{A63}.{B63}.{C63}.v1.{'d' * 53}"
assert (len(LONGEST), len(LONGER)) == (253, 254)

FORM = group(
    "name::form",
    text("plain", "mcp://a.b.c.v1", "The shortest of names."),
    text("three-numbers", "acp://FinancialRiskAnalysis.CorporateReporting.AcmeFinance.v2.1.3",
         "The paper's own name, with all three numbers.", origin=CSA),
    text("extension", "mcp://SemanticSearch.KnowledgeBase.DataCorp.v1.0.main",
         "An extension after two numbers.", origin=CSA),
    text("hourly", "a2a://InventoryCheck.RetailStoreXYZ.Ops.v1.hourly",
         "It fits the grammar, whatever the paper means by its labels.", origin=CSA),
    text("digits-for-labels", "mcp://1.2.3.v4", "Labels may be all digits before the version."),
    text("hyphens-inside", "mcp://A-1.b--b.c9.v1.rc-1", "Hyphens inside labels."),
    text("protocol-of-32", f"{'m' * 32}://a.b.c.v1", "The longest protocol."),
    text("protocol-with-digits", "a2a-2://a.b.c.v1", "A protocol of letters, digits and hyphens."),
    text("provider-last", "helpdesk://Support.ProductQuery.CustomerFacing.v1.Acme",
         "The provider stands behind the version: an extension is lower case.", "extension",
         origin=CSA),
    text("three-labels", "mcp://SemanticSearch.DataCorp.v1.0", "A label is missing.", "plain",
         origin=CSA),
    text("two-labels", "mcp://SemanticSearch.v1", "Two labels are missing.", "plain"),
    text("one-label-more", "mcp://a.b.c.d.v1", "Four labels before the version.", "plain"),
    text("colon-suffix", "mcp://SemanticSearch.KnowledgeBase.DataCorp.v1.0.main:tool",
         "A suffix after a colon, which nothing defines.", "extension", origin=CSA),
    text("port", "mcp://a.b.c:8080.v1", "A port, as if it were a host.", "plain"),
    text("no-protocol", "://a.b.c.v1", "The protocol is empty.", "plain"),
    text("no-slashes", "mcp:a.b.c.v1", "No slashes.", "plain"),
    text("one-slash", "mcp:/a.b.c.v1", "One slash.", "plain"),
    text("three-slashes", "mcp:///a.b.c.v1", "An empty authority, as in file URLs.", "plain"),
    text("protocol-twice", "mcp://mcp://a.b.c.v1", "A name within a name.", "plain"),
    text("protocol-of-33", f"{'m' * 33}://a.b.c.v1", "A protocol one letter too long.",
         "protocol-of-32"),
    text("protocol-begins-with-digit", "2a://a.b.c.v1", "A protocol begins with a letter.",
         "protocol-with-digits"),
    text("protocol-ends-with-hyphen", "a2a-://a.b.c.v1", "A protocol ends in no hyphen.",
         "protocol-with-digits"),
    text("userinfo", "mcp://user@a.b.c.v1", "User information, as in a URL.", "plain"),
    text("query", "mcp://a.b.c.v1?x=1", "A query, as in a URL.", "plain"),
    text("fragment", "mcp://a.b.c.v1#x", "A fragment, as in a URL.", "plain"),
    text("path", "mcp://a.b.c.v1/", "A path, as in a URL.", "plain"),
    text("dot-dot", "mcp://a.b.c/../d.v1", "A way up.", "plain"),
    text("percent", "mcp://a.b.c%2e.v1", "A dot in percent encoding is not mapped to one.",
         "plain"),
    text("a-did", "did:web:acme.example", "A DID is no name.", "plain"),
    text("empty", "", "No text at all.", "plain"),
    spec=GRAMMAR,
)  # fmt: skip

VERSION = group(
    "name::version",
    text("zero", "mcp://a.b.c.v0", "Version 0."),
    text("two", "mcp://a.b.c.v1.0", "Two numbers."),
    text("nine-digits", "mcp://a.b.c.v999999999.999999999.999999999.x", "The largest numbers."),
    text("extension-like-a-version", "mcp://a.b.c.v1.v1x", "An extension that only begins as a "
         "version does."),
    text("extension-with-digit", "mcp://a.b.c.v1.1x", "An extension that begins with a digit."),
    text("none", "mcp://a.b.c", "No version.", "zero"),
    text("bare-number", "mcp://a.b.c.1.0", "Numbers without v.", "two"),
    text("v-alone", "mcp://a.b.c.v", "v without a number.", "zero"),
    text("capital", "mcp://a.b.c.V1", "A capital V: taking it for v would be mapping.", "zero"),
    text("four-numbers", "mcp://a.b.c.v1.0.0.0", "A fourth number is no extension.", "two"),
    text("leading-zero", "mcp://a.b.c.v01", "v01 would be a second spelling of v1.", "zero"),
    text("leading-zero-minor", "mcp://a.b.c.v1.00", "1.00 would be a second spelling of 1.0.",
         "two"),
    text("ten-digits", "mcp://a.b.c.v1000000000", "A number of ten digits.", "nine-digits"),
    text("signed", "mcp://a.b.c.v-1", "A sign.", "zero"),
    text("underscore", "mcp://a.b.c.v1_000", "An underscore, which some parsers skip.", "zero"),
    text("twice", "mcp://a.b.c.v1.v2", "A second version is no extension.",
         "extension-like-a-version"),
    text("in-a-label", "mcp://v1.b.c.v1", "The first version label ends the name: none of three.",
         "zero"),
    text("two-extensions", "mcp://a.b.c.v1.main.extra", "One extension at most.",
         "extension-with-digit"),
    text("number-after-extension", "mcp://a.b.c.v1.main.0", "A number behind the extension.",
         "extension-with-digit"),
    text("arabic-digit", "mcp://a.b.c.v\u0661", "An Arabic digit, which isdigit() accepts.",
         "zero", importance="critical"),
    text("superscript", "mcp://a.b.c.v\u00b2", "A superscript two, which isdigit() accepts.",
         "zero"),
    text("full-width-digit", "mcp://a.b.c.v\uff11", "A full-width one.", "zero",
         importance="critical"),
    spec=GRAMMAR,
)  # fmt: skip

LENGTH = group(
    "name::length",
    text("label-of-63", f"mcp://{A63}.b.c.v1", "The longest label."),
    text("label-of-64", f"mcp://{A63}a.b.c.v1", "A label one letter too long.", "label-of-63"),
    text("provider-of-63", f"mcp://a.b.{C63}.v1", "The longest provider."),
    text("provider-of-64", f"mcp://a.b.{C63}c.v1", "A provider one letter too long.",
         "provider-of-63"),
    text("extension-of-63", f"mcp://a.b.c.v1.{'d' * 63}", "The longest extension."),
    text("extension-of-64", f"mcp://a.b.c.v1.{'d' * 64}", "An extension one letter too long.",
         "extension-of-63"),
    text("name-of-253", LONGEST, "The longest name."),
    text("name-of-254", LONGER, "A name one letter too long.", "name-of-253"),
    text("empty-label", "mcp://a..c.v1", "An empty label.", "label-of-63"),
    text("empty-first", "mcp://.b.c.v1", "An empty first label.", "label-of-63"),
    text("trailing-dot", "mcp://a.b.c.v1.", "A trailing dot, as in DNS.", "label-of-63"),
    text("trailing-dot-minor", "mcp://a.b.c.v1.0.", "A trailing dot after two numbers.",
         "label-of-63"),
    text("hyphen-first", "mcp://a.b.-c.v1", "A label begins with a hyphen.", "provider-of-63"),
    text("hyphen-last", "mcp://a.b.c-.v1", "A label ends with a hyphen.", "provider-of-63"),
    text("of-100000", f"mcp://{'a-' * 50_000}.b.c.v1", "A hundred thousand characters, which a "
         "backtracking pattern would walk for minutes.", "label-of-63"),
    spec=GRAMMAR,
)  # fmt: skip

_UNICODE = [
    ("cyrillic", "mcp://a.b.\u0410cme.v1", "A Cyrillic A looks as a Latin one."),
    ("greek", "mcp://a.b.Acm\u03b5.v1", "A Greek epsilon among Latin letters: a mixed script."),
    ("all-cyrillic", "mcp://a.b.\u0430\u0441\u0435.v1", "A label of Cyrillic letters alone."),
    ("full-width", "mcp://a.b.\uff21cme.v1", "A full-width A, which UTS 46 maps to a."),
    ("zero-width-space", "mcp://a.b.ac\u200bme.v1", "A zero-width space, which UTS 46 drops."),
    ("zero-width-joiner", "mcp://a.b.ac\u200dme.v1", "A zero-width joiner."),
    ("soft-hyphen", "mcp://a.b.ac\u00adme.v1", "A soft hyphen, which UTS 46 drops."),
    ("right-to-left", "mcp://a.b.ac\u202eme.v1", "An override of the writing direction."),
    ("ideographic-stop", "mcp://a.b.acme\u3002v1", "An ideographic full stop for a dot."),
    ("long-s", "mcp://a.b.acme\u017f.v1", "A long s, whose capital is S."),
    ("kelvin", "mcp://a.b.\u212aelvin.v1", "A Kelvin sign, whose small letter is k."),
    ("dotless-i", "mcp://a.b.f\u0131nance.v1", "A dotless i, whose capital is I."),
    ("composed", "mcp://a.b.caf\u00e9.v1", "An accent, composed."),
    ("decomposed", "mcp://a.b.cafe\u0301.v1", "The same accent, decomposed."),
    ("full-width-colon", "mcp\uff1a//a.b.acme.v1", "A full-width colon."),
    ("division-slash", "mcp:\u2215\u2215a.b.acme.v1", "Slashes that are none."),
    ("hyphen-lookalike", "mcp://a.b.ac\u2010me.v1", "A hyphen that is not the ASCII one."),
    ("lone-surrogate", "mcp://a.b.acm\ud800.v1", "Half a character."),
    ("byte-order-mark", "\ufeffmcp://a.b.acme.v1", "A byte order mark first."),
    ("emoji", "mcp://a.b.acme\U0001f600.v1", "A picture."),
]
SCRIPT = group(
    "name::script",
    text("ascii", "mcp://a.b.acme.v1", "The plain label they pretend to be."),
    [text(id_, name, description, "ascii", importance="critical")
     for id_, name, description in _UNICODE],
    spec=f"{GRAMMAR}: refused, never mapped", origin="UTS 39, UTS 46",
)  # fmt: skip

RESERVED = group(
    "name::reserved",
    text("hyphens-elsewhere", "mcp://a.b.x--n.v1", "Two hyphens where they mean nothing."),
    text("punycode-provider", "mcp://a.b.xn--80ak6aa92e.v1", "Punycode: apple in Cyrillic.",
         "hyphens-elsewhere", importance="critical", origin="the homograph attack on browsers"),
    text("punycode-capitals", "mcp://a.XN--p1ai.c.v1", "Punycode in capitals.",
         "hyphens-elsewhere"),
    text("punycode-function", "mcp://xn--a.b.c.v1", "Punycode in the first label.",
         "hyphens-elsewhere"),
    text("alias-as-name", "ans://v1.0.0.host.example", "An alias is no name.",
         "hyphens-elsewhere"),
    text("upper-case-protocol", "MCP://a.b.c.v1", "A protocol in capitals.", "hyphens-elsewhere"),
    text("newline-last", "mcp://a.b.c.v1\n", "A newline at the end, which $ accepts.",
         "hyphens-elsewhere", importance="critical", origin="regular expressions with $"),
    text("newline-after-extension", "mcp://a.b.c.v1.main\n", "The same after an extension.",
         "hyphens-elsewhere"),
    text("carriage-return", "mcp://a.b.c.v1\r\n", "A carriage return.", "hyphens-elsewhere"),
    text("space-first", " mcp://a.b.c.v1", "A space in front.", "hyphens-elsewhere"),
    text("space-last", "mcp://a.b.c.v1 ", "A space behind.", "hyphens-elsewhere"),
    text("space-inside", "mcp://a.b.c d.v1", "A space inside.", "hyphens-elsewhere"),
    text("tab", "mcp://a.b.c\t.v1", "A tab.", "hyphens-elsewhere"),
    text("nul", "mcp://a.b.c\x00.v1", "A NUL, where some would stop reading.",
         "hyphens-elsewhere", importance="critical"),
    text("underscore", "mcp://a.b.c_d.v1", "An underscore.", "hyphens-elsewhere"),
    text("star", "mcp://a.b.*.v1", "A pattern is no name.", "hyphens-elsewhere"),
    spec=GRAMMAR,
)  # fmt: skip

ALIAS = group(
    "name::alias",
    text("plain", "ans://v1.0.0.host.example", "An alias.", ask="alias"),
    text("many-labels", "ans://v10.2.33.a.b.c-d.example", "A longer host.", ask="alias"),
    *(text(id_, alias, description, "plain", ask="alias") for id_, alias, description in [
        ("two-numbers", "ans://v1.0.host.example", "An alias has exactly three numbers."),
        ("four-numbers", "ans://v1.0.0.0.host.example", "A fourth number is no host."),
        ("capitals", "ans://v1.0.0.Host.example", "A host in capitals."),
        ("one-label", "ans://v1.0.0.host", "A host of one label."),
        ("address", "ans://v1.0.0.10.0.0.1", "An address is no host."),
        ("trailing-dot", "ans://v1.0.0.host.example.", "A trailing dot."),
        ("port", "ans://v1.0.0.host.example:443", "A port."),
        ("punycode", "ans://v1.0.0.xn--80ak6aa92e.example", "Punycode."),
        ("leading-zero", "ans://v01.0.0.host.example", "A leading zero."),
        ("other-scheme", "mcp://v1.0.0.host.example", "Another scheme."),
        ("unicode", "ans://v1.0.0.h\u043est.example", "A Cyrillic o."),
    ]),
    spec="docs/ans.md: aliases",
)  # fmt: skip


def _two(id_: str, one: str, other: str, description: str, code: str | None = None) -> Row:
    first, second = (f"mcp://Pay.Money.{label}.v1" for label in (one, other))
    return pair(id_, first, second, description, code, origin="UTS 39" if code else "")


_ALIKE = "name-confusable"
CLASH = group(
    "name::clash",
    *(_two(*row) for row in [
        ("apart", "AcmeFinance", "BetaFinance", "Labels nobody mistakes for one another."),
        ("one-letter", "AcmeFinance", "AcmeFinances", "A letter more is another look."),
        ("other-digit", "Acme2", "Acme3", "Two digits that look their own way."),
        ("same-function", "Acme", "Beta", "Two providers may offer the same."),
        ("zero-for-o", "AcmeCo", "AcmeC0", "A zero for an o.", _ALIKE),
        ("one-for-l", "Lloyds", "L1oyds", "A one for an l.", _ALIKE),
        ("capital-i-for-l", "AcmeLabs", "AcmeIabs", "A capital I for an l.", _ALIKE),
        ("one-for-i", "AcmeFinance", "AcmeF1nance", "A one for an i.", _ALIKE),
        ("rn-for-m", "AcmeFinance", "AcrneFinance", "r and n for an m.", _ALIKE),
        ("vv-for-w", "WestBank", "VVestBank", "Two v for a w.", _ALIKE),
        ("cl-for-d", "DataCorp", "clataCorp", "c and l for a d.", _ALIKE),
        ("hyphen-added", "AcmeFinance", "Acme-Finance", "A hyphen is no difference.", _ALIKE),
        ("case-and-digit", "AcmeFinance", "ACMEF1NANCE", "Capitals hide the one.", _ALIKE),
        ("all-at-once", "AcmeFinance", "ACRNE-F1NANCE", "Three tricks in one label.", _ALIKE),
        ("same-label", "AcmeFinance", "AcmeFinance", "One label, two organisations.",
         "name-taken"),
        ("same-but-case", "AcmeFinance", "acmefinance", "Labels are compared in lower case.",
         "name-taken"),
    ]),
    pair("not-a-name", "mcp://Pay.Money.Acme.v1", "mcp://Pay.Money.Acm\u0435.v1",
         "A Cyrillic e is no name at all, so nothing is compared.", "ans-name",
         importance="critical"),
    spec="docs/ans.md: providers", twin="apart", importance="critical", features=("look-alikes",),
)  # fmt: skip

CASES = [*FORM, *VERSION, *LENGTH, *SCRIPT, *RESERVED, *ALIAS, *CLASH]
