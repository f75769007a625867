"""Resources: what lies in what, segment by segment, and every spelling that is refused.

A resource is never normalised, so two spellings of one thing never both pass: a spelling is
either canonical or refused, wherever it stands (a grant above, a grant below, a request).
"""

from __future__ import annotations

import copy
from typing import Any

from altered import block
from delegant.credentials import canonical, digest
from draft import Draft
from limbo.forge import Alter, Case
from limbo.rows import accepted, group, malformed, rejected

URN, WEB = "urn:acme:papers:", "https://papers.example/"
EVERY = ["db.*", "web.*"]


def given(above: list[str], below: list[str], ask: Any) -> Alter:
    """Resources of the first and the second link, in a world where nothing else limits them."""

    def alter(d: Draft) -> None:
        for index, value in enumerate((above, below)):
            d.delegation(index)["grants"] = [{"actions": ["db.read"], "resources": list(value)}]
        d.sponsors[0].subject["entitlements"]["grants"] = [
            {"actions": EVERY, "resources": list(above)}
        ]
        d.trust["anchors"][0]["ceiling"] = copy.deepcopy(
            d.sponsors[0].subject["entitlements"]["grants"]
        )
        d.ask("db.read", ask)
        d.claims["request"] = digest(canonical(d.request))

    return alter


def sample(pattern: str) -> str:
    """One resource that a pattern covers."""
    return pattern.replace("**", "x")


# --- patterns against patterns ---------------------------------------------------------------

PAIRS: tuple[tuple[str, str, str, str, str], ...] = (
    ("urn-one", f"{URN}**", f"{URN}17", "y", "one of them"),
    ("urn-folder", f"{URN}**", f"{URN}17:**", "y", "a folder of them"),
    ("urn-deep", f"{URN}**", f"{URN}17:a:b:c", "y", "one far below"),
    ("urn-itself", f"{URN}**", "urn:acme:papers", "n", "x:** is what lies below x, not x"),
    ("urn-sibling-hyphen", f"{URN}**", "urn:acme:papers-2:**", "n", "a sibling that begins alike"),
    ("urn-sibling-digit", f"{URN}**", "urn:acme:papers2:17", "n", "a sibling that begins alike"),
    ("urn-sibling-dot", f"{URN}**", "urn:acme:papers.old:17", "n", "a sibling that begins alike"),
    ("urn-shorter", f"{URN}**", "urn:acme:paper:17", "n", "a shorter name"),
    ("urn-parent", f"{URN}**", "urn:acme:**", "n", "everything of the organisation"),
    ("urn-root", f"{URN}**", "urn:acme:hr:**", "n", "another folder"),
    ("urn-case", f"{URN}**", "urn:acme:Papers:17", "n", "a name is compared letter by letter"),
    ("urn-other-nid", f"{URN}**", "urn:other:papers:17", "n", "another namespace"),
    ("urn-exact-to-folder", f"{URN}17", f"{URN}17:**", "n", "below one is not the one"),
    ("urn-exact-to-below", f"{URN}17", f"{URN}17:a", "n", "below one is not the one"),
    ("urn-exact-to-all", f"{URN}17", f"{URN}**", "n", "one is not all"),
    ("urn-exact-to-longer", f"{URN}17", f"{URN}170", "n", "a longer name"),
    ("urn-exact-to-shorter", f"{URN}17", f"{URN}1", "n", "a shorter name"),
    ("urn-folder-to-folder", f"{URN}17:**", f"{URN}18:**", "n", "another folder"),
    ("web-one", f"{WEB}**", f"{WEB}a", "y", "one of them"),
    ("web-folder", f"{WEB}**", f"{WEB}inbox/**", "y", "a folder of them"),
    ("web-port-one", "https://papers.example:8443/**", "https://papers.example:8443/a", "y",
     "the same port"),
    ("web-encoded", f"{WEB}**", f"{WEB}caf%C3%A9", "y", "encoded as it must be"),
    ("web-tilde", f"{WEB}**", f"{WEB}~ana/a,b=c", "y", "marks that need no encoding"),
    ("web-triple-dot", f"{WEB}**", f"{WEB}a/.../b", "y", "three dots are a name"),
    ("web-hidden-file", f"{WEB}**", f"{WEB}.well-known/x", "y", "a name may begin with a dot"),
    ("web-folder-itself", f"{WEB}inbox/**", f"{WEB}inbox", "n", "x/** is not x"),
    ("web-sibling-hyphen", f"{WEB}inbox/**", f"{WEB}inbox-2/a", "n", "a sibling: /inbox-2"),
    ("web-sibling-s", f"{WEB}inbox/**", f"{WEB}inboxes", "n", "a sibling that begins alike"),
    ("web-case", f"{WEB}inbox/**", f"{WEB}Inbox/a", "n", "a path is compared letter by letter"),
    ("web-scheme", f"{WEB}**", "http://papers.example/a", "n", "another scheme"),
    ("web-socket", f"{WEB}**", "wss://papers.example/a", "n", "another scheme"),
    ("web-port", f"{WEB}**", "https://papers.example:8443/a", "n", "another port"),
    ("web-port-lost", "https://papers.example:8443/**", f"{WEB}a", "n", "no port is another"),
    ("web-subdomain", f"{WEB}**", "https://old.papers.example/a", "n", "another host"),
    ("web-domain-above", f"{WEB}**", "https://example/papers", "n", "another host"),
    ("web-host-continued", f"{WEB}**", "https://papers.example.evil.example/a", "n",
     "another host, which begins alike"),
    ("web-host-prefixed", f"{WEB}**", "https://evil-papers.example/a", "n",
     "another host, which ends alike"),
    ("web-punycode", f"{WEB}**", "https://xn--ppers-3ve.example/a", "n",
     "a look-alike host in its ASCII form is another host"),
    ("web-address", "https://127.0.0.1/**", "https://2130706433/a", "n",
     "the same address as one number is another host"),
    ("web-address-short", "https://127.0.0.1/**", "https://127.1/a", "n",
     "the same address in short is another host"),
    ("web-slash-behind", f"{WEB}a", f"{WEB}a/", "n", "a slash behind makes another"),
    ("web-slash-lost", f"{WEB}a/", f"{WEB}a", "n", "no slash behind makes another"),
    ("web-encoded-other", f"{WEB}caf%C3%A9", f"{WEB}cafe", "n", "an accent makes another"),
    ("urn-to-web", f"{URN}**", f"{WEB}**", "n", "a web address is no urn"),
    ("did-below", "did:web:acme.example", "did:web:acme.example:people", "n",
     "a DID is never a folder"),
    ("did-case", "did:web:db.acme.example", "did:web:DB.acme.example", "n",
     "a DID is compared letter by letter"),
)  # fmt: skip


