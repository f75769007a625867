"""Who gets in: a token of the right scope, or anybody, and then from this machine alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from delegant.credentials import Request, did, issue_status_list, present
from delegant.credentials.codec import canonical
from delegant.resolver.door import is_loopback
from delegant.wallet import Wallet, gather, tokens
from resolver.door import PASSPHRASE, House, build, running
from resolver.vc import Api, plain, shown

ROUTES = [
    ("/credentials/issue", "issue", {"credential": plain()}),
    ("/eddsa-jcs-2022/credentials/issue", "issue", {"credential": plain()}),
    ("/credentials/status", "status", {"credentialId": "urn:x:1", "credentialStatus": {
        "type": "BitstringStatusListEntry"}}),
    ("/credentials/verify", "verify", {"verifiableCredential": plain()}),
    ("/presentations/verify", "verify", {"presentation": shown()}),
    ("/presentations", "present", {"presentation": shown()}),
    ("/status-lists", "status", {"statusPurpose": "revocation"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def shut(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house as it is by default."""
    with running(build(tmp_path_factory.mktemp("shut"))) as house:
        yield house


def token(house: House, *scopes: str, seconds: int = 600) -> str:
    return tokens.make(house.home, "ci", scopes, now=int(time.time()), seconds=seconds)


@pytest.mark.parametrize(("path", "scope", "body"), ROUTES)
def test_every_route_asks_for_a_token_of_its_scope(
    shut: House, path: str, scope: str, body: Any
) -> None:
    nobody = Api(shut).post(path, body)
    assert (nobody.status, nobody.json["code"]) == (401, "api-auth")
    assert nobody.headers["www-authenticate"] == 'Bearer realm="delegant"'
    others = [one for one in tokens.SCOPES if one != scope]
    other = Api(shut, token(shut, *others)).post(path, body)
    assert (other.status, other.json["code"]) == (403, "api-auth")
    assert 'error="insufficient_scope"' in other.headers["www-authenticate"]
    right = Api(shut, token(shut, scope)).post(path, body)
    assert right.status not in (401, 403)


def test_nobody_is_asked_for_a_status_list(shut: House) -> None:
    issued = Api(shut, token(shut, "issue")).issue(plain())
    path = issued["credentialStatus"]["statusListCredential"].removeprefix("http://127.0.0.1:8080")
    assert shut.call("GET", path).status == 200


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer x", "Basic dXNlcjpwYXNz", "bearer delegant_0_0", "Digest a",
     "Bearer " + "a" * 5000],
)  # fmt: skip
def test_what_is_no_token_is_told_so(shut: House, header: str) -> None:
    reply = Api(shut).post("/credentials/verify", {}, Authorization=header)
    assert (reply.status, reply.json["code"]) == (401, "api-auth")
    assert reply.headers["www-authenticate"].startswith("Bearer ")


def test_a_token_is_asked_for_before_the_body_is_read(shut: House) -> None:
    assert Api(shut).post("/credentials/issue", b"{").status == 401
    assert Api(shut, token(shut, "issue")).post("/credentials/issue", b"{").status == 400


def test_a_revoked_token_is_refused_at_once(shut: House) -> None:
    mine = token(shut, "verify")
    body = {"verifiableCredential": plain()}
    assert Api(shut, mine).post("/credentials/verify", body).status == 400
    tokens.revoke(shut.home, mine.split("_")[1])
    assert Api(shut, mine).post("/credentials/verify", body).status == 401


def test_development_asks_nobody_but_no_page_of_elsewhere(api: Api) -> None:
    body = {"credential": plain()}
    assert api.post("/credentials/issue", body).status == 201
    assert api.post("/credentials/issue", body, Origin="http://localhost:3000").status == 201
    for origin in ("https://evil.example", "http://127.0.0.1.evil.example", "null", "", "http://["):
        assert api.post("/credentials/issue", body, Origin=origin).status == 401


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "[::1]", "localhost"])
def test_this_machine_is_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "[::]", "10.0.0.1", "", "example.com", "127.1", "localhost.a.example"],  # noqa: S104
)
def test_every_other_host_is_not(host: str) -> None:
    assert not is_loopback(host)


def test_no_answer_shows_a_token_or_a_key(shut: House) -> None:
    mine = token(shut, "issue")
    reply = Api(shut, mine).post("/credentials/issue", {"credential": plain(), "x": 1})
    assert mine.split("_", 2)[2] not in reply.body.decode()


def test_the_api_document_names_every_route_and_its_answers(shut: House) -> None:
    document = shut.call("GET", "/openapi.json").json
    for path, _, _ in ROUTES:
        path = path.replace("/eddsa-jcs-2022/", "/{configuration}/")  # noqa: PLW2901
        told = document["paths"][path]["post"]
        assert told["security"] == [{"bearer": []}]
        assert {"400", "401", "403", "413"} <= told["responses"].keys()
        assert told["requestBody"]["content"]["application/json"]["schema"]["type"] == "object"
    assert "304" in document["paths"]["/status-lists/{number}"]["get"]["responses"]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_no_chain_takes_a_list_that_the_generic_issuer_signs(shut: House) -> None:
    """Not even one of the chain's own form, with its key, at the chain's own address."""
    act = Request("ans.register", shut.registry, arguments={"name": "x"})
    now = int(time.time())
    invocation = present(shut.links, shut.bot.key(), audience=shut.registry, request=act, at=now)
    evidence = gather(shut.home, [shut.bot.did]).json
    own = evidence["statusLists"]

    def verdict(lists: list[Any]) -> tuple[str, str]:
        body = {
            "presentation": invocation.json,
            "evidence": evidence | {"statusLists": lists},
            "request": act.json,
        }
        told = shut.call("POST", "/v1/verify", canonical(body)).json
        return told["state"], told["code"] or ""

    assert verdict(own) == ("accepted", "")
    key = Wallet.open(shut.home.wallet_path("issuer"), PASSPHRASE, kind="issuer").key()
    forged = issue_status_list(
        key, url=own[0]["id"], authority=did.from_key(key.public), bits=bytes(1 << 17),
        valid_from=now, valid_until=now + 3600,
    )  # fmt: skip
    assert verdict([forged.secured.raw]) == ("undecided", "status-unknown")
    issued = Api(shut, token(shut, "issue")).issue(plain(), "/eddsa-jcs-2022")
    number = shut.issuer.number_of(issued["credentialStatus"]["statusListCredential"])
    assert number is not None
    assert verdict([shut.issuer.listed(number)]) == ("undecided", "status-missing")
    assert verdict(own) == ("accepted", "")
