"""Forms of messages, NOTIFICATIONs, OPENs, and the dialects."""

from __future__ import annotations

from typing import Any

import pytest

from apid.render import RECEIVE, SEND, Form, Renderer
from bgp.capability import UnknownCapability
from bgp.family import IPV4_UNICAST, Family
from bgp.message import KEEPALIVE, MessageType, build
from bgp.notification import Notification
from bgp.open import Open
from bgp.operational import ADM, Operational
from bgp.refresh import Refresh
from tests.unit.test_render_strict import NEGOTIATED, NEIGHBOR, PROCESS, WHEN, strict

ATTRIBUTES = bytes.fromhex("40010100 40021402020000fde90000fdf2 01020000fdfc0000fdfd 400304c0000201")
UPDATE = build(2, b"\0\0" + len(ATTRIBUTES).to_bytes(2, "big") + ATTRIBUTES + bytes.fromhex("180a0001"))


def render(message: bytes, form: int = Form.PARSED, direction: str = RECEIVE, **options: Any) -> list[bytes]:
    """Render one message."""
    renderer = Renderer(NEIGHBOR, PROCESS, **options)
    return renderer.message(message, WHEN, direction, NEGOTIATED, 5, form)


def neighbor(message: bytes, form: int = Form.PARSED, direction: str = RECEIVE, **options: Any) -> dict[str, Any]:
    """Render one message as one event and return its `neighbor` object."""
    (event,) = render(message, form, direction, **options)
    said = strict(event)["neighbor"]
    assert isinstance(said, dict)
    return said


def test_a_message_in_no_form_is_no_event() -> None:
    assert render(UPDATE, 0) == []


def test_both_forms_are_two_events_the_octets_first() -> None:
    raw, parsed = (strict(event) for event in render(UPDATE, Form.PACKETS | Form.PARSED))
    assert (raw["counter"], parsed["counter"]) == (5, 6)
    assert raw["neighbor"]["message"]["category"] == 2
    assert "update" in parsed["neighbor"]["message"]


def test_the_consolidated_form_is_one_event_with_header_and_body_before_the_neighbor() -> None:
    (event,) = render(UPDATE, Form.CONSOLIDATE | Form.PARSED)
    said = strict(event)
    assert list(said)[6:10] == ["type", "header", "body", "neighbor"]
    assert bytes.fromhex(said["header"][2:] + said["body"][2:]) == UPDATE


def test_a_consolidated_keepalive_has_no_body() -> None:
    (event,) = render(KEEPALIVE, Form.CONSOLIDATE)
    said = strict(event)
    assert "body" not in said
    assert said["header"] == "0x" + KEEPALIVE.hex().upper()


def test_a_consolidated_text_update_has_a_line_of_octets_before_its_end() -> None:
    (event,) = render(UPDATE, Form.CONSOLIDATE, encoder="text")
    assert event.decode().splitlines()[-3].startswith(" header 0xFFFF")
    assert event.decode().endswith("neighbor 127.0.0.2 receive update end\n\n")


@pytest.mark.parametrize("form", [Form.PARSED, Form.PACKETS])
def test_negotiated_values_come_with_updates_and_packets_when_asked(form: int) -> None:
    assert "negotiated" not in neighbor(UPDATE, form)
    assert neighbor(UPDATE, form | Form.NEGOTIATED)["negotiated"]["hold_time"] == 180


def test_packets_before_the_opens_crossed_show_that_nothing_is_agreed_upon() -> None:
    renderer = Renderer(NEIGHBOR, PROCESS)
    message = Open(65002, 180, bytes(4)).message()
    (event,) = renderer.message(message, WHEN, RECEIVE, None, 1, Form.PACKETS | Form.NEGOTIATED)
    assert strict(event)["neighbor"]["negotiated"] == {
        "message_size": 4096,
        "hold_time": 0,
        "asn4": False,
        "multisession": False,
        "operational": False,
        "refresh": "absent",
        "families": [],
        "nexthop": [],
        "add_path": {"send": [], "receive": []},
    }


@pytest.mark.parametrize(
    "message",
    [
        build(2, bytes.fromhex("ffff0000")),
        build(2, bytes.fromhex("00000000 21")),
        Open(65002, 180, bytes(4), version=3).message(),
        build(5, b"\0"),
        build(6, bytes(8)),
    ],
)
def test_a_message_that_ends_the_session_is_no_decoded_event(message: bytes) -> None:
    assert render(message) == []
    assert len(render(message, Form.PACKETS | Form.PARSED)) == 1


NOTIFICATIONS = [
    # Received 6/2 and 6/4: what ExaBGP 5.0.15 says of the octets; data is the hex of the message.
    ("06020568656c6c6f", 'Shutdown Communication: "hello"'),
    ("0604086122625c0a01c3a9", 'Shutdown Communication: "a"b\\ \x01é"'),
    ("060203fffefd", "invalid Shutdown Communication (invalid UTF-8) length : 3 [0xFFFEFD]"),
    ("060200", "empty Shutdown Communication."),
    ("060209616263", "invalid Shutdown Communication (buffer underrun) length : 9 [0x616263]"),
    ("060203616263646566", 'Shutdown Communication: "abc", trailing data: 0x646566'),
    # RFC 9003 allows 255 octets; ExaBGP stops at 128.
    ("060282" + "7a" * 130, f'Shutdown Communication: "{"z" * 130}"'),
]