def lattice() -> list[Case]:
    """Each pair as a child's grant below a parent's, and as a request below a grant.

    The twin of a pair that is refused is the parent, restated and asked for.
    """
    out: list[Case] = []
    restated: dict[str, str] = {}
    for name, above, below, answer, why in PAIRS:
        if above not in restated:
            restated[above] = f"{name}-restated"
            out.append(accepted(restated[above], f"{above} above, and the same below.",
                                given([above], [above], sample(above))))  # fmt: skip
        said = f"{above} above, {below} below: {why}."
        if answer == "y":
            out.append(accepted(name, said, given([above], [below], sample(below))))
            continue
        more: dict[str, Any] = {"twin": restated[above], "importance": "critical"}
        out.append(rejected(name, said, given([above], [below], sample(below)), "scope-widened", 1,
                            **more))  # fmt: skip
        if not below.endswith("**"):
            out.append(rejected(f"asked-{name}", f"{above} granted, {below} asked: {why}.",
                                given([above], [above], below), "no-grant", 0, **more))  # fmt: skip
    return out


SETS = [
    accepted("set-restated", "Two folders, in another order.",
             given([f"{URN}a:**", f"{URN}b:**"], [f"{URN}b:**", f"{URN}a:**"], f"{URN}a:1")),
    accepted("set-narrowed", "One of two folders.",
             given([f"{URN}a:**", f"{URN}b:**"], [f"{URN}b:**"], f"{URN}b:1")),
    accepted("set-divided", "Two folders of one.",
             given([f"{URN}**"], [f"{URN}a:**", f"{URN}b:**"], f"{URN}b:1")),
    rejected("set-one-new", "Two folders restated and a third added.",
             given([f"{URN}a:**", f"{URN}b:**"], [f"{URN}a:**", f"{URN}b:**", f"{URN}c:**"],
                   f"{URN}a:1"), "scope-widened", 1, importance="critical", twin="set-restated"),
    rejected("set-to-the-folder-above", "Every folder there is today is not the one above them.",
             given([f"{URN}a:**", f"{URN}b:**"], [f"{URN}**"], f"{URN}a:1"), "scope-widened", 1,
             importance="critical", twin="set-restated"),
    rejected("set-of-samples", "Every paper there is today is not all papers.",
             given([f"{URN}{n}" for n in range(16)], [f"{URN}**"], f"{URN}1"), "scope-widened", 1,
             twin="set-of-samples-restated"),
    accepted("set-of-samples-restated", "Sixteen resources are the most a grant may name.",
             given([f"{URN}{n}" for n in range(16)], [f"{URN}{n}" for n in range(16)],
                   f"{URN}1")),
    malformed("set-of-seventeen", "One more.",
              given([f"{URN}**"], [f"{URN}{n}" for n in range(17)], f"{URN}1"), "limit-items", 1,
              twin="set-of-samples-restated", importance="medium"),
    rejected("asked-of-the-parent", "The parent's folder is asked, the child has one below it.",
             given([f"{URN}**"], [f"{URN}a:**"], f"{URN}b:1"), "no-grant", 1,
             importance="critical", twin="set-narrowed"),
]  # fmt: skip

