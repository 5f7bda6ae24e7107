"""Everything that the renderer says is valid by docs/events.schema.json, and what it does not say is not."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from apid.render import DIALECTS, RECEIVE, SEND, Form, Renderer
from bgp.attribute import ATTRIBUTES
from bgp.family import FAMILIES, IPV4_UNICAST, IPV6_UNICAST, Family
from bgp.message import build
from bgp.negotiated import Negotiated
from bgp.notification import Notification
from tests.shared import ROOT
from tests.unit.event_schema import SCHEMA, definition_of, errors_of
from tests.unit.nlri_vectors import Vector, vectors
from tests.unit.test_render_strict import NEGOTIATED, NEIGHBOR, PROCESS, WHEN, strict

LAYOUTS = ("by-next-hop", "by-prefix")
EVENTS = [json.loads(line) for line in (ROOT / "tests/golden/events.jsonl").read_text().splitlines()]
SESSION = [json.loads(line) for line in (ROOT / "tests/golden/events_session.jsonl").read_text().splitlines()]
NLRI = vectors()
ADD_PATH = replace(
    NEGOTIATED,
    add_path_receive=frozenset((IPV4_UNICAST, IPV6_UNICAST)),
    families=tuple(FAMILIES.values()),
    refresh="enhanced",
)
FORMS = (
    (Form.PARSED, RECEIVE),
    (Form.PACKETS | Form.NEGOTIATED, RECEIVE),
    (Form.CONSOLIDATE | Form.NEGOTIATED, SEND),
)


def check(event: bytes, layout: str) -> dict[str, Any]:
    """Validate a line by the definition of its kind, its update by its own layout; return the event."""
    said: dict[str, Any] = strict(event)
    assert not errors_of(said, definition_of(said), layout)
    return said


def check_everywhere(message: bytes, negotiated: Negotiated | None = NEGOTIATED) -> int:
    """Render a message in both layouts, all dialects and all forms; return how many events it made."""
    count = 0
    for layout, dialect, (form, direction) in product(LAYOUTS, DIALECTS, FORMS):
        renderer = Renderer(NEIGHBOR, PROCESS, layout, "json", dialect, compact=dialect == "6.0.0")
        for event in renderer.message(message, WHEN, direction, negotiated, 1, form):
            check(event, layout)
            count += 1
    return count


def reach(family: Family, next_hop: bytes, nlri: bytes, attributes: bytes = b"") -> bytes:
    """Build an UPDATE with MP_REACH_NLRI."""
    value = family.octets + bytes((len(next_hop),)) + next_hop + b"\0" + nlri
    return _update(bytes.fromhex("40010100400200 40050400000064") + attributes, 14, value)


def unreach(family: Family, nlri: bytes) -> bytes:
    """Build an UPDATE with MP_UNREACH_NLRI."""
    return _update(b"", 15, family.octets + nlri)


def _update(attributes: bytes, code: int, value: bytes) -> bytes:
    attributes += bytes((0x90, code)) + len(value).to_bytes(2, "big") + value
    return build(2, b"\0\0" + len(attributes).to_bytes(2, "big") + attributes)


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("row", EVENTS, ids=[row["id"] for row in EVENTS])
def test_a_golden_update_is_valid_in_every_layout_and_dialect(row: dict[str, Any]) -> None:
    assert check_everywhere(build(2, bytes.fromhex(row["hex"])))


@pytest.mark.parametrize("event", SESSION, ids=[f"{number}-{each['type']}" for number, each in enumerate(SESSION)])
def test_a_golden_session_is_valid(event: dict[str, Any]) -> None:
    assert not errors_of(event)
    assert not errors_of(event, definition_of(event))


@pytest.mark.parametrize("vector", NLRI, ids=[vector.id for vector in NLRI])
def test_a_golden_nlri_is_valid_announced_and_withdrawn(vector: Vector) -> None:
    negotiated = replace(NEGOTIATED, families=(*FAMILIES.values(), vector.family))
    assert check_everywhere(reach(vector.family, bytes((192, 0, 2, 1)), vector.wire), negotiated)
    assert check_everywhere(unreach(vector.family, vector.wire), negotiated)


@pytest.mark.parametrize("name", ["open", "notification", "refresh", "operational"])
def test_golden_messages_of_other_types_are_valid(name: str) -> None:
    kind = {"open": 1, "notification": 3, "refresh": 5, "operational": 6}[name]
    rows = [json.loads(line) for line in (ROOT / f"tests/golden/{name}.jsonl").read_text().splitlines()]
    assert sum(check_everywhere(build(kind, bytes.fromhex(row["hex"]))) for row in rows)


@pytest.mark.parametrize("name", ["attributes", "link_state", "prefix_sid", "tunnel"])
def test_golden_attributes_are_valid(name: str) -> None:
    codes = {"link_state": 29, "prefix_sid": 40, "tunnel": 23}
    by_class = {row.attribute.__name__: code for code, row in ATTRIBUTES.items()}
    base = bytes.fromhex("40010100400200400304c000020140050400000064")
    for line in (ROOT / f"tests/golden/{name}.jsonl").read_text().splitlines():
        row = json.loads(line)
        code = codes.get(name) or by_class[row["class"]]
        data = bytes.fromhex(row["hex"])
        attribute = bytes((ATTRIBUTES[code].flags | 0x10, code)) + len(data).to_bytes(2, "big") + data
        attributes = base + attribute if code > 5 else base
        body = b"\0\0" + len(attributes).to_bytes(2, "big") + attributes + bytes.fromhex("180a0001")
        assert check_everywhere(build(2, body))


def test_what_is_no_message_is_valid() -> None:
    for dialect in DIALECTS:
        renderer = Renderer(NEIGHBOR, PROCESS, dialect=dialect)
        for state in ("connected", "up"):
            check(renderer.state(WHEN, 1, state), "by-next-hop")
        check(renderer.state(WHEN, 2, "down", 'notification received (6,4) "\u2028\x00'), "by-next-hop")
        for state in ("IDLE", "ACTIVE", "CONNECT", "OPENSENT", "OPENCONFIRM", "ESTABLISHED"):
            check(renderer.fsm(WHEN, 3, state), "by-next-hop")
        for number in (1, 10, 15, 63):
            check(renderer.signal(WHEN, 4, number), "by-next-hop")
        check(renderer.negotiated(WHEN, 5, ADD_PATH), "by-next-hop")
        check(renderer.shutdown(WHEN), "by-next-hop")
        check(renderer.lost(WHEN, 42), "by-next-hop")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(NLRI), st.binary(max_size=40), st.integers(0, 255), st.booleans())
def test_damaged_nlri_are_valid_if_they_are_an_event(vector: Vector, data: bytes, place: int, withdraw: bool) -> None:
    negotiated = replace(NEGOTIATED, families=(*FAMILIES.values(), vector.family))
    place %= len(vector.wire) + 1
    wire = vector.wire[:place] + data + vector.wire[place + len(data) :]
    message = unreach(vector.family, wire) if withdraw else reach(vector.family, bytes(4), wire)
    for layout in LAYOUTS:
        renderer = Renderer(NEIGHBOR, PROCESS, layout, "json", "5.0.0")
        for event in renderer.message(message, WHEN, RECEIVE, negotiated, 1, Form.PARSED):
            check(event, layout)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(ATTRIBUTES)), st.integers(0, 255), st.binary(max_size=60), st.sampled_from([4, 16, 32]))
def test_attributes_of_any_octets_are_valid(code: int, flags: int, data: bytes, hop: int) -> None:
    attribute = bytes((flags | 0x10, code)) + len(data).to_bytes(2, "big") + data
    message = reach(IPV6_UNICAST, bytes(hop), bytes.fromhex("2020010db8"), attribute)
    for dialect in DIALECTS:
        renderer = Renderer(NEIGHBOR, PROCESS, "by-prefix", "json", dialect)
        for event in renderer.message(message, WHEN, RECEIVE, NEGOTIATED, 1, Form.PARSED):
            check(event, "by-prefix")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.booleans())
def test_path_identifiers_are_valid(first: int, second: int, withdraw: bool) -> None:
    routes = b"".join(number.to_bytes(4, "big") + bytes.fromhex("180a0001") for number in (first, second))
    message = unreach(IPV4_UNICAST, routes) if withdraw else reach(IPV4_UNICAST, bytes(4), routes)
    for layout in LAYOUTS:
        for event in Renderer(NEIGHBOR, PROCESS, layout).message(message, WHEN, RECEIVE, ADD_PATH, 1, Form.PARSED):
            check(event, layout)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 11), st.integers(0, 20), st.binary(max_size=40), st.sampled_from([RECEIVE, SEND]))
def test_notifications_are_valid(code: int, subcode: int, data: bytes, direction: str) -> None:
    message = Notification(code, subcode, data).message()
    for event in Renderer(NEIGHBOR, PROCESS).message(message, WHEN, direction, NEGOTIATED, 1, Form.PARSED):
        check(event, "by-next-hop")


UPDATE = {"attribute": {"origin": "igp"}, "announce": {"ipv4 unicast": {"192.0.2.1": [{"nlri": "10.0.0.0/24"}]}}}


@pytest.mark.parametrize(
    "update",
    [
        {"announce": {"ipv4 unicast": {"192.0.2.1": [{"prefix": "10.0.0.0/24"}]}}},
        {"announce": {"ipv4 unicast": {"192.0.2.1": {"nlri": "10.0.0.0/24"}}}},
        {"announce": {"ipv4 unicast": {"somewhere": [{"nlri": "10.0.0.0/24"}]}}},
        {"announce": {"ipv4": {"192.0.2.1": [{"nlri": "10.0.0.0/24"}]}}},
        {"announce": {"ipv4 mpls-vpn": {"192.0.2.1": [{"nlri": "10.0.0.0/24"}]}}},
        {"announce": {"ipv4 flow": {"no-nexthop": [{"protocol": ["=tcp"]}]}}},
        {"announce": {"ipv4 unicast": {"192.0.2.1": [{"nlri": "10.0.0.0/24", "path-information": 7}]}}},
        {"withdraw": {"ipv4 unicast": [{"nlri": "10.0.0.0"}]}},
        {"withdraw": {"ipv4 unicast": {"10.0.0.0/24": {"next-hop": "192.0.2.1"}}}},
        {"attribute": {"origin": "bgp"}},
        {"attribute": {"as-path": {"0": [65001]}}},
        {"attribute": {"med": "5"}},
        {"attribute": {"community": [[1, 2, 3]]}},
        {"attribute": {"unheard-of": 1}},
        {"announced": {}},
    ],
)
def test_what_the_renderer_never_says_is_invalid(update: dict[str, Any]) -> None:
    assert not errors_of(UPDATE, "update-by-next-hop")
    assert errors_of(update, "update-by-next-hop")
    assert errors_of(update, "update-by-prefix")


def test_a_layout_is_not_the_other() -> None:
    by_prefix = {"announce": {"ipv4 unicast": {"10.0.0.0/24": [{"next-hop": "192.0.2.1"}]}}}
    assert errors_of(by_prefix, "update-by-next-hop")
    assert not errors_of(by_prefix, "update-by-prefix")
    assert errors_of(UPDATE, "update-by-prefix")


@pytest.mark.parametrize("missing", ["exabgp", "time", "host", "pid", "ppid", "counter", "type", "neighbor"])
def test_every_member_of_the_envelope_is_needed(missing: str) -> None:
    event = strict(Renderer(NEIGHBOR, PROCESS).state(WHEN, 1, "up"))
    assert not errors_of(event)
    del event[missing]
    assert errors_of(event)
    assert errors_of({**event, "more": 1})


def test_router_id_is_there_but_for_the_oldest_dialect() -> None:
    for dialect in DIALECTS:
        event = strict(Renderer(NEIGHBOR, PROCESS, dialect=dialect).state(WHEN, 1, "up"))
        assert not errors_of(event)
        event["exabgp"] = "5.0.0" if dialect == "4.0.1" else "4.0.1"
        assert errors_of(event)