@pytest.mark.parametrize(("body", "words"), NOTIFICATIONS)
def test_a_received_shutdown_communication_is_described(body: str, words: str) -> None:
    said = neighbor(build(MessageType.NOTIFICATION, bytes.fromhex(body)))["notification"]
    assert said["message"] == words
    assert said["data"] == "0x" + words.encode().hex().upper()


@pytest.mark.parametrize(
    ("body", "data", "words"),
    [
        ("0602", "0x", ""),
        ("0603506565722044652d636f6e66696775726564", "0x506565722044652D636F6E66696775726564", "Peer De-configured"),
        ("020200000001", "0x00000001", "\0\0\0\x01"),
        ("0301ffad", "0xFFAD", "��"),
    ],
)
def test_other_notifications_have_their_data_as_hex_and_as_text(body: str, data: str, words: str) -> None:
    said = neighbor(build(MessageType.NOTIFICATION, bytes.fromhex(body)))["notification"]
    assert (said["data"], said["message"]) == (data, words)


def test_a_sent_shutdown_communication_is_shown_as_on_the_wire() -> None:
    message = Notification.cease(4, "Administrative Reset").message()
    said = neighbor(message, direction=SEND)["notification"]
    assert said == {
        "code": 6,
        "subcode": 4,
        "data": "0x1441646D696E697374726174697665205265736574",
        "message": "\x14Administrative Reset",
    }


def test_refresh_and_operational_have_their_fields() -> None:
    assert neighbor(Refresh(IPV4_UNICAST, 1).message())["route-refresh"] == {
        "afi": "ipv4",
        "safi": "unicast",
        "subtype": "begin",
    }
    answer = Operational(4, IPV4_UNICAST, router_id=bytes((10, 0, 0, 1)), sequence=1, counter=200)
    assert neighbor(answer.message())["operational"] == {
        "name": "RPCP",
        "afi": "ipv4",
        "safi": "unicast",
        "router-id": "10.0.0.1",
        "sequence": 1,
        "counter": 200,
    }


def test_an_advisory_as_text_is_one_line_between_quotes() -> None:
    message = Operational(ADM, IPV4_UNICAST, advisory=b"two\nlines").message()
    (event,) = render(message, encoder="text")
    assert event == b'neighbor 127.0.0.2 receive operational ADM afi ipv4 safi unicast advisory "two\\nlines"\n\n'


def test_families_without_a_name_are_shown_by_number() -> None:
    assert neighbor(Refresh(Family(99, 9)).message())["route-refresh"]["afi"] == "afi-99"


def test_unknown_capabilities_are_shown_as_octets() -> None:
    message = Open(65002, 180, bytes(4), (UnknownCapability(66, b"\xde\xad"), UnknownCapability(200, b"")))
    assert neighbor(message.message())["open"]["capabilities"] == {
        "66": {"name": "unknown", "iana": "unknown", "value": 66, "raw": "DEAD"},
        "200": {"name": "unknown", "iana": "reserved", "value": 200, "raw": ""},
    }


def test_only_down_has_a_reason() -> None:
    renderer = Renderer(NEIGHBOR, PROCESS)
    assert "reason" not in strict(renderer.state(WHEN, 1, "up", "x"))["neighbor"]
    assert strict(renderer.state(WHEN, 1, "down", 'a "b"'))["neighbor"]["reason"] == 'a "b"'


def test_the_old_dialect_has_flat_paths_and_no_identifier() -> None:
    (event,) = render(UPDATE, dialect="4.0.1")
    said = strict(event)
    assert said["exabgp"] == "4.0.1"
    assert "router-id" not in said["neighbor"]
    attributes = said["neighbor"]["message"]["update"]["attribute"]
    assert attributes["as-path"] == [65001, 65010]
    assert attributes["as-set"] == [65020, 65021]
    assert attributes["confederation-path"] == []
    (text,) = render(UPDATE, dialect="4.0.1", encoder="text")
    assert b" as-path [ 65001 65010 ( 65020 65021 ) ]\n" in text


def test_the_old_dialect_has_no_text_of_notifications_and_valid_json_of_refreshes() -> None:
    said = neighbor(Notification(6, 3, b"x").message(), dialect="4.0.1")["notification"]
    assert said == {"code": 6, "subcode": 3, "data": "0x78"}
    assert neighbor(Refresh(IPV4_UNICAST).message(), dialect="4.0.1")["route-refresh"]["afi"] == "ipv4"


def test_the_new_dialect_always_has_negotiated_values_and_raw_labels() -> None:
    attributes = bytes.fromhex("40010100400200 40050400000064 800e10 0001 04 04 c0000201 00 30 000641 0a0001")
    message = build(2, b"\0\0" + len(attributes).to_bytes(2, "big") + attributes)
    said = neighbor(message, dialect="6.0.0")
    assert said["negotiated"]["asn4"] is True
    (route,) = said["message"]["update"]["announce"]["ipv4 nlri-mpls"]["192.0.2.1"]
    assert route == {"nlri": "10.0.1.0/24", "label": [[100, 1601]]}


def test_what_is_named_and_unknown_raises() -> None:
    for options in ({"encoder": "xml"}, {"layout": "by-peer"}, {"dialect": "3.0"}):
        with pytest.raises(KeyError):
            Renderer(NEIGHBOR, PROCESS, **options)