# --- spellings -----------------------------------------------------------------------------

ENCODED = "encoded dots and slashes decode to a path"
OVERLONG = "an overlong form of '.' or '/'"
SPELLINGS: tuple[tuple[str, str, str], ...] = (
    ("dotdot", f"{WEB}a/../b", "dot segments lead elsewhere"),
    ("dotdot-escapes-parent", f"{WEB}inbox/../**", "dot segments lead elsewhere"),
    ("dotdot-at-the-end", f"{WEB}a/..", "dot segments lead elsewhere"),
    ("dotdot-at-the-start", f"{WEB}../a", "dot segments lead elsewhere"),
    ("dot", f"{WEB}a/./b", "a dot segment stands for nothing"),
    ("dotdot-encoded", f"{WEB}a/%2E%2E/b", ENCODED),
    ("dotdot-encoded-small", f"{WEB}a/%2e%2e/b", ENCODED),
    ("dotdot-half-encoded", f"{WEB}a/.%2E/b", ENCODED),
    ("dotdot-twice-encoded", f"{WEB}a/%252E%252E/b", "it decodes to something that decodes"),
    ("slash-encoded", f"{WEB}a%2F..%2Fb", ENCODED),
    ("slash-encoded-small", f"{WEB}a%2fb", ENCODED),
    ("dotdot-overlong-2", f"{WEB}a/%C0%AE%C0%AE/b", OVERLONG),
    ("slash-overlong-2", f"{WEB}a%C0%AFb", OVERLONG),
    ("dot-overlong-3", f"{WEB}a/%E0%80%AE/b", OVERLONG),
    ("dot-overlong-4", f"{WEB}a/%F0%80%80%AE/b", OVERLONG),
    ("dot-full-width", f"{WEB}a/%EF%BC%8E%EF%BC%8E/b", "full-width dots become dots under NFKC"),
    ("slash-full-width", f"{WEB}a%EF%BC%8Fb", "a full-width slash becomes one under NFKC"),
    ("dot-leader", f"{WEB}a/%E2%80%A5/b", "a two dot leader becomes '..' under NFKC"),
    ("backslash", f"{WEB}a\\..\\b", "some read a backslash as a slash"),
    ("backslash-encoded", f"{WEB}a%5C..%5Cb", "some read a backslash as a slash"),
    ("double-slash", f"{WEB}a//b", "an empty segment, which some leave out"),
    ("double-slash-ahead", "https://papers.example//a", "an empty segment, which some leave out"),
    ("semicolon", f"{WEB}a;v=1/b", "path parameters, which some leave out"),
    ("semicolon-dotdot", f"{WEB}a/..;/b", "dot segments with a parameter"),
    ("semicolon-encoded", f"{WEB}a%3Bb", "an encoded separator"),
    ("query", f"{WEB}a?b=c", "a query is no part of a resource"),
    ("query-empty", f"{WEB}a?", "a query is no part of a resource"),
    ("query-encoded", f"{WEB}a%3Fb", "an encoded separator"),
    ("fragment", f"{WEB}a#b", "a fragment is no part of a resource"),
    ("fragment-encoded", f"{WEB}a%23b", "an encoded separator"),
    ("userinfo", "https://papers.example@evil.example/a", "a host before the @ is none"),
    ("userinfo-and-password", "https://ana:x@papers.example/a", "nobody's name in a resource"),
    ("userinfo-encoded", "https://papers.example%40evil.example/a", "an encoded @ in the host"),
    ("scheme-upper-case", "HTTPS://papers.example/a", "a scheme has one spelling"),
    ("host-upper-case", "https://Papers.example/a", "a host has one spelling"),
    ("host-trailing-dot", "https://papers.example./a", "a host has one spelling"),
    ("host-empty", "https:///a", "a host is needed"),
    ("host-empty-label", "https://papers..example/a", "a host has no empty label"),
    ("host-underscore", "https://papers_.example/a", "a host has letters, digits and hyphens"),
    ("host-hyphen-ahead", "https://-papers.example/a", "a label begins with a letter or digit"),
    ("host-cyrillic", "https://p\u0430pers.example/a", "a letter that looks like another"),
    ("host-full-width", "https://ｐapers.example/a", "IDNA maps it to ASCII"),
    ("host-ideographic-dot", "https://papers。example/a", "IDNA maps it to a dot"),
    ("host-soft-hyphen", "https://pa\u00adpers.example/a", "IDNA maps it to nothing"),
    ("host-encoded", "https://papers%2Eexample/a", "a host is not encoded"),
    ("host-ipv6", "https://[::1]/a", "no address literals with many spellings"),
    ("host-wildcard", "https://*.papers.example/a", "a star in the host"),
    ("host-alone", "https://papers.example", "a path is needed"),
    ("port-default", "https://papers.example:443/a", "the default port is left out"),
    ("port-default-http", "http://papers.example:80/a", "the default port is left out"),
    ("port-leading-zero", "https://papers.example:08443/a", "a port has one spelling"),
    ("port-zero", "https://papers.example:0/a", "no such port"),
    ("port-too-large", "https://papers.example:65536/a", "no such port"),
    ("port-empty", "https://papers.example:/a", "a colon and no port"),
    ("port-arabic", "https://papers.example:٨٤٤٣/a", "digits of another script"),
    ("no-scheme", "//papers.example/a", "not absolute"),
    ("one-slash", "https:/papers.example/a", "a parser may mend it, differently"),
    ("backslashes-ahead", "https:\\\\papers.example\\a", "a parser may mend it, differently"),
    ("path-only", "/a", "not absolute"),
    ("no-host-scheme", "file:///a", "no host, so no authority"),
    ("javascript", "javascript:alert(1)", "no hierarchy, so nothing lies in it"),
    ("percent-small", f"{WEB}caf%c3%a9", "triplets are in capitals"),
    ("percent-needless", f"{WEB}%61", "a letter needs no encoding"),
    ("percent-alone", f"{WEB}50%", "a percent sign alone"),
    ("percent-not-hex", f"{WEB}%ZZ", "a percent sign and no hex"),
    ("percent-of-itself", f"{WEB}50%25", "it decodes to something that decodes"),
    ("percent-u", f"{WEB}%u002e", "no encoding of any standard"),
    ("nul-encoded", f"{WEB}a%00.txt", "what reads C strings ends here"),
    ("newline-encoded", f"{WEB}a%0A", "a control character"),
    ("delete-encoded", f"{WEB}a%7F", "a control character"),
    ("c1-encoded", f"{WEB}a%C2%85", "a control character"),
    ("utf8-cut", f"{WEB}caf%C3", "not UTF-8"),
    ("utf8-continued", f"{WEB}caf%A9", "not UTF-8"),
    ("utf8-surrogate", f"{WEB}%ED%A0%80", "a surrogate, which is no character"),
    ("utf8-beyond", f"{WEB}%F4%90%80%80", "beyond the last character"),
    ("nfd-encoded", f"{WEB}cafe%CC%81", "the same accent as two characters"),
    ("ligature-encoded", f"{WEB}%EF%AC%81", "NFKC takes it apart"),
    ("zero-width-encoded", f"{WEB}a%E2%80%8Bb", "nobody sees it"),
    ("soft-hyphen-encoded", f"{WEB}a%C2%ADb", "nobody sees it"),
    ("right-to-left-encoded", f"{WEB}a%E2%80%AEb", "it turns what people read"),
    ("nfc-raw", f"{WEB}café", "not ASCII: encode it"),
    ("nfd-raw", f"{WEB}cafe\u0301", "not ASCII, and another spelling of the accent"),
    ("slash-division", f"{WEB}a\u2215b", "a division slash"),
    ("blank", f"{WEB}a b", "a blank is encoded"),
    ("blank-behind", f"{WEB}a ", "a blank behind"),
    ("blank-ahead", f" {WEB}a", "a blank ahead"),
    ("newline-behind", f"{WEB}a\n", "a newline behind, which $ lets through"),
    ("tab-inside", f"{WEB}a\tb", "browsers drop tabs"),
    ("carriage-return", f"{WEB}a\r\nHost: x", "a line of its own"),
    ("nul", f"{WEB}a\x00", "what reads C strings ends here"),
    ("braces", f"{WEB}{{id}}", "a template is no resource"),
    ("pipe", f"{WEB}a|b", "not a character of a URI"),
    ("star", f"{WEB}*", "one star means nothing"),
    ("star-in-segment", f"{WEB}a*", "not /a**, not /a/*"),
    ("star-segment", f"{WEB}a/*", "one star means nothing"),
    ("star-inside", f"{WEB}*/b", "a star stands at the end or nowhere"),
    ("stars-inside", f"{WEB}**/b", "two stars stand at the end or nowhere"),
    ("stars-in-segment", f"{WEB}a**", "two stars are a segment"),
    ("three-stars", f"{WEB}***", "two stars are a segment"),
    ("stars-alone", "**", "everything is no resource"),
    ("star-encoded", f"{WEB}%2A%2A", "an encoded star"),
    ("stars-exploding", f"{WEB}{'*a' * 40}b", "a glob that takes for ever"),
    ("urn-upper-case", "URN:acme:papers:17", "a scheme has one spelling"),
    ("urn-nid-upper-case", "urn:Acme:papers:17", "a namespace has one spelling"),
    ("urn-dotdot", f"{URN}..:hr", "dot segments, in a urn too"),
    ("urn-dot", f"{URN}.", "dot segments, in a urn too"),
    ("urn-empty-segment", f"{URN}:17", "an empty segment"),
    ("urn-colon-behind", URN, "an empty segment"),
    ("urn-one-star", f"{URN}*", "one star means nothing"),
    ("urn-star-in-segment", f"{URN}1*", "a star in a segment"),
    ("urn-stars-in-segment", "urn:acme:papers**", "two stars are a segment"),
    ("urn-stars-inside", "urn:acme:**:17", "two stars stand at the end or nowhere"),
    ("urn-slash", f"{URN}17/18", "a slash, which some read as a folder"),
    ("urn-percent", f"{URN}%2E%2E", "nothing is encoded in a urn"),
    ("urn-r-component", f"{URN}17?+r", "a component of RFC 8141 is no part of a resource"),
    ("urn-q-component", f"{URN}17?=q", "a component of RFC 8141 is no part of a resource"),
    ("urn-fragment", f"{URN}17#f", "a component of RFC 8141 is no part of a resource"),
    ("urn-no-name", "urn:acme", "a namespace and no name"),
    ("urn-no-nid", "urn::papers:17", "a name and no namespace"),
    ("urn-nid-hyphen-ahead", "urn:-acme:papers:17", "no namespace of RFC 8141"),
    ("urn-stars-alone", "urn:**", "everything is no resource"),
    ("urn-cyrillic", "urn:acme:p\u0430pers:17", "a letter that looks like another"),
    ("urn-zero-width", f"{URN}\u200b17", "nobody sees it"),
    ("urn-newline", f"{URN}17\n", "a newline behind, which $ lets through"),
    ("urn-arabic-digits", f"{URN}١٧", "digits of another script"),
    ("did-path", "did:web:db.acme.example/a", "a DID URL is no DID"),
    ("did-fragment", "did:web:db.acme.example#k", "a DID URL is no DID"),
    ("did-wildcard", "did:web:**", "a DID is exact"),
    ("did-upper-case", "DID:web:db.acme.example", "a scheme has one spelling"),
    ("did-percent", "did:web:db.acme.example%3A8443", "nothing is encoded in a resource's DID"),
    ("empty", "", "nothing at all"),
    ("too-long", WEB + "a" * 2049, "longer than 2048 characters"),
)  # fmt: skip


