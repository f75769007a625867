"""Documents asked at the edge: they end a chain that was accepted, and begin none."""

from __future__ import annotations

import json
import ssl
import time
from pathlib import Path

from delegant.credentials import Evidence, Presentation, Request, Trust, Verdict, decide
from delegant.credentials.codec import JsonObject, canonical, parse_object
from delegant.credentials.did import Did
from delegant.resolver.app import own_trust
from delegant.resolver.dids import Dids
from delegant.resolver.fetch import Fetcher
from delegant.resolver.retiring import decided, look_up, parties
from delegant.w3c.didweb import Listed, document
from delegant.w3c.keys import Key, new_signer
from delegant.wallet import make_bundle
from delegant.wallet.rotation import rotate_agent
from resolver.door import House, build, running
from resolver.tls import HOST, page, says, site

URL = "https://acme.example"


def shown(house: House) -> JsonObject:
    """What the bot presents to register a name."""
    act = Request("ans.register", house.registry)
    made = make_bundle(house.home, house.bot, house.links, act, audience=None, now=int(time.time()))
    return parse_object(made.to_bytes(), size=1 << 20)


def test_a_rotated_key_is_refused_by_the_homes_own_document(tmp_path: Path) -> None:
    with running(build(tmp_path, url=URL, method="web")) as house:
        body = canonical(shown(house))
        assert house.call("POST", "/v1/verify", body).json["state"] == "accepted"
        ana = house.home.open_wallet("human", "ana")
        rotate_agent(house.home, ana, "bot", now=int(time.time()))
        told = house.call("POST", "/v1/verify", body).json
        assert (told["state"], told["code"]) == ("rejected", "key-retired")


def asked(house: House, dids: Dids) -> str:
    """What the home's own trust says of the bot's act, and then the documents."""
    body = shown(house)
    at = int(time.time())

    def judge(trust: Trust) -> Verdict:
        return decide(
            Presentation.from_json(body["presentation"]),
            Evidence.from_json(body["evidence"]),
            trust,
            Request.from_json(body["request"]),
            at=at,
        )

    first = judge(own_trust(house.home))
    assert first.authorization is not None
    assert house.bot.did in parties(first.authorization)
    return decided(judge, own_trust(house.home), dids, at).code or "accepted"


def test_a_fetched_document_retires_a_key_and_adds_none(tmp_path: Path) -> None:
    house = build(tmp_path, url=f"https://{HOST}", method="web")
    mine, other = Key.of(house.bot.key().public), new_signer().public
    absent = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
    with site(tmp_path, says(absent)) as door:

        def published(*listed: Listed) -> str:
            """What is said once this, and no other document, can be had."""
            bot = page(json.dumps(document(Did(house.bot.did), list(listed))).encode())

            def answer(line: ssl.SSLSocket, head: str) -> None:
                says(bot if "/agents/bot/" in head else absent)(line, head)

            door.answer = answer
            return asked(house, Dids(door.fetcher()))

        assert published(Listed(mine)) == "accepted"
        assert published(Listed(mine, revoked=1_000_000)) == "key-retired"
        assert published(Listed(other)) == "key-retired"
        door.answer = says(absent)
        assert asked(house, Dids(door.fetcher())) == "accepted"  # no document takes nothing away
        assert any("/agents/bot/" in head for head in door.requests)
    assert asked(house, Dids(Fetcher())) == "accepted"


def test_few_are_looked_up_and_the_rest_is_told(tmp_path: Path) -> None:
    found, missing = look_up(["did:web:a.example", "did:web:b.example"], Dids(Fetcher()), 0, most=1)
    assert found == []
    assert [(name, exc.code) for name, exc in missing] == [("did:web:a.example", "did-method")]
    assert look_up(["did:web:a.example"], Dids(Fetcher()), 0, seconds=-1.0) == ([], [])
