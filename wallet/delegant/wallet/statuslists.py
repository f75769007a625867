"""The organisation's status lists on disk: their bits, and each list as last signed."""

from __future__ import annotations

from typing import Final, Literal

from delegant.credentials import StatusEntry, StatusList, issue_status_list
from delegant.credentials.codec import JsonObject
from delegant.credentials.envelope import unpack
from delegant.credentials.errors import error
from delegant.credentials.status import parse_status_list

from . import files
from .allocation import LIST_BITS
from .home import Home
from .keystore import Wallet

__all__ = ["change", "is_set", "load", "numbers", "raw", "set_bit", "sign", "used_in"]

LIST_SECONDS: Final = 3600
MAX_LIST: Final = 4 * 1024 * 1024
Change = Literal["revoke", "suspend", "resume"]


def numbers(home: Home) -> list[int]:
    """The numbers of the lists there are."""
    return sorted(int(path.stem) for path in (home.path / "status").glob("*.bits"))


def number_of(home: Home, url: str) -> int:
    """The number of the list a URL names.

    Raises:
        NotFound: ``not-found`` for a list that is not ours.
    """
    for number in numbers(home):
        if home.settings.list_url(number) == url:
            return number
    raise error("not-found", f"{url} is not a status list of this home")


def bits(home: Home, number: int) -> bytes:
    """The bits of a list."""
    return files.read(home.path / "status" / f"{number}.bits")


def create(home: Home, number: int) -> None:
    """A new list, all clear; one that is there stays as it is."""
    files.make_folder(home.path / "status")
    path = home.path / "status" / f"{number}.bits"
    if not path.exists():
        files.write(path, bytes(LIST_BITS // 8))


def is_set(data: bytes | bytearray, index: int) -> bool:
    """The bit at an index, counted from the left."""
    return bool(data[index >> 3] & (0x80 >> (index & 7)))


class used_in:  # noqa: N801 - reads as a predicate
    """Whether a bit of a list is set; a list that is not ours has no bits we know of."""

    def __init__(self, home: Home, url: str) -> None:
        own = [n for n in numbers(home) if home.settings.list_url(n) == url]
        self._bits = bits(home, own[0]) if own else b""

    def __call__(self, index: int) -> bool:
        """The bit at the index."""
        return bool(self._bits) and is_set(self._bits, index)


def sign(home: Home, organization: Wallet, number: int, now: int) -> StatusList:
    """Sign a list as of now and write it."""
    key = organization.key("status")
    signed = issue_status_list(
        key,
        url=home.settings.list_url(number),
        authority=home.settings.authority,
        bits=bits(home, number),
        valid_from=now,
        valid_until=now + LIST_SECONDS,
    )
    files.write_json(home.path / "status" / f"{number}.json", signed.secured.raw)
    return signed


def raw(home: Home, number: int) -> JsonObject:
    """A list as last signed.

    Raises:
        NotFound: ``not-found``.
    """
    return files.read_object(home.path / "status" / f"{number}.json", size=MAX_LIST)


def load(home: Home, number: int) -> StatusList:
    """`raw`, parsed."""
    return parse_status_list(unpack(raw(home, number)))


def change(
    home: Home, organization: Wallet, entry: StatusEntry, what: Change, now: int
) -> StatusList:
    """Revoke (for good), suspend or resume what an entry stands for, and sign the list.

    Raises:
        NotFound: ``not-found``. Rejected: ``revoked`` when resuming what was revoked.
    """
    number = number_of(home, entry.list)
    with files.lock(home.path):
        if what == "resume" and is_set(bits(home, number), entry.index):
            raise error("revoked", "nothing is ever un-revoked")
        index = entry.index + (what != "revoke")
        return set_bit(home, organization, number, index, now, value=what != "resume")


def set_bit(
    home: Home, organization: Wallet, number: int, index: int, now: int, *, value: bool = True
) -> StatusList:
    """Set or clear one bit, and sign the list. The caller holds the home's lock."""
    data = bytearray(bits(home, number))
    mask = 0x80 >> (index & 7)
    data[index >> 3] = data[index >> 3] | mask if value else data[index >> 3] & ~mask & 0xFF
    files.write(home.path / "status" / f"{number}.bits", bytes(data))
    return sign(home, organization, number, now)