ORIGINS = {
    "dotdot-escapes-parent": "ZCAP-LD: targets attenuated by prefix", "dotdot": "CWE-22",
    "dotdot-encoded": "CWE-22", "dotdot-twice-encoded": "CVE-2001-0333",
    "slash-encoded": "RFC 3986, 2.2", "dotdot-overlong-2": "CVE-2000-0884",
    "slash-overlong-2": "CVE-2000-0884", "dot-overlong-3": "RFC 3629, 10",
    "dot-overlong-4": "RFC 3629, 10", "utf8-surrogate": "RFC 3629, 3",
    "semicolon-dotdot": "CVE-2020-5902", "nul-encoded": "CWE-158", "nul": "CWE-158",
    "host-cyrillic": "UTS 39", "host-full-width": "UTS 46", "host-ideographic-dot": "UTS 46",
    "host-soft-hyphen": "UTS 46", "right-to-left-encoded": "CVE-2021-42574",
    "newline-behind": "CWE-625", "urn-newline": "CWE-625", "port-default": "RFC 3986, 6.2.3",
    "nfd-encoded": "UAX 15", "carriage-return": "CWE-93", "urn-r-component": "RFC 8141, 2.3.1",
    "stars-exploding": "CWE-1333",
}  # fmt: skip
WORST = ("dot", "slash", "userinfo", "star")


