"""The organisation's ``anchor.json``, and the home's own trust folder, which follows it."""

from __future__ import annotations

from collections.abc import Collection

from delegant.credentials.codec import JsonObject

from . import files
from .home import Home
from .trustfolder import trust_json, write_trust

__all__ = ["end_keys", "publish"]


def end_keys(home: Home, now: int) -> None:
    """Take keys whose overlap is over out of ``anchor.json`` and the home's own trust folder."""
    over = {one.key for one in home.retired_keys() if one.at <= now}
    anchor = files.read_object(home.path / "anchor.json")
    left = [key for key in anchor["keys"] if key not in over]
    if left and left != anchor["keys"]:
        publish(home, anchor | {"keys": left})


def publish(home: Home, anchor: JsonObject, instead_of: Collection[str] = ()) -> None:
    """Write ``anchor.json``, and the same anchor's id and keys to the home's own trust folder.

    Args:
        instead_of: anchors it takes the place of, besides the one of its own id.
    """
    files.write_json(home.path / "anchor.json", anchor)
    with files.lock(home.path / "trust"):
        value = trust_json(home.path / "trust")
        gone = {anchor["id"], *instead_of}
        own = [one for one in value["anchors"] if one["id"] in gone]
        new = (own[-1] if own else anchor) | {"id": anchor["id"], "keys": anchor["keys"]}
        others = [one for one in value["anchors"] if one["id"] not in gone]
        value["anchors"] = [new, *others]
        write_trust(home.path / "trust", value)
