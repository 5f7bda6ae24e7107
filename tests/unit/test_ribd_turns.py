"""Whose requests ribd takes: those of a client's present life, numbered without a gap."""

from __future__ import annotations

import msgpack
import pytest

from bus.schema import Clear
from ribd.state import CLIENTS, FORMER_KEPT, NAME_LENGTH, Restorer, State
from ribd.turns import Turns


def request(epoch: str, sequence: int, client: str = "helper-a") -> Clear:
    return Clear(client, epoch, sequence, [])


@pytest.mark.parametrize(
    ("numbers", "good"),
    [
        ([1, 2, 3], [True, True, True]),
        ([1, 2, 1, 2, 3], [True] * 5),
        ([1, 3, 2, 3], [True, False, True, True]),
        ([1, 1 << 62, 2], [True, False, True]),
        ([7, 8, 7, 9], [True] * 4),
        ([0, -1, -(1 << 63), 1], [False, False, False, True]),
    ],
)
def test_numbers_come_without_a_gap_or_again(numbers: list[int], good: list[bool]) -> None:
    turns = Turns()
    assert [not turns.fault(request("one", number)) for number in numbers] == good


def test_every_client_and_every_life_counts_for_itself() -> None:
    turns = Turns()
    assert not turns.fault(request("one", 1))
    assert not turns.fault(request("one", 1, "helper-b"))
    assert not turns.fault(request("one", 2))
    assert not turns.fault(request("two", 1))
    assert turns.fault(request("two", 3))


def test_a_life_that_was_replaced_is_refused_also_after_a_snapshot() -> None:
    state = State("lineage")
    for epoch in ("one", "two"):
        assert state.begins(request(epoch, 1))
        state.perform(request(epoch, 1), 0.0)
    restorer = Restorer("another", 0.0)
    for record in state.snapshot():
        restorer.snapshot(record)
    for known in (state, restorer.state):
        assert "replaced by epoch two" in known.stranger("helper-a", "one")
        assert known.stranger("helper-a", "two") == ""
        assert known.stranger("helper-a", "three") == ""
        assert known.stranger("helper-b", "one") == ""
        assert not known.begins(request("two", 2))


@pytest.mark.parametrize("more", [[], [{"helper-b": 3}], [{}, 7], [{}, 7, {"a": 5}]])
def test_a_snapshot_of_a_release_that_knew_less_is_read(more: list[object]) -> None:
    restorer = Restorer("lineage", 0.0)
    restorer.snapshot(msgpack.packb(["head", "lineage", {"helper-a": ["one", 5, []]}, ["a"], *more]))
    assert restorer.state.seen(request("one", 5))
    assert restorer.state.stranger("helper-a", "zero") == ""
    assert restorer.state.lineage_of("a") == f"lineage/{5 if len(more) == 3 else 0}"


def test_only_so_many_former_lives_and_clients_are_remembered() -> None:
    state = State("lineage")
    for number in range(FORMER_KEPT + 10):
        state.perform(request(f"life {number}", 1), 0.0)
    assert len(state.clients["helper-a"].former) == FORMER_KEPT
    assert state.stranger("helper-a", f"life {FORMER_KEPT + 8}")
    for number in range(CLIENTS):
        state.perform(request("one", 1, f"client {number}"), 0.0)
    assert "one client more" in state.stranger("another", "one")
    assert state.stranger("client 1", "one") == ""
    assert state.stranger("n" * (NAME_LENGTH + 1), "one")


def test_a_life_that_comes_back_in_an_old_journal_is_not_its_own_former_one() -> None:
    state = State("lineage")
    for epoch, sequence in (("one", 1), ("two", 1), ("one", 2)):
        state.perform(request(epoch, sequence), 0.0)
    assert state.stranger("helper-a", "one") == ""
    assert state.stranger("helper-a", "two")