def spellings() -> list[Case]:
    """Each of them beside an honest one in a child's grant; and some as a request."""
    out: list[Case] = []
    for name, bad, why in SPELLINGS:
        urn = bad.lower().startswith("urn")
        above, good = (f"{URN}**", f"{URN}17") if urn else (f"{WEB}**", f"{WEB}a")
        more: dict[str, Any] = {
            "twin": "urn-one" if urn else "web-one",
            "origin": ORIGINS.get(name, ""),
            "importance": "critical" if any(s in name for s in WORST) else "high",
        }
        told = bad[:60].encode("ascii", "backslashreplace").decode()
        told += f": {why}. Refused, never normalised."
        below = given([above], [bad, good], good)
        out.append(malformed(f"spelled-{name}", f"A grant on {told}", below, "shape", 1, **more))
        if name in ASKED:
            asked = given([above], [above], bad)
            out.append(malformed(f"asked-{name}", f"A request for {told}", asked, "shape", **more))
    return out


ASKED = {
    "dotdot", "dotdot-encoded", "dotdot-twice-encoded", "slash-encoded", "dotdot-overlong-2",
    "dot-full-width", "backslash", "double-slash", "semicolon-dotdot", "query", "fragment",
    "userinfo", "scheme-upper-case", "host-upper-case", "host-trailing-dot", "port-default",
    "percent-small", "nul-encoded", "nfd-encoded", "zero-width-encoded", "newline-behind",
    "urn-dotdot", "urn-empty-segment", "urn-upper-case", "urn-percent", "urn-newline",
}  # fmt: skip
"""Spellings that a server may meet in what it is asked for."""

