"""What an operator sets: the environment variables ``DELEGANT_*``, and options over them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from delegant.credentials.errors import error
from delegant.wallet.registry import database_at

__all__ = ["Network", "Settings"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
PREFIX: Final = "DELEGANT_"
_WHOLE: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_DECIMAL: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?", re.ASCII)
_ORIGIN: Final = re.compile(
    r"https?://(?:[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(:[1-9][0-9]{0,4})?",
    re.ASCII,
)
_PORT: Final = 65_535


class _No(ValueError):
    """What a value must be instead; never the value itself, which may be a secret."""


def _database(text: str) -> str:
    known = ("sqlite:///", "postgresql://", "postgresql+psycopg://", "postgres://")
    if "\0" in text or (":" in text and not text.startswith(known)):
        raise _No("a path, sqlite:///FILE or postgresql://…")
    return text


def _bind(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not _WHOLE.fullmatch(port) or int(port) > _PORT:
        raise _No("HOST:PORT")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise _No("HOST:PORT, an IPv6 address in brackets")
    return text


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not _WHOLE.fullmatch(text) or not least <= int(text) <= most:
            raise _No(f"a whole number from {least} to {most}")
        return int(text)

    return read


def _decimal(least: float, most: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        if not _DECIMAL.fullmatch(text) or not least <= float(text) <= most:
            raise _No(f"a number from {least:g} to {most:g}")
        return float(text)

    return read


def _log(text: str) -> str:
    if "\0" in text or not text:
        raise _No("off, stderr, stdout or the path of a file")
    return text


def _on(text: str) -> bool:
    if text not in ("on", "off"):
        raise _No("on or off")
    return text == "on"


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(one) for one in _listed(text))
    except ValueError:
        raise _No("addresses or networks such as 127.0.0.1,10.0.0.0/8, with commas") from None


def _origins(text: str) -> tuple[str, ...]:
    found = tuple(_listed(text))
    if not all(_ORIGIN.fullmatch(one) for one in found):
        raise _No("origins such as https://app.example, exactly and with commas; no *")
    return found


def _set(read: Callable[[str], Any], default: Any, told: str, shown: str | None = None) -> Any:
    """A field: how its text is read, and what people are told of it."""
    return field(default=default, metadata={"read": read, "told": told, "shown": shown})


@dataclass(frozen=True)
class Settings:
    """How a registry is served. Each member is the variable of its name, in capitals."""

    database: str | None = _set(
        _database, None, "The registry's rows: a path, `sqlite:///FILE` or `postgresql://…`.",
        "`registry.db` in the home",
    )  # fmt: skip
    bind: str = _set(_bind, "127.0.0.1:8080", "HOST:PORT to listen on; port 0 picks a free one.")
    workers: int = _set(_whole(1, 64), 1, "Processes that serve.")
    access_log: str = _set(
        _log, "off", "Where a line of JSON for each request goes: off, stderr, stdout or a path."
    )
    rate: float = _set(
        _decimal(0, 1e6), 2000.0, "Requests a second of one caller, in each worker; 0: no limit."
    )
    burst: int = _set(
        _whole(1, 10**6), 4000, "Requests of one caller at once, before its rate counts."
    )
    concurrency: int = _set(
        _whole(0, 10**5), 256,
        "Requests of one caller that are being answered, in each worker; 0: no limit.",
    )  # fmt: skip
    proxies: tuple[Network, ...] = _set(
        _networks, (), "Addresses and networks whose X-Forwarded-For is believed.", "none"
    )
    cors: tuple[str, ...] = _set(
        _origins, (), "Origins whose pages may ask from a browser.", "none"
    )
    answers_mib: int = _set(_whole(1, 65_536), 64, "MiB of answers kept, in each worker.")
    head_seconds: float = _set(_decimal(0.1, 600), 10.0, "For the head of a request.")
    body_seconds: float = _set(_decimal(0.1, 600), 20.0, "For its body.")
    send_seconds: float = _set(
        _decimal(0.1, 600), 20.0, "For a caller to take what waits to be sent."
    )
    idle_seconds: float = _set(
        _decimal(0.1, 600), 30.0, "For the next request on a connection that is kept."
    )
    max_connections: int = _set(_whole(1, 10**5), 2048, "Connections, in each worker.")
    caller_connections: int = _set(
        _whole(0, 10**5), 512, "Connections of one caller, in each worker; 0: no limit."
    )
    bodies_mib: int = _set(
        _whole(1, 65_536), 64, "MiB of large bodies that are being received, in each worker."
    )
    metrics: bool = _set(_on, True, "Whether /metrics answers: on or off.", "on")

    @classmethod
    def from_env(cls, environ: Mapping[str, str], **options: str | None) -> Settings:
        """What the environment says; an option that is not None wins over its variable.

        Args:
            environ: an empty variable is as good as none.
            options: by the names of the members; texts, as in the environment.

        Raises:
            Malformed: ``shape``. It names the variable or option, and does not repeat the value.
        """
        found: dict[str, Any] = {}
        for one in fields(cls):
            option = options.get(one.name)
            variable = PREFIX + one.name.upper()
            text = environ.get(variable, "") if option is None else option
            if not text and option is None:
                continue
            name = variable if option is None else "--" + one.name.replace("_", "-")
            try:
                found[one.name] = one.metadata["read"](text)
            except _No as exc:
                raise error("shape", f"{name} is {exc}") from None
        return cls(**found)

    @classmethod
    def table(cls) -> str:
        """All of them, as Markdown, for the page about operations."""
        rows = ["| variable | default | |", "|---|---|---|"]
        for one in fields(cls):
            plain = f"{one.default:g}" if isinstance(one.default, float) else f"{one.default}"
            shown = one.metadata["shown"] or f"`{plain}`"
            rows.append(f"| `{PREFIX}{one.name.upper()}` | {shown} | {one.metadata['told']} |")
        return "\n".join(rows) + "\n"

    def store(self, home: Path) -> Path | str:
        """Where the rows are, as a store is told: a file, or an address."""
        return database_at(home, self.database)

    @property
    def address(self) -> tuple[str, int]:
        """Host, without brackets, and port."""
        host, _, port = self.bind.rpartition(":")
        return host.strip("[]"), int(port)
