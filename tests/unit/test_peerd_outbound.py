"""Cursors of a session: positions, floors, and the markers that are due when everything is out."""

from __future__ import annotations

from bgp.family import IPV4_UNICAST, IPV6_UNICAST, Family
from bus.schema import UNKNOWN_FLOOR, WHERE, Batch
from peerd.outbound import LAPS, Outbound

V4, V6 = IPV4_UNICAST, IPV6_UNICAST


def batch(*cursors: tuple[Family, int, int], lineage: str = "line") -> Batch:
    return Batch("n", 1, lineage, [[*family, position, floor] for family, position, floor in cursors], b"", 0, [])


def test_a_new_session_asks_from_the_start_and_for_its_floors() -> None:
    outbound = Outbound((V4, V6))
    assert outbound.to_wire() == [[1, 1, 0, UNKNOWN_FLOOR], [2, 1, 0, UNKNOWN_FLOOR]]
    assert outbound.lineage == ""
    assert outbound.take_end_of_rib() == []


def test_end_of_rib_is_due_once_when_every_family_has_reached_its_floor() -> None:
    outbound = Outbound((V4, V6))
    outbound.advance(batch((V4, 10, 10), (V6, 0, 5)))
    assert outbound.lineage == "line"
    assert outbound.take_end_of_rib() == []
    outbound.advance(batch((V4, 12, 10), (V6, 7, 5)))
    assert outbound.take_end_of_rib() == []
    assert outbound.to_wire() == [[1, 1, 12, WHERE], [2, 1, 7, WHERE]]
    outbound.advance(batch((V4, 12, 12), (V6, 7, 7)))
    assert outbound.take_end_of_rib() == [V4, V6]
    outbound.advance(batch((V4, 13, 10), (V6, 8, 5)))
    assert outbound.take_end_of_rib() == []


def test_an_empty_table_is_at_its_floor_at_once() -> None:
    outbound = Outbound((V4,))
    outbound.advance(batch((V4, 0, 0)))
    assert outbound.take_end_of_rib() == [V4]


def test_the_end_of_a_refresh_waits_for_where_the_table_stood_and_not_for_ever() -> None:
    outbound = Outbound((V4,))
    outbound.advance(batch((V4, 10, 10)))
    assert outbound.take_end_of_rib() == [V4]
    assert outbound.refresh(V4)
    outbound.advance(batch((V4, 10, 10)))
    position = 10
    for _ in range(LAPS):
        assert outbound.to_wire() == [[1, 1, position, WHERE]]
        outbound.advance(batch((V4, position + 1, position + 3)))
        assert outbound.to_wire() == [[1, 1, position + 1, 10]]
        assert outbound.take_end_of_refresh() == []
        position += 3
        outbound.advance(batch((V4, position, 10)))
    assert outbound.take_end_of_refresh() == [V4]


def test_end_of_rib_that_is_held_follows_what_came_until_its_release() -> None:
    outbound = Outbound((V4, V6), held=True)
    outbound.advance(batch((V4, 10, 10), (V6, 5, 5)))
    assert outbound.take_end_of_rib() == []
    assert outbound.release()
    assert outbound.to_wire() == [[1, 1, 10, WHERE], [2, 1, 5, WHERE]]
    outbound.advance(batch((V4, 11, 12), (V6, 5, 5)))
    assert outbound.to_wire() == [[1, 1, 11, 10], [2, 1, 5, 5]]
    assert outbound.take_end_of_rib() == []
    outbound.advance(batch((V4, 12, 10), (V6, 5, 5)))
    assert outbound.to_wire() == [[1, 1, 12, WHERE], [2, 1, 5, WHERE]]
    assert outbound.take_end_of_rib() == []
    outbound.advance(batch((V4, 13, 13), (V6, 5, 5)))
    assert outbound.take_end_of_rib() == [V4, V6]
    assert not outbound.release()


