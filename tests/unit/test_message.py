"""The framer: whole messages out of any pieces, and the header errors of RFC 4271 section 6.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgp.errors import NotifyError
from bgp.message import KEEPALIVE, Framer, MessageType, build, message_name

OPEN = build(1, bytes.fromhex("04fde9005a0a00000200"))
UPDATE = build(2, bytes(4))
REFRESH = build(5, bytes.fromhex("00010001"))


def header(length: int, kind: int, marker: bytes = b"\xff" * 16) -> bytes:
    return marker + length.to_bytes(2, "big") + bytes((kind,))


ERRORS = [
    ("a marker with a zero", header(19, 4, b"\x00" + b"\xff" * 15), (1, 1, b"")),
    ("a marker that ends wrong", header(19, 4, b"\xff" * 15 + b"\xfe"), (1, 1, b"")),
    ("length 0", header(0, 4), (1, 2, b"\x00\x00")),
    ("length 18", header(18, 4), (1, 2, b"\x00\x12")),
    ("length 4097", header(4097, 2), (1, 2, b"\x10\x01")),
    ("an OPEN of 28", header(28, 1), (1, 2, b"\x00\x1c")),
    ("an OPEN of 4097", header(4097, 1), (1, 2, b"\x10\x01")),
    ("an UPDATE of 22", header(22, 2), (1, 2, b"\x00\x16")),
    ("a NOTIFICATION of 20", header(20, 3), (1, 2, b"\x00\x14")),
    ("a KEEPALIVE of 20", header(20, 4), (1, 2, b"\x00\x14")),
    ("type 0", header(19, 0), (1, 3, b"\x00")),
    ("type 7", header(19, 7), (1, 3, b"\x07")),
    ("an OPERATIONAL that was not negotiated", header(30, 6), (1, 3, b"\x06")),
    ("a bad length of an unknown type", header(5000, 99), (1, 2, b"\x13\x88")),
]


@pytest.mark.parametrize(("octets", "expected"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS])
def test_a_bad_header_is_an_error_with_its_subcode_and_data(octets: bytes, expected: tuple[int, int, bytes]) -> None:
    framer = Framer()
    framer.append(octets)
    with pytest.raises(NotifyError) as raised:
        framer.take()
    assert (raised.value.code, raised.value.subcode, raised.value.data) == expected
    messages, error = framer.take_all()
    assert messages == []
    assert error is not None
    assert (error.code, error.subcode, error.data) == expected


def test_messages_before_a_bad_header_come_out_first() -> None:
    framer = Framer()
    framer.append(UPDATE + KEEPALIVE + header(18, 4))
    messages, error = framer.take_all()
    assert messages == [UPDATE, KEEPALIVE]
    assert error is not None
    assert error.subcode == 2


def test_a_bad_header_is_found_before_the_body_has_come() -> None:
    framer = Framer()
    framer.append(header(5000, 4))
    with pytest.raises(NotifyError, match="5000"):
        framer.take()


def test_an_extended_message_needs_its_negotiation() -> None:
    long = build(2, bytes(5000))
    framer = Framer()
    framer.negotiated(65535, False)
    framer.append(long)
    assert framer.take() == long


@pytest.mark.parametrize("kind", [MessageType.OPEN, MessageType.KEEPALIVE])
def test_open_and_keepalive_never_become_longer(kind: int) -> None:
    framer = Framer()
    framer.negotiated(65535, True)
    framer.append(header(4097, kind))
    with pytest.raises(NotifyError) as raised:
        framer.take()
    assert (raised.value.code, raised.value.subcode) == (1, 2)


def test_operational_passes_once_negotiated() -> None:
    message = build(6, bytes.fromhex("0002000800010168656c6c6f"))
    framer = Framer()
    framer.negotiated(4096, True)
    framer.append(message)
    assert framer.take_all() == ([message], None)


def test_octets_one_by_one_give_the_same_messages_as_all_at_once() -> None:
    stream = [OPEN, KEEPALIVE, UPDATE, REFRESH, UPDATE]
    framer = Framer()
    found = []
    for octet in b"".join(stream) + UPDATE[:10]:
        framer.append(bytes((octet,)))
        message = framer.take()
        if message is not None:
            found.append(message)
    assert found == stream
    assert framer.pending == 10


@given(st.lists(st.sampled_from([KEEPALIVE, UPDATE, REFRESH, build(2, bytes(500))])), st.data())
def test_any_cut_of_a_stream_gives_its_messages(stream: list[bytes], data: st.DataObject) -> None:
    octets = b"".join(stream)
    framer = Framer()
    found = []
    while octets:
        size = data.draw(st.integers(1, len(octets)))
        framer.append(octets[:size])
        octets = octets[size:]
        messages, error = framer.take_all()
        assert error is None
        found += messages
    assert found == stream
    assert framer.pending == 0


@given(st.binary(max_size=200))
def test_random_octets_never_raise_anything_but_a_header_error(octets: bytes) -> None:
    framer = Framer()
    framer.append(octets)
    messages, error = framer.take_all()
    assert error is None or error.code == 1
    assert sum(map(len, messages)) + framer.pending == len(octets)


def test_a_message_that_no_header_can_describe_is_not_built() -> None:
    with pytest.raises(ValueError, match="65536"):
        build(2, bytes(65536 - 19))


def test_an_unknown_type_is_named_by_its_number() -> None:
    assert message_name(2) == "UPDATE"
    assert message_name(77) == "type 77"


@pytest.mark.parametrize("octets", [b"GET / HTTP/1.1\r\n\r\n"[:5], b"\0", b"\xff" * 15 + b"\xfe", b"\xff" * 3 + b"\0"])
@pytest.mark.parametrize("before", [b"", KEEPALIVE])
def test_what_cannot_become_a_marker_is_not_waited_for(before: bytes, octets: bytes) -> None:
    framer = Framer()
    framer.append(before + octets)
    messages, error = framer.take_all()
    assert messages == ([before] if before else [])
    assert error is not None
    assert (error.code, error.subcode) == (1, 1)
    framer = Framer()
    framer.append(octets)
    with pytest.raises(NotifyError, match="is not all ones"):
        framer.take()
