"""OPERATIONAL messages, against the octets of ExaBGP 5.0.15."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgp.errors import NotifyError
from bgp.family import IPV4_UNICAST
from bgp.message import build
from bgp.operational import ASM, Operational, advisory
from tests.unit.session_vectors import plain, rows

ROWS = rows("operational")


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_a_golden_message_works_in_both_directions(row: dict[str, Any]) -> None:
    octets = bytes.fromhex(row["hex"])
    operational = Operational.decode(octets)
    assert plain(operational) == row["value"]
    assert operational.encode() == octets
    assert operational.message() == build(6, octets)


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_a_message_cut_at_any_octet_is_a_bad_length(row: dict[str, Any]) -> None:
    octets = bytes.fromhex(row["hex"])
    for length in range(len(octets)):
        with pytest.raises(NotifyError) as raised:
            Operational.decode(octets[:length])
        assert (raised.value.code, raised.value.subcode) == (1, 2)


@given(st.binary(max_size=40))
def test_random_octets_raise_notify_error_or_round_trip(octets: bytes) -> None:
    try:
        operational = Operational.decode(octets)
    except NotifyError:
        return
    assert operational.encode() == octets


def test_an_advisory_is_cut_between_characters() -> None:
    message = advisory(ASM, IPV4_UNICAST, "é" * 1025)
    assert message.advisory == "é".encode() * 1024
    assert message.name == "ASM"
    assert Operational(77, IPV4_UNICAST).name == "77"
