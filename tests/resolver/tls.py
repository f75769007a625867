"""A web server of somebody else: real TLS under a CA of its own, on loopback, saying anything.

The wire to it goes through no exception of the address filter: names resolve to addresses that
are public, and only the last step, the socket itself, is led to loopback.
"""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from delegant.resolver.fetch import Fetcher, Wire

HOST = "acme.example"
PUBLIC = "8.8.8.8"
"""An address the filter lets pass. Nothing is ever sent there: see `Site.connect`."""

Answer = Callable[[ssl.SSLSocket, str], None]


def page(body: bytes, media: str = "application/did+json", head: str = "") -> bytes:
    """A whole answer."""
    lines = f"HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: {len(body)}\r\n{head}\r\n"
    return lines.encode() + body


def says(data: bytes) -> Answer:
    """An answer that is the same for everybody."""

    def answer(line: ssl.SSLSocket, _request: str) -> None:
        line.sendall(data)

    return answer


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def _signed(
    subject: str, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey, ca: bool
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(_named(subject))
        .issuer_name(_named("Test CA"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False
        )
    )
    if ca:  # VERIFY_X509_STRICT, the default from Python 3.13, asks for it (RFC 5280, 4.2.1.3)
        usage = dict.fromkeys(USAGES, False) | {"key_cert_sign": True, "crl_sign": True}
        made = made.add_extension(x509.KeyUsage(**usage), critical=True)
    else:
        made = made.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(subject)]), critical=False
        )
    return made.sign(by, hashes.SHA256())


@cache
def certificates() -> tuple[bytes, bytes, bytes]:
    """CA certificate, the host's certificate, the host's key, as PEM."""
    ca, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    return (
        _signed("Test CA", ca, ca, True).public_bytes(Encoding.PEM),
        _signed(HOST, leaf, ca, False).public_bytes(Encoding.PEM),
        leaf.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def trusting() -> ssl.SSLContext:
    """A client's trust in the test CA alone."""
    return ssl.create_default_context(cadata=certificates()[0].decode())


@dataclass
class Site:
    """The running server.

    Attributes:
        answer: what it does with each request; set it.
        addresses: what names resolve to, call by call; the last stays.
        requests: the heads of the requests it saw.
        connected: the addresses connected to.
        names: the names it was asked for in TLS (SNI).
    """

    port: int
    answer: Answer
    addresses: list[list[str]] = field(default_factory=lambda: [[PUBLIC]])
    requests: list[str] = field(default_factory=list)
    connected: list[tuple[str, int]] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def lookup(self, host: str) -> list[str]:
        """The addresses of a name."""
        self.asked.append(host)
        return self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]

    def connect(self, address: str, port: int, seconds: float) -> socket.socket:
        """Note where to, and lead it to loopback."""
        self.connected.append((address, port))
        return socket.create_connection(("127.0.0.1", self.port), seconds)

    def fetcher(self, *allowed: str, seconds: float = 5.0) -> Fetcher:
        """A fetcher whose wire ends here."""
        wire = Wire(self.lookup, self.connect, trusting)
        return Fetcher(allowed or (HOST,), wire=wire, seconds=seconds)


@contextlib.contextmanager
def site(folder: Path, answer: Answer) -> Iterator[Site]:
    """Run a server while the block runs."""
    _, certificate, key = certificates()
    chain = folder / "site.pem"
    chain.write_bytes(certificate + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    listener = socket.create_server(("127.0.0.1", 0))
    found = Site(listener.getsockname()[1], answer)
    context.sni_callback = lambda _line, name, _context: found.names.append(name)
    stopping = threading.Event()

    def handle(raw: socket.socket) -> None:
        with contextlib.suppress(OSError), raw:
            raw.settimeout(10)
            with context.wrap_socket(raw, server_side=True) as line:
                request = b""
                while b"\r\n\r\n" not in request and (chunk := line.recv(65_536)):
                    request += chunk
                found.requests.append(request.decode("latin-1"))
                found.answer(line, found.requests[-1])

    def accept() -> None:
        while not stopping.is_set():
            with contextlib.suppress(OSError):
                raw, _ = listener.accept()
                threading.Thread(target=handle, args=(raw,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        stopping.set()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", found.port), 1).close()
        listener.close()
        thread.join(5)
