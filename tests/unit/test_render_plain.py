"""Plain UPDATEs: which ones are, and that they read the same whichever way they are rendered."""

from __future__ import annotations

import gzip
from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from apid.render.envelope import NeighborContext, ProcessContext
from apid.render.fast import ipv4_prefix_field, ipv4_prefixes
from apid.render.form import RECEIVE, Form
from apid.render.renderer import Renderer
from bgp.attribute.walk import frame
from bgp.family import IPV4_UNICAST
from bgp.message import MessageType, build, split_messages
from bgp.negotiated import Negotiated
from bgp.nlri import split
from bgp.update import decode_update
from tests.shared import shared

SESSION = Negotiated(local_as=65001, peer_as=65001, families=(IPV4_UNICAST,), asn4=True)
LOOKS = [
    ("by-next-hop", "json", "5.0.0", False),
    ("by-next-hop", "json", "4.0.1", True),
    ("by-next-hop", "json", "6.0.0", False),
    ("by-prefix", "json", "5.0.0", False),
    ("by-prefix", "json", "6.0.0", True),
    ("by-next-hop", "text", "5.0.0", False),
    ("by-next-hop", "text", "6.0.0", False),
]
WHEN = 1.5

ORIGIN = frame(0x40, 1, b"\x00")
AS_PATH = frame(0x40, 2, b"\x02\x02\x00\x00\xfd\xea\x00\x00\xfd\xeb")
NEXT_HOP = frame(0x40, 3, b"\xc0\x00\x02\x01")
LOCAL_PREF = frame(0x40, 5, b"\x00\x00\x00\x64")
NLRI = b"\x18\x0a\x01\x02\x10\x0a\x02"
MANDATORY = (ORIGIN, AS_PATH, NEXT_HOP)

OPTIONAL = [
    frame(0x80, 4, b"\x00\x00\x00\x07"),
    LOCAL_PREF,
    frame(0x40, 6, b""),
    frame(0xC0, 7, b"\x00\x00\xfd\xea\xc0\x00\x02\x07"),
    frame(0xC0, 8, b"\xfd\xea\x00\x02\xfd\xea\x00\x01\xff\xff\xff\x01"),
    frame(0x80, 9, b"\xc0\x00\x02\x09"),
    frame(0x80, 10, b"\xc0\x00\x02\x0a\xc0\x00\x02\x0b"),
    frame(0xC0, 16, b"\x00\x02\xfd\xea\x00\x00\x00\x01"),
    frame(0xD0, 32, b"\x00\x00\xfd\xea\x00\x00\x00\x01\x00\x00\x00\x02"),
]


def update(*attributes: bytes, nlri: bytes = NLRI, withdrawn: bytes = b"") -> bytes:
    """Return an UPDATE."""
    octets = b"".join(attributes)
    fields = (len(withdrawn).to_bytes(2, "big"), withdrawn, len(octets).to_bytes(2, "big"), octets, nlri)
    return build(MessageType.UPDATE, b"".join(fields))


def is_plain(message: bytes, session: Negotiated = SESSION) -> bool:
    """Return the verdict."""
    return decode_update(message[19:], session).plain


def renderer(look: tuple[str, str, str, bool]) -> Renderer:
    """Return a renderer that has seen nothing."""
    context = NeighborContext("192.0.2.2", "192.0.2.1", 65001, 65001, "192.0.2.1")
    return Renderer(context, ProcessContext("host", 1, 2), *look)


def agree(messages: list[bytes], look: tuple[str, str, str, bool]) -> None:
    """Compare both ways, message by message, each with what it remembers."""
    plain, whole = renderer(look), renderer(look)
    for number, message in enumerate(messages):
        expected = whole.update(message, WHEN, RECEIVE, SESSION, number, Form.PARSED)
        assert plain.plain(message, WHEN, SESSION, number) == expected


@pytest.mark.parametrize(
    ("message", "plain"),
    [
        (update(*MANDATORY), True),
        (update(*MANDATORY, *OPTIONAL), True),
        (update(NEXT_HOP, AS_PATH, ORIGIN), True),
        (update(*MANDATORY, ORIGIN), False),  # repeated: the second is left out
        (update(*MANDATORY, frame(0xC0, 99, b"x")), False),  # unknown: passed on with the Partial bit
        (update(*MANDATORY, frame(0x80, 99, b"x")), False),  # unknown: left out
        (update(*MANDATORY, frame(0xC0, 17, b"\x02\x01\x00\x00\xfd\xea")), False),  # AS4_PATH: not accepted here
        (update(*MANDATORY, frame(0x40, 6, b"x")), False),  # malformed: left out
        (update(*MANDATORY, frame(0xC0, 8, b"x")), False),  # malformed: treated as withdrawn
        (update(ORIGIN, NEXT_HOP), False),
        (update(*MANDATORY, withdrawn=b"\x08\x0b"), False),
        (update(*MANDATORY, nlri=b""), False),
        (update(nlri=b"", withdrawn=b"\x08\x0b"), False),
    ],
)
def test_what_is_plain(message: bytes, plain: bool) -> None:
    assert is_plain(message) is plain


@pytest.mark.parametrize(
    "session",
    [
        replace(SESSION, peer_as=65002),  # from outside, LOCAL_PREF counts for nothing
        replace(SESSION, asn4=False),
        replace(SESSION, add_path_receive=frozenset({IPV4_UNICAST})),
        replace(SESSION, local_address=b"\xc0\x00\x02\x01"),  # the next hop is our own address
        replace(SESSION, families=()),
    ],
)
def test_what_is_plain_depends_on_the_session(session: Negotiated) -> None:
    path = frame(0x40, 2, b"\x02\x01\xfd\xea") if not session.asn4 else AS_PATH
    nlri = b"\x00\x00\x00\x01\x08\x0a" if session.add_path_receive else NLRI
    assert not is_plain(update(ORIGIN, path, NEXT_HOP, LOCAL_PREF, nlri=nlri), session)


prefixes = st.tuples(st.integers(0, 32), st.binary(min_size=4, max_size=4)).map(
    lambda pair: bytes((pair[0],)) + pair[1][: (pair[0] + 7) // 8]
)
fields = st.lists(prefixes, min_size=1, max_size=6).map(b"".join)
sets = st.lists(st.sampled_from(OPTIONAL), unique=True).flatmap(lambda chosen: st.permutations([*MANDATORY, *chosen]))


@pytest.mark.parametrize("look", LOOKS)
@given(messages=st.lists(st.builds(lambda set_, nlri: update(*set_, nlri=nlri), sets, fields), min_size=1, max_size=5))
def test_a_plain_update_reads_the_same_either_way(look: tuple[str, str, str, bool], messages: list[bytes]) -> None:
    assert all(map(is_plain, messages))
    agree(messages, look)


@given(fields)
def test_a_field_of_prefixes_reads_as_its_items_do(field: bytes) -> None:
    texts = ipv4_prefix_field(field)
    assert texts == ipv4_prefixes(split(IPV4_UNICAST, field, False))
    assert all(str(IPv4Network(text)) == text for text in texts)


def test_a_real_table_is_plain_and_reads_the_same_either_way() -> None:
    with gzip.open(shared("mrt/pch-2015-10-23-fulltable.bgp.gz")) as file:
        stream = file.read(1 << 19)
    messages = split_messages(stream[: stream.rindex(b"\xff" * 16)])
    plain = [message for message in messages if is_plain(message)]
    assert len(plain) > 0.99 * len(messages) > 2000
    for look in LOOKS:
        agree(plain, look)
