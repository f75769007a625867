"""Who calls: the address of a connection, or what a proxy of ours says it forwards for."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from .settings import Network

__all__ = ["LOCAL", "Callers", "caller_of"]

LOCAL: Final = "local"
"""Who has no address: the other end of a socket in the file system."""
TAIL: Final = 512
"""How much of a list of addresses is read, from its end: the part that proxies of ours wrote."""


class Callers:
    """Tells callers apart.

    Args:
        proxies: networks whose word on whom they forward for is taken; nobody else's is.
    """

    def __init__(self, proxies: Collection[Network] = ()) -> None:
        self._proxies = tuple(proxies)
        self._forwarded = lru_cache(4096)(self._read)

    def trusts(self, peer: str | None) -> bool:
        """Whether a connection from here may say whom it forwards for."""
        try:
            return bool(self._proxies) and self._ours(_address(peer or ""))
        except ValueError:
            return False

    def forwarded(self, peer: str, said: bytes) -> str:
        """Whom a proxy forwards for: the last address in its list that is no proxy of ours.

        A client may put into the list what it likes; a proxy adds the address it saw to the end,
        so only what stands before the first stranger, from the end, is read.
        """
        return self._forwarded(peer, said[-TAIL:], len(said) > TAIL)

    def _read(self, peer: str, said: bytes, cut: bool) -> str:
        listed = said.decode("latin-1").split(",")
        last = peer
        for text in reversed(listed[1:] if cut else listed):
            try:
                address = _address(text.strip())
            except ValueError:
                break  # no address: whoever wrote that is the one we know last
            last = str(address)
            if not self._ours(address):
                break
        return caller_of(last)

    def _ours(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in one for one in self._proxies)


@lru_cache(4096)
def caller_of(peer: str | None) -> str:
    """Who an address is; of IPv6, a network of 64 bits is one caller, for it is one customer's."""
    try:
        address = _address(peer or "")
    except ValueError:
        return LOCAL
    if address.version == 4:
        return str(address)
    return str(ip_network((address, 64), strict=False))


def _address(text: str) -> IPv4Address | IPv6Address:
    found = ip_address(text.partition("%")[0])
    mapped = found.ipv4_mapped if found.version == 6 else None
    return mapped or found
