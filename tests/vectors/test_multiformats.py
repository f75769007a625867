"""An independent implementation, multiformats, has the same table of keys and the same base58."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from multiformats import multibase, multicodec

from delegant.credentials import PrivateKey
from delegant.credentials.codec import b58_decode, b58_encode
from delegant.credentials.keys import CODECS

BASE58 = multibase.get("base58btc")


def test_every_kind_of_key_we_name_is_called_so_in_the_table() -> None:
    named = {prefix: multicodec.unwrap(prefix + bytes(32))[0].name for prefix in CODECS}
    assert named == CODECS


def test_kinds_are_whole_prefixes_of_keys_and_of_nothing_else() -> None:
    for prefix, name in CODECS.items():
        kind = multicodec.get(name)
        assert kind.tag == "key"
        assert kind.wrap(b"") == prefix


def test_the_key_we_take_is_the_one_they_call_ed25519() -> None:
    key = PrivateKey(bytes(range(32))).public
    kind, raw = multicodec.unwrap(BASE58.decode(key.multikey))
    assert (kind.name, bytes(raw)) == ("ed25519-pub", key.raw)


@given(st.binary(max_size=80))
def test_base58_is_written_and_read_alike(data: bytes) -> None:
    text = BASE58.encode(data)
    assert text == "z" + b58_encode(data)
    assert b58_decode(text[1:]) == data
