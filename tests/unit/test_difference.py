"""What a reload changes: exactly the routes that differ, for exactly the neighbors that they differ for."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from apid.difference import difference
from bgp.family import Family
from bgp.nlri import route_key
from tests.unit.rib_bench import LABELLED, UNICAST, attributes, labelled, unicast

A, B = attributes(1), attributes(2)
V4 = [*UNICAST]

Table = dict[tuple[Family, bytes], tuple[bytes, bytes]]


def after(routes: list[list[Any]], name: str) -> Table:
    """Return what a neighbor has after a configuration's routes."""
    table: Table = {}
    for names, changes in routes:
        if name in names:
            for afi, safi, octets, items in changes:
                for item in items:
                    table[Family(afi, safi), route_key(Family(afi, safi), item)] = (octets, item)
    return table


def apply(table: Table, changes: list[Any], name: str) -> int:
    """Carry changes out on a neighbor's table; return how many did nothing."""
    idle = 0
    for names, announce, afi, safi, octets, items in changes:
        for item in items if name in names else []:
            key = (Family(afi, safi), route_key(Family(afi, safi), item))
            before = table.get(key)
            if announce:
                table[key] = (octets, item)
            else:
                table.pop(key, None)
            idle += before == table.get(key)
    return idle


def test_equal_configurations_differ_in_nothing() -> None:
    routes = [[["a", "b"], [[*V4, A, [unicast(1), unicast(2)]]]]]
    assert difference(routes, [[["a", "b"], [[*V4, A, [unicast(1), unicast(2)]]]]], ["a", "b"]) == []


def test_only_the_changed_routes_are_in_it() -> None:
    old = [[["a"], [[*V4, A, [unicast(1), unicast(2), unicast(3)]]]]]
    new = [[["a"], [[*V4, A, [unicast(1)]], [*V4, B, [unicast(2), unicast(4)]]]]]
    assert difference(old, new, ["a"]) == [
        (["a"], 0, *V4, b"", [unicast(3)]),
        (["a"], 1, *V4, B, [unicast(2), unicast(4)]),
    ]


def test_a_neighbor_that_is_gone_needs_nothing_and_a_new_one_gets_everything_in_its_order() -> None:
    old = [[["a", "b"], [[*V4, A, [unicast(1)]]]]]
    new = [[["b", "c"], [[*V4, A, [unicast(1)]], [*V4, B, [unicast(1)]]]]]
    assert difference(old, new, ["b", "c"]) == [
        (["b"], 1, *V4, B, [unicast(1)]),
        (["c"], 1, *V4, A, [unicast(1)]),
        (["c"], 1, *V4, B, [unicast(1)]),
    ]


def test_neighbors_with_the_same_change_are_addressed_together() -> None:
    names = [f"n{number}" for number in range(100)]
    old = [[names, [[*V4, A, [unicast(1)]]]]]
    new = [[names, [[*V4, B, [unicast(1)]]]]]
    assert difference(old, new, names) == [(names, 1, *V4, B, [unicast(1)])]


def test_another_label_is_another_form_of_the_same_route() -> None:
    old = [[["a"], [[*LABELLED, A, [labelled(1, 16)]]]]]
    new = [[["a"], [[*LABELLED, A, [labelled(1, 17)]]]]]
    assert difference(old, new, ["a"]) == [(["a"], 1, *LABELLED, A, [labelled(1, 17)])]


CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just(UNICAST), st.sampled_from((A, B)), st.lists(st.integers(0, 5).map(unicast), min_size=1)),
        st.tuples(
            st.just(LABELLED),
            st.sampled_from((A, B)),
            st.lists(st.builds(labelled, st.integers(0, 3), st.integers(16, 17)), min_size=1),
        ),
    ).map(lambda change: [*change[0], change[1], change[2]]),
    max_size=4,
)
GROUPINGS = st.sampled_from(([["a", "b", "c"]], [["a"], ["b", "c"]], [["a"], ["b"], ["c"]], [["b"], ["d"]]))


@settings(max_examples=200, deadline=None)
@given(GROUPINGS, GROUPINGS, st.data())
def test_carried_out_on_the_old_it_gives_the_new(
    before: list[list[str]], later: list[list[str]], data: st.DataObject
) -> None:
    old = [[names, data.draw(CHANGES)] for names in before]
    new = [[names, data.draw(CHANGES)] for names in later]
    neighbors = [name for names in later for name in names]
    changes = difference(old, new, neighbors)
    assert all(set(change[0]) <= set(neighbors) for change in changes)
    for name in neighbors:
        table = after(old, name)
        known = bool(table)
        idle = apply(table, changes, name)
        assert table == after(new, name)
        assert idle == 0 or not known
