"""The nginx configuration that the house ships, before a real server."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from resolver.door import NAME, House, Reply
from resolver.process import counted, served

CONF = Path(__file__).resolve().parents[2] / "deploy" / "nginx.conf"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed here")


@contextlib.contextmanager
def fronted(folder: Path, house: House) -> Iterator[House]:
    """The house again, seen through nginx."""
    assert NGINX is not None
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    text = CONF.read_text()
    changes = {
        "listen 443 ssl;": f"listen 127.0.0.1:{port};",
        "    ssl_certificate     /etc/ssl/delegant/cert.pem;\n": "",
        "    ssl_certificate_key /etc/ssl/delegant/key.pem;\n": "",
        "server 127.0.0.1:8080;": f"server 127.0.0.1:{house.port};",
        "/var/cache/nginx/delegant": str(folder / "cache"),
        "/var/log/nginx/delegant.log": str(folder / "log"),
    }
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    temporary = "".join(
        f"{kind}_temp_path {folder / kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"{'user root;' if os.geteuid() == 0 else ''}\n"  # the folder is nobody else's
        f"daemon off;\npid {folder / 'pid'};\nerror_log {folder / 'errors'};\n"
        f"events {{}}\nhttp {{\n{temporary}{text}\n}}\n"
    )
    told = subprocess.run(
        [NGINX, "-t", "-c", folder / "nginx.conf", "-e", folder / "errors"],
        capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert "[warn]" not in told.stderr.replace('the "user" directive', "")
    process = subprocess.Popen(
        [NGINX, "-c", folder / "nginx.conf", "-e", folder / "errors"], stderr=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            assert time.monotonic() < end
            time.sleep(0.05)
        yield replace(house, port=port)
    finally:
        process.send_signal(signal.SIGQUIT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def cache(reply: Reply) -> str:
    """What became of it: MISS, HIT, BYPASS …"""
    return reply.headers.get("x-cache", "")


def test_nginx_keeps_what_may_be_kept_and_nothing_else(settled: House, tmp_path: Path) -> None:
    env = {"DELEGANT_PROXIES": "127.0.0.1", "DELEGANT_ACCESS_LOG": str(tmp_path / "access")}
    resolve = f"/v1/resolve?name={NAME}"
    with served(settled, **env) as process:
        receipt = settled.post(settled.event()).json
        with fronted(tmp_path, settled) as front:
            # answers: for as long as they say
            first, second = (front.call("GET", resolve) for _ in range(2))
            assert (cache(first), cache(second)) == ("MISS", "HIT")
            assert first.body == second.body
            assert second.headers["cache-control"].startswith("public, max-age=")
            assert second.headers["date"] == first.headers["date"]  # so its age can be told
            assert cache(front.call("GET", resolve, headers={"Accept": "text/plain"})) == "MISS"
            tag = {"If-None-Match": first.headers["etag"]}
            held = front.call("GET", resolve, headers=tag)
            assert (held.status, held.body, cache(held)) == (304, b"", "HIT")
            assert cache(front.call("HEAD", resolve)) == "HIT"

            # who wants it fresh, or later than so many entries, has it so
            fresh = front.call("GET", resolve, headers={"Cache-Control": "no-cache"})
            assert (fresh.status, cache(fresh)) == (200, "BYPASS")
            later = front.call("GET", f"{resolve}&min_log_size=1")
            assert cache(later) == "BYPASS"
            assert cache(front.call("GET", f"{resolve}&min_log_size=1")) == "BYPASS"

            # what is posted is never kept
            asked = b'{"name": "%s"}' % NAME.encode()
            for _ in range(2):
                posted = front.call("POST", "/v1/resolve", asked)
                assert (posted.status, cache(posted)) == (200, "")

            # what is not public, neither
            about = f"/v1/evidence/{settled.bot.did}"
            told = [front.call("GET", about, headers={"Agent-Invocation": "x"}) for _ in range(2)]
            assert [cache(one) for one in told] == ["BYPASS", "BYPASS"]

            # records and events: for ever; the checkpoint: for a second
            event = f"/v1/events/{receipt['leaf']['event']}"
            assert [cache(front.call("GET", event)) for _ in range(2)] == ["MISS", "HIT"]
            record = f"/v1/records/{receipt['leaf']['record']}"
            assert [cache(front.call("GET", record)) for _ in range(2)] == ["MISS", "HIT"]
            assert front.call("GET", "/checkpoint").status == 200
            time.sleep(2.1)
            assert cache(front.call("GET", "/checkpoint")) in ("EXPIRED", "REVALIDATED")

            # the caller is whom nginx saw, whatever it says of itself
            front.call("GET", "/v1/providers", headers={"X-Forwarded-For": "203.0.113.9"})
            assert front.call("GET", "/metrics").status == 200
            told_metrics = settled.call("GET", "/metrics").body.decode()
            assert counted(told_metrics, "delegant_requests_total", route="/v1/events/{digest}",
                           status="200") == 1  # fmt: skip
            time.sleep(0.3)
            callers = {
                json.loads(line)["caller"]
                for line in (tmp_path / "access").read_text().splitlines()
            }
            assert callers == {"127.0.0.1"}

            # too large a body is not even passed on
            assert front.call("POST", "/v1/agents", b" " * ((2 << 20) + 1)).status == 413

            # with the server gone, what never changes is still there, and nothing past its time
            process.kill()
            process.wait(10)
            time.sleep(2.1)  # the checkpoint is good for a second
            assert front.call("GET", event).status == 200
            assert front.call("GET", record).body
            assert front.call("GET", resolve).status == 200  # it is good for a while yet
            assert front.call("GET", "/checkpoint").status == 502
            assert front.call("GET", "/health/live").status == 502
    assert NAME not in (tmp_path / "log").read_text()


def test_an_answer_past_its_time_is_not_given(settled: House, tmp_path: Path) -> None:
    """What the server says, nginx keeps to: here, two seconds."""
    asked: list[str] = []

    class Brief(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200 if len(asked) == 1 else 503)
            if len(asked) == 1:
                self.send_header("Cache-Control", "public, max-age=2")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Brief)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with fronted(tmp_path, replace(settled, port=server.server_port)) as front:
            assert front.call("GET", "/v1/resolve?name=x").status == 200
            assert cache(front.call("GET", "/v1/resolve?name=x")) == "HIT"
            time.sleep(3.1)
            assert front.call("GET", "/v1/resolve?name=x").status == 503
            assert len(asked) == 2
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