PATTERNS_ASKED = [
    malformed(f"asked-{name}", f"{pattern} is asked: a request is for one thing.",
              given([pattern], [pattern], pattern), "shape", twin=twin, importance="critical")
    for name, pattern, twin in (("urn-pattern", f"{URN}**", "urn-one"),
                                ("web-pattern", f"{WEB}**", "web-one"))
]  # fmt: skip


def stated(value: Any) -> Alter:
    return block(1, "grants", 0, "resources", value=value)


SHAPES = [
    *(malformed(f"stated-{name}", f"The resources {how}.", stated(value), code, 1, twin="urn-one",
                importance=rank)
      for name, how, value, code, rank in (
          ("none", "are an empty list: neither all nor none", [], "empty-array", "critical"),
          ("text", "are a text", f"{URN}**", "shape", "high"),
          ("object", "are an object", {"0": f"{URN}**"}, "shape", "high"),
          ("number", "hold a number", [17], "shape", "high"),
          ("null-inside", "hold null", [None], "shape", "high"),
          ("list-inside", "hold a list", [[f"{URN}**"]], "shape", "high"),
          ("twice", "name one twice", [f"{URN}17", f"{URN}17"], "shape", "medium"))),
    malformed("stated-once-more", "A grant with a second member for resources.",
              block(1, "grants", 0, "resource", value=f"{URN}**"), "unknown-member", 1,
              twin="urn-one"),
    malformed("excluded", "A grant with an exclusion, which is no member of ours.",
              block(1, "grants", 0, "excludes", value=[f"{URN}17"]), "unknown-member", 1,
              twin="urn-one"),
]  # fmt: skip

CASES = [
    *group("attenuation::resource", lattice(), SETS, spec="DESIGN 5: attenuation"),
    *group("attenuation::resource", spellings(), PATTERNS_ASKED, spec="DESIGN, rule 10"),
    *group("attenuation::resource", SHAPES, spec="DESIGN 3: shape"),
]
