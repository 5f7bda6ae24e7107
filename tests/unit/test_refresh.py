"""ROUTE-REFRESH, with and without RFC 7313."""

from __future__ import annotations

from typing import Any

import pytest

from bgp.errors import NotifyError
from bgp.message import build
from bgp.refresh import Refresh
from tests.unit.session_vectors import plain, rows

ROWS = rows("refresh")


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_a_golden_refresh_works_in_both_directions(row: dict[str, Any]) -> None:
    octets = bytes.fromhex(row["hex"])
    refresh = Refresh.decode(octets)
    assert plain(refresh) == row["value"]
    assert refresh.encode() == octets
    assert refresh.message() == build(5, octets)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 5, 30])
def test_a_wrong_length_is_7_1_with_the_message_where_rfc_7313_is_spoken(length: int) -> None:
    with pytest.raises(NotifyError) as raised:
        Refresh.decode(bytes(length), enhanced=True)
    assert (raised.value.code, raised.value.subcode) == (7, 1)
    assert raised.value.data == build(5, bytes(length))


@pytest.mark.parametrize("length", [0, 3, 5])
def test_a_wrong_length_is_1_2_elsewhere(length: int) -> None:
    with pytest.raises(NotifyError) as raised:
        Refresh.decode(bytes(length), enhanced=False)
    assert (raised.value.code, raised.value.subcode) == (1, 2)
    assert raised.value.data == (19 + length).to_bytes(2, "big")


@pytest.mark.parametrize(("subtype", "known", "name"), [(0, True, "query"), (2, True, "end"), (3, False, "3")])
def test_an_unknown_subtype_says_so(subtype: int, known: bool, name: str) -> None:
    refresh = Refresh.decode(bytes((0, 1, subtype, 1)))
    assert refresh.known is known
    assert refresh.subtype_name == name
