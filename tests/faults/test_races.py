"""F12, F13, F15: many clients at once, in two processes; what they saw is held to the rules."""

from __future__ import annotations

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from ans.naming import NAME, URL, Naming
from ans.serving import Server, serving
from delegant.ans import new_record
from delegant.ans.name import AnsName
from delegant.credentials.codec import canonical, digest
from faults.history import Op, check_history
from faults.reading import checkpoint, log_entries, newest
from world import Party

CLIENTS = 64
KEY = AnsName.parse(NAME).key


@pytest.fixture
def naming(tmp_path: Path) -> Naming:
    return Naming(tmp_path / "registry.db")


def wire(naming: Naming, bot: Party) -> tuple[bytes, str]:
    """A registration with evidence about this one agent."""
    own = naming.world.parties[bot.name].identity
    assert own is not None
    about = naming.world.evidence(identities=[own.secured.raw])
    record = new_record(bot.key, bot.did, NAME, {"mcp": URL}, about, at=naming.now)
    return naming.body(naming.event(bot=bot, record=record), bot, evidence=about)


def send(http: httpx.Client, server: Server, body: bytes, token: str) -> tuple[Op, httpx.Response]:
    """Register, and write it down."""
    event = digest(canonical(json.loads(body)["event"]))
    start = time.monotonic()
    reply = http.post(
        f"{server.url}/v1/agents", content=body, headers={"agent-invocation": token}, timeout=30
    )
    done = reply.status_code == 201
    return Op(
        "write", KEY, start, time.monotonic(), "ok" if done else "refused", event,
        reply.json()["index"] if done else -1,
    ), reply  # fmt: skip


def test_f12_of_64_clients_at_two_processes_one_has_the_name(naming: Naming) -> None:
    bots = [naming.agent(f"bot{number}") for number in range(CLIENTS)]
    wires = [wire(naming, bot) for bot in bots]
    barrier = threading.Barrier(CLIENTS)
    where = f"sqlite:///{naming.path}"
    with serving(naming.path.parent, where) as one, serving(naming.path.parent, where) as two:

        def client(number: int) -> tuple[Op, httpx.Response]:
            with httpx.Client() as http:
                barrier.wait()
                return send(http, (one, two)[number % 2], *wires[number])

        with ThreadPoolExecutor(CLIENTS) as pool:
            told = list(pool.map(client, range(CLIENTS)))
    assert sorted(reply.status_code for _, reply in told) == [201] + [409] * (CLIENTS - 1)
    assert {r.json()["code"] for _, r in told if r.status_code == 409} == {"name-taken"}
    (winner,) = (number for number, (op, _) in enumerate(told) if op.outcome == "ok")
    assert naming.agent_of() == bots[winner].did
    naming.bot = bots[winner]
    final = newest(naming, [KEY])
    wrong = check_history([op for op, _ in told], log_entries(naming), [checkpoint(naming)], final)
    assert wrong == []


def test_f13_a_lost_reply_is_had_again_and_the_event_is_logged_once(naming: Naming) -> None:
    body, token = naming.body(naming.event())
    head = (
        f"POST /v1/agents HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        f"Agent-Invocation: {token}\r\n\r\n"
    ).encode()
    with serving(naming.path.parent, f"sqlite:///{naming.path}") as server, httpx.Client() as http:
        port = int(server.url.rpartition(":")[2])
        for _ in range(5):  # it is heard, and nobody waits for what it says
            with socket.create_connection(("127.0.0.1", port)) as line:
                line.sendall(head + body)
        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(lambda _: send(http, server, body, token), range(16)))
    receipts = [reply.json() for _, reply in told]
    assert {reply.status_code for _, reply in told} == {201}
    assert all(receipt == receipts[0] for receipt in receipts)
    assert checkpoint(naming).size == 2
    assert check_history([op for op, _ in told], log_entries(naming)) == []


def test_f15_after_a_revocation_nobody_is_told_that_a_name_is_active(naming: Naming) -> None:
    """Readers at two processes ask all the time, while names are registered and revoked."""
    ops: list[Op] = []
    over = threading.Event()
    names = [NAME.replace("v1.0", f"v{number}") for number in range(1, 13)]
    where = f"sqlite:///{naming.path}"

    def read(http: httpx.Client, server: Server, name: str) -> None:
        start = time.monotonic()
        reply = http.get(f"{server.url}/v1/resolve", params={"name": name})
        end = time.monotonic()
        answer = reply.json().get("answer") or reply.json()
        if reply.status_code in (200, 410):
            found = answer["resolvedAgents"][0] if reply.status_code == 200 else answer["last"]
            event = found["receipt"]["leaf"]["event"]
        else:
            assert (reply.status_code, reply.json()["code"]) in (
                (404, "ans-not-found"), (503, "unavailable"),
            )  # fmt: skip
            if reply.status_code == 503:
                return
            event = ""
        ops.append(Op("read", AnsName.parse(name).key, start, end, "ok", event))

    with serving(naming.path.parent, where) as one, serving(naming.path.parent, where) as two:

        def reader(number: int) -> None:
            with httpx.Client() as http:
                turn = number
                while not over.is_set():
                    read(http, (one, two)[turn % 2], current[0])
                    turn += 1

        def write(
            server: Server, name: str, event: dict[str, object], path: str
        ) -> dict[str, object]:
            body, token = naming.body(event)
            start = time.monotonic()
            reply = http.post(
                f"{server.url}{path}", content=body, headers={"agent-invocation": token}
            )
            assert reply.status_code in (200, 201), reply.text
            told: dict[str, object] = reply.json()
            ops.append(
                Op(
                    "write",
                    AnsName.parse(name).key,
                    start,
                    time.monotonic(),
                    "ok",
                    digest(canonical(event)),
                    int(str(told["index"])),
                )
            )
            return told

        current = [names[0]]
        with ThreadPoolExecutor(6) as pool, httpx.Client(timeout=20) as http:
            jobs = [pool.submit(reader, number) for number in range(6)]
            try:
                for number, name in enumerate(names):
                    current[0] = name
                    servers = (one, two) if number % 2 else (two, one)
                    first = write(servers[0], name, naming.event(name=name), "/v1/agents")
                    time.sleep(0.02)
                    path = f"/v1/agents/{naming.bot.did}/events"
                    event = naming.event("revoke", name=name, receipt=first)
                    write(servers[1], name, event, path)
                    for server in servers:  # acknowledged: neither says that it is active
                        read(http, server, name)
                    time.sleep(0.02)
            finally:
                over.set()
        for job in jobs:
            job.result()
    naming.registry = naming.open()
    reads = [op for op in ops if op.kind == "read"]
    print(f"{len(reads)} reads, {len(ops) - len(reads)} writes")
    assert len(reads) > 100
    assert len({op.event for op in reads}) > len(names)
    assert check_history(ops, log_entries(naming), [checkpoint(naming)]) == []
