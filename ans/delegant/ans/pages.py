"""Answers as the bytes they leave as, kept until anything they speak of changes.

A page is given again without a look at the store, while it is young and the log is where it was.
The mark of where it is: every change replaces the checkpoint file before anybody is told of it,
so a file that is the same one stands for a log that is the same, whichever process of this home
writes. Where it is another, the names of the new entries are read, their pages dropped, and all
pages about searches; only then is anything kept given again. So once a change is acknowledged,
no page says otherwise.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Page", "Pages"]

OVERHEAD: Final = 3072
"""Bytes that a page costs besides its body, amply."""
LOOKED_SECONDS: Final = 1.0
_SEARCHES: Final = ""


@dataclass(slots=True)
class Page:
    """An answer, ready to be sent.

    Attributes:
        body: its bytes; ``media`` and ``etag`` are theirs.
        status: of HTTP.
        name: the key of the name it is about; None for a search.
        at, end: from when until when it may be given, seconds since 1970; ``until`` is what it
            says itself.
        size: of the log, as `Pages.follow` said before it was made.
        head: whatever whoever sends it keeps with it.
    """

    body: bytes
    media: str
    etag: str
    status: int
    name: str | None
    at: int
    end: int
    until: int
    size: int
    head: dict[Hashable, tuple[int, bytes]] = field(default_factory=dict)


class Pages:
    """The pages of one registry.

    Args:
        mark: what changes whenever the log does, for whoever reads it here; cheap.
        size: of the published log.
        names: those that the entries from one number on to another are about; None: too many.
        most: bytes kept.
        shared: others write the log elsewhere, and replace no file here: unless somebody looked
            of late (`confirm`), nothing is given.
    """

    def __init__(
        self,
        mark: Callable[[], object],
        size: Callable[[], int],
        names: Callable[[int, int], Collection[str] | None],
        most: int,
        *,
        shared: bool = False,
    ) -> None:
        self._read_mark, self._read_size, self._names = mark, size, names
        self._most = most
        self._shared = shared
        self._confirmed = -LOOKED_SECONDS
        self._pages: OrderedDict[Hashable, Page] = OrderedDict()
        self._by_name: dict[str, set[Hashable]] = {}
        self._held = 0
        self._size = size()
        self._mark: object = None
        self._lock = threading.Lock()

    def get(self, key: Hashable, at: float) -> Page | None:
        """The page kept under a key, if it may be given now; never waits."""
        page = self._pages.get(key)
        if page is None or not page.at <= at < page.end or self._read_mark() != self._mark:
            return None
        if self._shared and time.monotonic() - self._confirmed >= LOOKED_SECONDS:
            return None
        try:
            self._pages.move_to_end(key)
        except KeyError:  # dropped this very moment
            return None
        return page

    def put(self, key: Hashable, page: Page) -> None:
        """Keep a page, unless the log has moved on since it was made."""
        cost = len(page.body) + OVERHEAD
        if cost > self._most // 8:
            return
        with self._lock:
            if page.size != self._size:
                return
            self._forget(key)
            self._pages[key] = page
            self._by_name.setdefault(page.name or _SEARCHES, set()).add(key)
            self._held += cost
            while self._held > self._most:
                self._forget(*self._pages.popitem(last=False))

    def known(self) -> int | None:
        """The size that the log has, where nothing moved since that was said; never waits."""
        size = self._size
        if self._shared or self._read_mark() != self._mark:
            return None
        return size

    def follow(self) -> int:
        """Drop the pages that the newest entries of the log make untrue; the size it has then."""
        mark = self._read_mark()
        if mark == self._mark:
            return self._size
        size = self._read_size()
        with self._lock:
            before = self._size
        names = self._names(before, size) if size > before else () if size == before else None
        with self._lock:
            if before == self._size:
                self._moved(names, size)
                self._mark = mark
            return self._size

    def confirm(self, looked: float) -> None:
        """Whatever was new in the store at this instant (of the monotonic clock) was followed."""
        self._confirmed = looked

    def published(self, names: Collection[str], before: int, size: int) -> None:
        """This process itself has just published entries about these names."""
        mark = self._read_mark()
        known = self._read_size() == size  # else another has published since
        with self._lock:
            if self._size == before:
                self._moved(names, size)
                if known:
                    self._mark = mark

    def drop(self, name: str) -> None:
        """Drop the pages about a name."""
        with self._lock:
            for key in tuple(self._by_name.get(name, ())):
                self._forget(key)

    def __len__(self) -> int:
        return len(self._pages)

    @property
    def held(self) -> int:
        """Bytes that are kept."""
        return self._held

    # --- inside, with the lock held -------------------------------------------------------------

    def _moved(self, names: Collection[str] | None, size: int) -> None:
        if size != self._size or names is None:
            about = tuple(self._by_name) if names is None else (*names, _SEARCHES)
            for name in about:
                for key in tuple(self._by_name.get(name, ())):
                    self._forget(key)
        self._size = size

    def _forget(self, key: Hashable, page: Page | None = None) -> None:
        page = page or self._pages.pop(key, None)
        if page is None:
            return
        name = page.name or _SEARCHES
        about = self._by_name[name]
        about.discard(key)
        if not about:
            del self._by_name[name]
        self._held -= len(page.body) + OVERHEAD
