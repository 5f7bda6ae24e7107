"""Octets and the JSON that ExaBGP prints for them: the cases beside the project, and our own golden ones."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apid.render import decode_event, decode_nlri, octets_of
from apid.render.decode import wrong_length
from bgp.family import FAMILIES
from bgp.message import MARKER
from tests.shared import ROOT, shared
from tests.unit.test_render_strict import strict

VARYING = ("exabgp", "time", "host", "pid", "ppid", "counter")
CASES = (
    "bgp-evpn-1",
    "bgp-flow-1",
    "bgp-flow-4",
    "bgp-ls-1",
    "bgp-ls-3",
    "bgp-ls-4",
    "bgp-ls-5",
    "bgp-ls-7",
    "bgp-open-sofware-version",
)
EVENTS = [json.loads(line) for line in (ROOT / "tests/golden/events.jsonl").read_text().splitlines()]


def stable(event: dict[str, Any]) -> dict[str, Any]:
    """Leave out what differs from run to run."""
    return {name: value for name, value in event.items() if name not in VARYING}


def test_every_case_beside_the_project_is_listed_here() -> None:
    assert tuple(sorted(path.name for path in shared("conformance/decoding").iterdir())) == CASES


@pytest.mark.parametrize("name", CASES)
def test_a_conformance_case_decodes_to_the_json_of_exabgp(name: str) -> None:
    what, text, wanted = shared(f"conformance/decoding/{name}").read_text().split("\n")[:3]
    kind, _, family = what.partition(" ")
    octets = octets_of(text)
    if kind == "nlri":
        assert [strict(route) for route in decode_nlri(octets, FAMILIES[family])] == [json.loads(wanted)]
    else:
        families = [FAMILIES[family]] if family else []
        assert stable(strict(decode_event(octets, families))) == stable(json.loads(wanted))


@pytest.mark.parametrize("row", EVENTS, ids=[row["id"] for row in EVENTS])
def test_a_golden_update_decodes_to_its_message(row: dict[str, Any]) -> None:
    event = strict(decode_event(bytes.fromhex(row["hex"])))
    assert event["neighbor"]["message"] == row["message"]


def test_golden_updates_have_different_names() -> None:
    names = [row["id"] for row in EVENTS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF 001E02 00000007900F0003000101", "update"),
        ("001E:02:0000:0007:900F:0003:0001:01", "update"),
        ("00000007900F0003000101", "update"),
        ("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF001D0104FDE900B40A00000100", "open"),
        ("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF0015030602", "notification"),
    ],
)
def test_decode_finds_the_message_with_or_without_its_header(text: str, kind: str) -> None:
    event = strict(decode_event(octets_of(text)))
    assert event["type"] == kind
    assert event["neighbor"]["direction"] == "in"
    assert event["neighbor"]["asn"] == {"local": 65533, "peer": 65533}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF001304", "message type 4 is not"),
        ("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF001E02", "the header says 30 octets, 19 seen"),
        ("00", "3/1"),
        ("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF001D0103FDE900B40A00000100", "2/1"),
        ("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00140306", "NOTIFICATION body has 1 octets"),
        ("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "the header says"),
        ("0G", "non-hexadecimal"),
    ],
)
def test_decode_says_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        decode_event(octets_of(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("001702 00000000", ""),
        ("001802 00000000", "the header says 24 octets, 23 seen"),
        ("0FFF02 00000000", "the header says 4095 octets, 23 seen"),
        ("001702 00000000 0102", "the header says 23 octets, 25 seen"),
        ("001702 00000000 FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF001304", "the header says 23 octets, 42 seen"),
    ],
)
def test_decode_reads_a_message_whose_length_is_wrong(text: str, said: str) -> None:
    octets = MARKER + octets_of(text)
    assert strict(decode_event(octets))["neighbor"]["message"] == {"eor": {"afi": "ipv4", "safi": "unicast"}}
    assert wrong_length(octets) == said


def test_decode_reads_path_identifiers_when_asked() -> None:
    octets = octets_of(
        "0000 0014 40010100 400200 400304C0000201 40050400000064 00000005180A0001".replace("0014", "0015")
    )
    event = strict(decode_event(octets, add_path=True))
    assert event["neighbor"]["message"]["update"]["announce"] == {
        "ipv4 unicast": {"192.0.2.1": [{"nlri": "10.0.1.0/24", "path-information": "0.0.0.5"}]}
    }


def test_decode_of_an_nlri_field_gives_each_route() -> None:
    family = FAMILIES["ipv4 unicast"]
    assert decode_nlri(octets_of("180A0001180A0002"), family) == [
        '{ "nlri": "10.0.1.0/24" }',
        '{ "nlri": "10.0.2.0/24" }',
    ]
    assert decode_nlri(octets_of("00000005180A0001"), family, add_path=True) == [
        '{ "nlri": "10.0.1.0/24", "path-information": "0.0.0.5" }'
    ]
    with pytest.raises(ValueError):
        decode_nlri(octets_of("210A0001"), family)
