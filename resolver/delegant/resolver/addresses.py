"""Which addresses this machine may connect to on somebody else's word: public ones alone.

Our own table (IANA special-purpose registries, 2026), because `ipaddress.is_global` calls
NAT64 of loopback, multicast and site-local addresses global, and differs between Pythons.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from delegant.credentials.errors import error

__all__ = ["public"]

_NOT_PUBLIC_4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network; Linux takes it for loopback
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' NAT, and the metadata service of one cloud
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's service to its machines, on an address like any other
        "169.254.0.0/16",  # link-local: metadata services
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_UNICAST_6: Final = IPv6Network("2000::/3")
_NOT_PUBLIC_6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
    )
)
_LAST_32: Final = tuple(
    IPv6Network(text)
    for text in (
        "::ffff:0:0/96",  # mapped
        "::ffff:0:0:0/96",  # translated (RFC 2765)
        "64:ff9b::/96",  # NAT64
    )
)
"""Prefixes whose last 32 bits are the IPv4 address that is really reached."""


def public(text: str) -> IPv4Address | IPv6Address:
    """An address as the resolver gave it, if it is public.

    IPv6 addresses that only wrap an IPv4 one are judged by what is inside.

    Raises:
        Rejected: ``fetch-refused``.
    """
    try:
        address = ip_address(text)
    except ValueError:
        raise error("fetch-refused", f"{text[:64]!r} is no address") from None
    inside = address if isinstance(address, IPv4Address) else _inside(address)
    if inside is not None:
        refused = any(inside in network for network in _NOT_PUBLIC_4)
    else:
        refused = address not in _UNICAST_6 or any(address in net for net in _NOT_PUBLIC_6)
    if refused:
        raise error("fetch-refused", f"{text[:64]} is no public address")
    return address


def _inside(address: IPv6Address) -> IPv4Address | None:
    number = int(address)
    if address.scope_id is not None:
        return None  # link-local by its nature, and refused as such
    if any(address in network for network in _LAST_32):
        return IPv4Address(number & 0xFFFFFFFF)
    if number >> 112 == 0x2002:
        return IPv4Address(number >> 80 & 0xFFFFFFFF)
    if number >> 32 & 0xFDFFFFFF == 0x5EFE:  # ISATAP, with or without the universal bit
        return IPv4Address(number & 0xFFFFFFFF)
    return None
