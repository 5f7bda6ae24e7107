"""Whatever a peer sends, an event is one line of valid JSON, and every class that we decode can be shown."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apid.render import DIALECTS, RECEIVE, SEND, Form, Renderer
from apid.render.extended_community import extended_community_text, ipv6_extended_community_text
from apid.render.json_attributes import ROWS as JSON_ATTRIBUTES
from apid.render.json_layout import LAYOUTS
from apid.render.json_open import ROWS as JSON_CAPABILITIES
from apid.render.nlri import ROWS
from apid.render.text_attributes import ROWS as TEXT_ATTRIBUTES
from apid.render.text_open import ROWS as TEXT_CAPABILITIES
from bgp.attribute import ATTRIBUTES, AsPath, UnknownAttribute
from bgp.attribute.registry import Attribute
from bgp.capability import CAPABILITIES, Capability, Hostname, SoftwareVersion, UnknownCapability
from bgp.family import FAMILIES, Family
from bgp.message import HEADER_LENGTH, MessageType, build
from bgp.nlri import CODECS, KINDS, NLRI, OpaqueNlri
from bgp.nlri.registry import KindNLRI
from bgp.open import Open
from tests.shared import shared
from tests.unit.test_render_strict import NEGOTIATED, NEIGHBOR, PROCESS, WHEN, strict
from tools.fuzz.capture import messages

WAYS = [
    {"layout": layout, "dialect": dialect, "compact": dialect == "4.0.1"} for layout in LAYOUTS for dialect in DIALECTS
]
FORMS = Form.PARSED | Form.PACKETS


def check(message: bytes, direction: str = RECEIVE) -> None:
    """Render a message in every way; JSON must be strict, and text free of lines that nobody meant."""
    for options in WAYS:
        renderer = Renderer(NEIGHBOR, PROCESS, **options)  # type: ignore[arg-type]
        for event in renderer.message(message, WHEN, direction, NEGOTIATED, 1, FORMS):
            assert event.endswith(b"\n")
            strict(event)
    for dialect in DIALECTS:
        renderer = Renderer(NEIGHBOR, PROCESS, encoder="text", dialect=dialect)
        for event in renderer.message(message, WHEN, direction, NEGOTIATED, 1, FORMS):
            check_text(event.decode())


def check_text(text: str) -> None:
    """Require lines that say whose they are, and an empty one at the end."""
    assert text.endswith("\n\n")
    for line in text.rstrip("\n").split("\n"):
        assert line.startswith(("neighbor 127.0.0.2 ", " header "))
        assert line.isprintable()


@given(words=st.one_of(st.binary(max_size=140), st.text(max_size=60).map(lambda text: text.encode())))
def test_any_shutdown_communication_is_valid_json(words: bytes) -> None:
    check(build(MessageType.NOTIFICATION, bytes((6, 2, len(words))) + words))
    check(build(MessageType.NOTIFICATION, bytes((6, 4)) + words))
    check(build(MessageType.NOTIFICATION, bytes((6, 4)) + words), SEND)


@pytest.mark.parametrize("text", ['"', "\\", "\x00", "\x1b[2J", '"}\n{"type": "update"}', "\u2028", "é", "𝄞", "\x7f"])
def test_awkward_letters_in_a_shutdown_communication_come_through(text: str) -> None:
    octets = text.encode()
    renderer = Renderer(NEIGHBOR, PROCESS)
    message = build(MessageType.NOTIFICATION, bytes((6, 2, len(octets))) + octets)
    (event,) = renderer.notification(message, WHEN, RECEIVE, NEGOTIATED, 1, Form.PARSED)
    said = strict(event)["neighbor"]["notification"]["message"]
    assert said == f'Shutdown Communication: "{text}"'.replace("\n", " ")
    check(message)


@given(host=st.binary(max_size=64), domain=st.binary(max_size=64), software=st.binary(max_size=64))
def test_any_name_in_an_open_is_valid_json(host: bytes, domain: bytes, software: bytes) -> None:
    capabilities = (Hostname(host, domain), SoftwareVersion(software), UnknownCapability(99, host))
    message = Open(65002, 180, bytes(4), capabilities).message()
    check(message)
    check(message, SEND)


@given(advisory=st.binary(max_size=80))
def test_any_advisory_is_valid_json(advisory: bytes) -> None:
    value = bytes((0, 1, 1)) + advisory
    check(build(MessageType.OPERATIONAL, b"\0\1" + len(value).to_bytes(2, "big") + value))


@given(body=st.binary(max_size=120), kind=st.integers(0, 8))
def test_any_message_is_valid_json_or_no_event(body: bytes, kind: int) -> None:
    check(build(kind, body))


@settings(max_examples=60)
@given(code=st.sampled_from(sorted(ATTRIBUTES)), data=st.data())
def test_any_value_of_an_attribute_is_valid_json(code: int, data: st.DataObject) -> None:
    value = data.draw(st.binary(max_size=60))
    if code in (1, 2, 3, 14, 15):
        return
    row = ATTRIBUTES[code]
    attributes = bytes.fromhex("40010100400200400304c000020140050400000064") * (code != 5)
    attributes += bytes((row.flags, code, len(value))) + value
    if code == 5:
        attributes = bytes.fromhex("40010100400200400304c0000201") + attributes
    check(build(2, b"\0\0" + len(attributes).to_bytes(2, "big") + attributes + bytes.fromhex("180a0001")))


@settings(max_examples=60)
@given(family=st.sampled_from(sorted(FAMILIES.values())), data=st.data())
def test_any_nlri_is_valid_json(family: Family, data: st.DataObject) -> None:
    nlri = data.draw(st.binary(min_size=1, max_size=60))
    hop = bytes(8) + bytes((192, 0, 2, 1)) if family.safi == 128 else bytes((192, 0, 2, 1))
    reach = family.octets + bytes((len(hop),)) + hop + b"\0" + nlri
    attributes = bytes.fromhex("4001010040020040050400000064") + bytes((0x80, 14, len(reach))) + reach
    check(build(2, b"\0\0" + len(attributes).to_bytes(2, "big") + attributes))


def test_every_damaged_message_beside_the_project_is_valid_json_or_no_event() -> None:
    for line in shared("vectors/vectors.jsonl").read_text().splitlines():
        octets = bytes.fromhex(json.loads(line)["hex"])
        if len(octets) >= HEADER_LENGTH and int.from_bytes(octets[16:18], "big") == len(octets):
            check(octets)


def test_every_message_of_the_captures_beside_the_project_is_valid_json_or_no_event() -> None:
    count = 0
    for path in sorted(shared("mrt/pcap").glob("*.pcap*")):
        for message in messages(path):
            check(message)
            check(message, SEND)
            count += 1
    assert count > 100


@given(value=st.binary(min_size=8, max_size=8))
def test_any_extended_community_has_a_printable_text(value: bytes) -> None:
    assert extended_community_text(value).isprintable()


@given(value=st.binary(min_size=20, max_size=20))
def test_any_ipv6_extended_community_has_a_printable_text(value: bytes) -> None:
    assert ipv6_extended_community_text(value).isprintable()


def test_every_attribute_has_a_row_in_json_and_in_text() -> None:
    classes = {row.attribute for row in ATTRIBUTES.values()} | {UnknownAttribute}
    assert classes <= set(JSON_ATTRIBUTES)
    assert classes - {AsPath} <= set(TEXT_ATTRIBUTES)


def test_every_nlri_has_a_row() -> None:
    classes: set[type[NLRI]] = {codec for codec in CODECS.values() if codec.encode is not NLRI.encode}
    classes |= set(KINDS.values()) | {OpaqueNlri}
    missing = [
        codec.__name__ for codec in classes if codec not in ROWS and not any(issubclass(row, codec) for row in ROWS)
    ]
    assert not missing


def test_every_codec_writes_what_its_base_leaves_to_it() -> None:
    for codec in CODECS.values():
        assert codec.decode.__func__ is not NLRI.decode.__func__, codec  # type: ignore[attr-defined]
        assert codec.measure.__func__ is not NLRI.measure.__func__, codec  # type: ignore[attr-defined]
        assert codec.encode is not NLRI.encode or any(issubclass(kind, codec) for kind in KINDS.values()), codec
    for kind in KINDS.values():
        assert kind.decode_body.__func__ is not KindNLRI.decode_body.__func__, kind  # type: ignore[attr-defined]
        assert kind.encode is not NLRI.encode, kind
    for base, classes in (
        (Attribute, {row.attribute for row in ATTRIBUTES.values()}),
        (Capability, set(CAPABILITIES.values())),
    ):
        for each in classes:
            assert each.encode is not base.encode, each
            assert each.decode.__func__ is not base.decode.__func__, each


def test_every_capability_has_a_row_or_is_shown_as_octets() -> None:
    assert set(JSON_CAPABILITIES) == set(TEXT_CAPABILITIES)
    for code, capability in CAPABILITIES.items():
        assert issubclass(capability, Capability)
        assert 0 < code < 256
