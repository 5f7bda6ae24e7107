"""What holds of every decoder in the registries: a new one is covered from its first day.

Attributes, NLRI, capabilities: each has octets that it reads; it reads no other error than its own out of any part of
them or out of anything else; and what it reads encodes to octets that mean the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgp.attribute import ATTRIBUTES
from bgp.attribute.registry import EXTENDED_LENGTH, OPTIONAL, TRANSITIVE, WELL_KNOWN, Row
from bgp.attribute.walk import MP_REACH_NLRI, MP_UNREACH_NLRI
from bgp.capability import CAPABILITIES, decode_capability
from bgp.errors import AttributeDiscard, BGPError, TreatAsWithdraw
from bgp.family import FAMILIES, Family
from bgp.negotiated import Negotiated
from bgp.nlri import CODECS, KINDS, decode, route_key, split, split_withdrawn
from bgp.settings import DEFAULT_FAMILIES
from tests.unit.session_vectors import GOLDEN, rows

T = TypeVar("T")

SESSIONS = {
    "ebgp": Negotiated(65000, 65001),
    "ibgp": Negotiated(65000, 65000, aigp=True),
    "ebgp-2-octet-as": Negotiated(65000, 65001, asn4=False),
    "ibgp-2-octet-as": Negotiated(65000, 65000, asn4=False),
}
TLV_FILES = {"prefix_sid": 40, "tunnel": 23, "link_state": 29}
NO_GOLDEN_OCTETS = {6}  # ATOMIC_AGGREGATE: its golden value has none


def attribute_seeds() -> dict[int, list[bytes]]:
    """Collect the golden octets of each attribute."""
    codes = {row.attribute.__name__: code for code, row in ATTRIBUTES.items()}
    found: dict[int, list[bytes]] = defaultdict(list)
    for row in rows("attributes"):
        found[codes[row["class"]]].append(bytes.fromhex(row["hex"]))
    for name, code in TLV_FILES.items():
        found[code] += [bytes.fromhex(row["hex"]) for row in rows(name)]
    return found


def nlri_seeds() -> Iterator[tuple[Family, bytes]]:
    for path in sorted(GOLDEN.glob("nlri*.jsonl")):
        for row in rows(path.stem):
            if row["family"] in FAMILIES:
                yield FAMILIES[row["family"]], bytes.fromhex(row["hex"])


SEEDS = attribute_seeds()
NLRI = list(nlri_seeds())
ROWS = [pytest.param(row, id=row.name) for row in ATTRIBUTES.values()]


def attempt(read: Callable[[], T], refusal: type[Exception]) -> tuple[T | None, Exception | None]:
    """Return what was read, or why it was not; any other error escapes."""
    try:
        return read(), None
    except refusal as error:
        return None, error


def check_attribute(row: Row, octets: bytes) -> None:
    for negotiated in SESSIONS.values():
        attribute, error = attempt(partial(row.attribute.decode, octets, negotiated), BGPError)
        if attribute is None:
            # The SRv6 services of the Prefix-SID withdraw the route, where the attribute is otherwise discarded.
            assert isinstance(error, row.malformed) or (row.code == 40 and isinstance(error, TreatAsWithdraw))
            assert row.name in str(error)
            assert str(error).isprintable()
            continue
        again = attribute.encode(negotiated)
        assert row.attribute.decode(again, negotiated) == attribute
        assert row.attribute.decode(again, negotiated).encode(negotiated) == again


@pytest.mark.parametrize("row", ROWS)
def test_every_attribute_has_golden_octets_that_are_read_again(row: Row) -> None:
    assert SEEDS[row.code] or row.code in NO_GOLDEN_OCTETS
    for octets in SEEDS[row.code]:
        check_attribute(row, octets)


@pytest.mark.parametrize("row", ROWS)
def test_every_attribute_answers_truncation_and_damage_with_its_own_error(row: Row) -> None:
    for octets in SEEDS[row.code]:
        for place in range(len(octets)):
            check_attribute(row, octets[:place])
            check_attribute(row, octets + octets[: place + 1])
            for value in (0, 1, 0x7F, 0x80, 0xFF, octets[place] ^ 1):
                check_attribute(row, octets[:place] + bytes((value,)) + octets[place + 1 :])


@given(code=st.sampled_from(sorted(ATTRIBUTES)), octets=st.binary(max_size=80))
def test_every_attribute_answers_any_octets(code: int, octets: bytes) -> None:
    check_attribute(ATTRIBUTES[code], octets)


@pytest.mark.parametrize("row", ROWS)
def test_every_row_is_one_that_rfc_7606_knows(row: Row) -> None:
    assert row.malformed in (TreatAsWithdraw, AttributeDiscard)
    assert row.wrong_flags in (TreatAsWithdraw, AttributeDiscard)
    assert not row.flags & ~(OPTIONAL | TRANSITIVE)
    assert row.flags != 0
    assert not row.flags & EXTENDED_LENGTH
    assert (row.flags == WELL_KNOWN) == (row.code in (1, 2, 3, 5, 6))
    assert row.code not in (MP_REACH_NLRI, MP_UNREACH_NLRI)
    assert row.code == row.attribute.CODE
    assert row.flags == row.attribute.FLAGS
    assert row.name == row.attribute.NAME
    assert 1 <= row.subcode <= 11


@pytest.mark.parametrize("row", ROWS)
def test_every_attribute_is_immutable_and_can_be_a_key(row: Row) -> None:
    for octets in SEEDS[row.code]:
        for negotiated in SESSIONS.values():
            attribute, _ = attempt(partial(row.attribute.decode, octets, negotiated), BGPError)
            if attribute is None:
                continue
            assert hash(attribute) == hash(row.attribute.decode(octets, negotiated))
            with pytest.raises((AttributeError, TypeError)):
                attribute.anything = 1  # type: ignore[attr-defined]


def check_field(family: Family, octets: bytes) -> None:
    """Split a field in every way; what comes out is whole, has a key, and decodes to what it encodes."""
    for cut in (split, split_withdrawn):
        for add_path in (False, True):
            items, error = attempt(partial(cut, family, octets, add_path), ValueError)
            if items is None:
                assert str(error).isprintable()
                continue
            assert sum(map(len, items)) - (0 if add_path else 4 * len(items)) == len(octets)
            for item in items:
                assert 0 < len(route_key(family, item)) <= len(item)
                check_item(family, item)


def check_item(family: Family, item: bytes) -> None:
    route, error = attempt(partial(decode, family, item), ValueError)
    if route is None:
        assert str(error).isprintable()
        return
    assert route.family == family
    assert route.path_id == int.from_bytes(item[:4], "big")
    assert decode(family, route.item()) == route
    assert decode(family, route.item()).item() == route.item()
    assert route_key(family, route.item())
    assert hash(route) == hash(decode(family, item))


def test_every_family_and_every_kind_of_route_has_golden_octets() -> None:
    assert {family for family, _ in NLRI} == set(CODECS)
    classes = {type(decode(family, bytes(4) + octets)) for family, octets in NLRI}
    assert not {codec.__name__ for codec in KINDS.values()} - {found.__name__ for found in classes}


def test_every_family_that_is_offered_or_named_has_a_codec() -> None:
    assert set(FAMILIES.values()) == set(CODECS)
    assert set(DEFAULT_FAMILIES) <= set(CODECS)


@pytest.mark.parametrize(("family", "octets"), NLRI)
def test_every_route_answers_truncation_and_damage(family: Family, octets: bytes) -> None:
    check_field(family, octets)
    for place in range(len(octets)):
        check_field(family, octets[:place])
        for value in (0, 1, 0x7F, 0x80, 0xFF, octets[place] ^ 1):
            check_field(family, octets[:place] + bytes((value,)) + octets[place + 1 :])


@pytest.mark.parametrize(("family", "octets"), NLRI)
def test_routes_stay_apart_when_they_follow_each_other(family: Family, octets: bytes) -> None:
    (item,) = split(family, octets, add_path=False)
    assert split(family, octets * 3, add_path=False) == [item] * 3
    path = bytes((0, 0, 1, 2))
    assert split(family, (path + octets) * 2, add_path=True) == [path + item[4:]] * 2
    assert route_key(family, path + item[4:])[:4] == path


@given(family=st.sampled_from(sorted(CODECS)), octets=st.binary(max_size=80))
def test_every_route_answers_any_octets(family: Family, octets: bytes) -> None:
    check_field(family, octets)


def check_capability(code: int, octets: bytes) -> None:
    capability, error = attempt(partial(decode_capability, code, octets), ValueError)
    if capability is None:
        assert not CAPABILITIES[code].INFORMATIONAL
        assert str(error).isprintable()
        return
    assert capability.code == code
    assert decode_capability(code, capability.encode()) == capability


def test_every_capability_has_golden_octets_and_answers_truncation_and_damage() -> None:
    assert {row["code"] for row in rows("capability")} >= set(CAPABILITIES)
    for row in rows("capability"):
        octets = bytes.fromhex(row["hex"])
        assert decode_capability(row["code"], octets).encode() == octets
        for place in range(len(octets)):
            check_capability(row["code"], octets[:place])
            check_capability(row["code"], octets[:place] + bytes((octets[place] ^ 0xFF,)) + octets[place + 1 :])


@given(code=st.integers(0, 255), octets=st.binary(max_size=40))
def test_every_capability_answers_any_octets(code: int, octets: bytes) -> None:
    check_capability(code, octets)
