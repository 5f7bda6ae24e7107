"""The names of neighbors: each keeps its own while it is in force, and nobody gets one that routes may be under."""

from __future__ import annotations

import itertools
import re
from functools import cache

import pytest

from apid.config.model import Neighbor
from apid.config.names import identity, named
from bus.names import own_address
from tests.unit.config_dump import compiled, neighbor

ADDRESS = "127.0.0.2"
# Neighbors of one address, by what they are called here, and one of another.
A, B, C, D = (f"peer-as {number};" for number in (10, 11, 12, 13))
OTHER = neighbor("", "127.0.0.3")


@cache
def neighbors(*bodies: str) -> tuple[Neighbor, ...]:
    return compiled("".join(map(neighbor, bodies)) + OTHER).neighbors


@cache
def who(body: str) -> str:
    (found, _) = neighbors(body)
    return identity(found)


def shared(body: str, digits: int = 8) -> str:
    """Return the name that a neighbor has beside others of its address."""
    return f"{ADDRESS}~{who(body)[:digits]}"


def after(in_force: dict[str, str], *bodies: str) -> dict[str, str]:
    """Return what is in force after a reload: identities by name, of the neighbors of this address."""
    found = named(neighbors(*bodies), {**in_force, "127.0.0.3": identity(neighbors()[0])})
    assert len({each.name for each in found}) == len(bodies) + 1
    assert found[-1].name == "127.0.0.3"
    return {each.name: identity(each) for each in found[:-1]}


def reloads(*steps: tuple[str, ...]) -> dict[str, str]:
    """Return what is in force after several reloads."""
    in_force: dict[str, str] = {}
    for bodies in steps:
        in_force = after(in_force, *bodies)
    return in_force


def test_neighbors_of_one_address_are_named_by_what_tells_them_apart_wherever_they_stand() -> None:
    assert {each.name for each in neighbors(A)} == {ADDRESS, "127.0.0.3"}
    names = {identity(each): each.name for each in neighbors(A, B, C)[:-1]}
    assert all(re.fullmatch(f"{ADDRESS}~[0-9a-f]{{8}}", name) for name in names.values())
    assert {identity(each): each.name for each in neighbors(C, B, A)[:-1]} == names


@pytest.mark.parametrize(
    ("steps", "names"),
    [
        ([(A,), (A, B)], {ADDRESS: A, "~": B}),
        ([(A,), (B, A)], {ADDRESS: A, "~": B}),
        ([(A,), (A, B), (A,)], {ADDRESS: A}),
        ([(A,), (A, B), (B,)], {"~": B}),
        ([(A, B), (A,)], {"~": A}),
        ([(A,), (A, B), (B,), (A, B)], {"~": (A, B)}),
        ([(A,), (A, B), (B,), (A, B), (A,)], {"~": A}),
        ([(A,), (B,)], {ADDRESS: B}),
        ([(A,), (B,), (A, B)], {ADDRESS: B, "~": A}),
        ([(A,), (), (A, B)], {"~": (A, B)}),
        ([(A,), (), (B,)], {ADDRESS: B}),
        # Whether the first one was changed, and into which, cannot be told.
        ([(A,), (C, B)], {"~": (B, C)}),
        ([(A,), (A, B), (C, B)], {"~": (B, C)}),
        ([(A,), (A, B), (C,)], {"~": C}),
        ([(A,), (A, B), (C, D)], {"~": (C, D)}),
    ],
)
def test_a_neighbor_keeps_its_name_whoever_comes_and_goes(
    steps: list[tuple[str, ...]], names: dict[str, str | tuple[str, ...]]
) -> None:
    expected: dict[str, str] = {}
    for name, bodies in names.items():
        for body in [bodies] if isinstance(bodies, str) else bodies:
            expected[shared(body) if name == "~" else name] = who(body)
    assert reloads(*steps) == expected


def test_one_that_is_alone_keeps_the_name_that_it_had_beside_others_and_another_one_gets_a_longer_one() -> None:
    changed = reloads((A, B), (A,), (C,))
    assert changed == {shared(A): who(C)}
    assert after(changed, C, A) == {shared(A): who(C), shared(A, 9): who(A)}


def test_two_that_swap_what_tells_them_apart_swap_their_names() -> None:
    first, second = "peer-as 10; hold-time 30;", "peer-as 11; hold-time 60;"
    before = named(neighbors(first, second), {})
    swapped = named(neighbors("peer-as 11; hold-time 30;", "peer-as 10; hold-time 60;"), {})
    assert {each.name: each.peer_as for each in before} == {each.name: each.peer_as for each in swapped}


def test_a_range_is_named_likewise() -> None:
    one, other = (f"neighbor 10.0.0.0/24 {{ router-id 1.1.1.1; local-as 1; peer-as {n}; passive; }}" for n in (2, 3))
    (alone,) = compiled(one).neighbors
    both = named(compiled(other + one).neighbors, {alone.name: identity(alone)})
    assert [own_address(each.name) for each in both] == ["10.0.0.0/24"] * 2
    assert both[1].name == alone.name == "10.0.0.0/24"


def test_through_all_reloads_no_name_goes_to_another_neighbor_that_shares_the_address() -> None:
    sets = [bodies for count in range(4) for bodies in itertools.combinations((A, B, C), count)]
    for steps in itertools.product(sets, repeat=4):
        before: dict[str, str] = {}
        for bodies in steps:
            now = after(before, *bodies)
            assert sorted(now.values()) == sorted(map(who, bodies))
            kept = {name for name in before.keys() & now.keys() if before[name] == now[name]}
            assert {before[name] for name in kept} == {*before.values()} & {*now.values()}
            if len(before) > 1 or len(now) > 1:
                assert before.keys() & now.keys() == kept
            before = now