def test_a_release_in_the_middle_of_the_first_table_asks_when_that_is_out() -> None:
    outbound = Outbound((V4,), held=True)
    assert not outbound.release()
    assert outbound.to_wire() == [[1, 1, 0, UNKNOWN_FLOOR]]
    outbound.advance(batch((V4, 4, 10)))
    assert outbound.to_wire() == [[1, 1, 4, 10]]
    outbound.advance(batch((V4, 10, 10)))
    assert outbound.take_end_of_rib() == []
    assert outbound.to_wire() == [[1, 1, 10, WHERE]]
    outbound.advance(batch((V4, 10, 10)))
    assert outbound.take_end_of_rib() == [V4]


def test_a_session_whose_helpers_send_end_of_rib_sends_none() -> None:
    outbound = Outbound((V4,), end_of_rib_due=False)
    outbound.advance(batch((V4, 5, 5)))
    assert outbound.take_end_of_rib() == []


def test_a_refresh_goes_back_to_the_start_and_keeps_what_the_peer_was_told_as_its_floor() -> None:
    outbound = Outbound((V4, V6))
    outbound.advance(batch((V4, 20, 10), (V6, 7, 5)))
    assert outbound.refresh(V4)
    assert outbound.to_wire() == [[1, 1, 0, 20], [2, 1, 7, 5]]
    assert outbound.take_end_of_refresh() == []
    outbound.advance(batch((V4, 15, 20), (V6, 7, 5)))
    assert outbound.take_end_of_refresh() == []
    outbound.advance(batch((V4, 20, 20), (V6, 7, 5)))
    assert outbound.take_end_of_refresh() == []
    assert outbound.to_wire() == [[1, 1, 20, WHERE], [2, 1, 7, WHERE]]
    outbound.advance(batch((V4, 22, 22), (V6, 7, 7)))
    assert outbound.to_wire() == [[1, 1, 22, 20], [2, 1, 7, 5]]
    assert outbound.take_end_of_refresh() == [V4]
    assert outbound.take_end_of_refresh() == []


def test_families_that_are_sent_again_together_end_together() -> None:
    outbound = Outbound((V4, V6))
    outbound.advance(batch((V4, 20, 10), (V6, 0, 0)))
    assert outbound.refresh(V4)
    assert outbound.refresh(V6)
    assert outbound.take_end_of_refresh() == []
    outbound.advance(batch((V4, 20, 20), (V6, 0, 0)))
    assert outbound.take_end_of_refresh() == []
    outbound.advance(batch((V4, 20, 20), (V6, 0, 0)))
    assert outbound.take_end_of_refresh() == [V4, V6]


def test_a_refresh_in_the_middle_of_the_first_table_keeps_the_farther_floor() -> None:
    outbound = Outbound((V4,))
    outbound.advance(batch((V4, 3, 10)))
    assert outbound.refresh(V4)
    assert outbound.to_wire() == [[1, 1, 0, 10]]
    outbound.advance(batch((V4, 4, 10)))
    assert outbound.refresh(V4)
    assert outbound.to_wire() == [[1, 1, 0, 10]]


def test_a_family_that_is_about_to_be_sent_again_is_not_begun_anew() -> None:
    outbound = Outbound((V4,))
    outbound.advance(batch((V4, 10, 10)))
    assert outbound.refresh(V4)
    assert not outbound.refresh(V4)
    outbound.advance(batch((V4, 4, 10)))
    assert outbound.refresh(V4)


def test_a_refresh_before_the_first_batch_leaves_the_floor_to_be_asked_for() -> None:
    outbound = Outbound((V4,))
    assert outbound.refresh(V4)
    assert outbound.to_wire() == [[1, 1, 0, UNKNOWN_FLOOR]]


def test_a_family_that_is_not_carried_cannot_be_refreshed() -> None:
    assert not Outbound((V4,)).refresh(V6)


def test_starting_over_forgets_the_lineage_and_every_position() -> None:
    outbound = Outbound((V4,))
    outbound.advance(batch((V4, 9, 9)))
    assert outbound.take_end_of_rib() == [V4]
    outbound.start_over()
    assert outbound.lineage == ""
    assert outbound.to_wire() == [[1, 1, 0, UNKNOWN_FLOOR]]
    outbound.advance(batch((V4, 9, 9)))
    assert outbound.take_end_of_rib() == []
