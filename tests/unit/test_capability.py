"""Capabilities, each against its golden octets, cut short, and from random octets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgp.capability import CAPABILITIES, Capability, Multiprotocol, UnknownCapability, decode_capability
from bgp.capability.registry import register
from tests.unit.session_vectors import plain, rows

ROWS = rows("capability")


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_a_golden_capability_decodes_to_its_value_and_encodes_to_its_octets(row: dict[str, Any]) -> None:
    octets = bytes.fromhex(row["hex"])
    capability = decode_capability(row["code"], octets)
    assert plain(capability) == row["value"]
    assert capability.code == row["code"]
    assert capability.encode() == octets


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_a_capability_cut_at_any_octet_is_refused_or_still_round_trips(row: dict[str, Any]) -> None:
    octets = bytes.fromhex(row["hex"])
    for length in range(len(octets)):
        try:
            capability = decode_capability(row["code"], octets[:length])
        except ValueError:
            continue
        assert capability.encode() == octets[:length]


def test_every_registered_capability_has_a_golden_row() -> None:
    assert set(CAPABILITIES) <= {row["code"] for row in ROWS}


@given(st.sampled_from(sorted(CAPABILITIES)), st.binary(max_size=40))
def test_random_octets_raise_value_error_or_reach_a_fixed_point(code: int, octets: bytes) -> None:
    try:
        capability = decode_capability(code, octets)
    except ValueError:
        return
    again = decode_capability(code, capability.encode())
    assert again == capability
    assert again.encode() == capability.encode()


@pytest.mark.parametrize("code", [2, 6, 70])
def test_a_capability_without_value_refuses_octets(code: int) -> None:
    with pytest.raises(ValueError, match="1 octets, not 0"):
        decode_capability(code, b"\x00")


@pytest.mark.parametrize("code", [68, 76, 77, 128, 131, 185])
def test_a_damaged_capability_that_only_informs_is_kept_as_unknown(code: int) -> None:
    damaged = b"" if code in (68, 131) else b"\xff"
    assert decode_capability(code, damaged) == UnknownCapability(code, damaged)


@pytest.mark.parametrize(
    ("code", "damaged"), [(73, ""), (73, "05"), (73, "0161"), (73, "016105"), (73, "01610000"), (75, ""), (75, "0561")]
)
def test_a_name_that_its_length_does_not_fit_is_malformed(code: int, damaged: str) -> None:
    with pytest.raises(ValueError, match="octets"):
        decode_capability(code, bytes.fromhex(damaged))


def test_the_reserved_octet_of_multiprotocol_is_ignored() -> None:
    capability = decode_capability(1, bytes.fromhex("0002ff01"))
    assert isinstance(capability, Multiprotocol)
    assert capability.family == (2, 1)
    assert capability.encode() == bytes.fromhex("00020001")


def test_a_second_class_for_a_code_is_refused() -> None:
    class Impostor(Capability):
        pass

    with pytest.raises(ValueError, match="already Multiprotocol"):
        register(1, "impostor")(Impostor)
