"""What a reload does to routes of watchdogs, by what ribd holds when it comes."""

from __future__ import annotations

import pytest

from apid.difference import changes_between
from bgp.attribute import Med
from bgp.family import Family
from bgp.route import decode_set
from bus.schema import AppliedConfiguration
from ribd.table import Rib, Withdrawn
from tests.unit.control_stage import compiled

NEIGHBOR = "neighbor 192.0.2.{} {{ router-id 10.0.0.1; local-as 65001; peer-as 65002; static {{ {} }} }}\n"
DOG = "med 20 watchdog dog"
CAT = "med 10 watchdog cat"
NAME = "192.0.2.9"


def applied(*lines: str) -> AppliedConfiguration:
    routes = " ".join(f"route 10.0.0.0/8 next-hop 192.0.2.1 {line};" for line in lines)
    return compiled(NEIGHBOR.format(8, "") + NEIGHBOR.format(9, routes)).applied


def held_after(old: AppliedConfiguration, new: AppliedConfiguration, commands: str) -> int | None:
    """Return the MED that ribd announces after a start, a command of a watchdog, and a reload; None for no route."""
    rib = Rib()
    rib.enrol(old.neighbors)

    def carry_out(names: list[str], *change: object) -> None:
        announce, afi, safi, attributes, items = change
        rib.change(rib.addressed(names), announce, Family(afi, safi), attributes, items)  # type: ignore[arg-type]

    for names, changes in old.routes:
        for afi, safi, attributes, items in changes:
            carry_out(names, 1, afi, safi, attributes, items)
    for name, names, changes in old.watchdogs:
        for afi, safi, attributes, items in changes:
            if f"+{name}" in commands or f"-{name}" in commands:
                carry_out(names, 1 if f"+{name}" in commands else 2, afi, safi, attributes, items)
    for names, *change in changes_between(old, new):
        carry_out(names, *change)
    table = rib.table(NAME)
    assert table is not None
    entries = [entry for family in table.families.values() for entry in family.entries.values()]
    announced = [attributes for _, attributes, _ in entries if not isinstance(attributes, Withdrawn)]
    med = decode_set(announced[0])[0][Med.CODE] if announced else None
    assert med is None or isinstance(med, Med)
    return None if med is None else med.value


@pytest.mark.parametrize(
    ("before", "commands", "after", "held"),
    [
        ([f"{DOG} withdraw"], "", ["med 7 watchdog dog withdraw"], None),
        ([f"{DOG} withdraw"], "+dog", ["med 7 watchdog dog withdraw"], 7),
        ([f"{DOG} withdraw"], "+dog", ["med 7 watchdog dog"], 7),
        ([DOG], "", ["med 7 watchdog dog"], 7),
        ([DOG], "-dog", ["med 7 watchdog dog"], None),
        ([DOG], "-dog", ["med 20 watchdog cat"], None),
        ([DOG], "", [], None),
        ([f"{DOG} withdraw"], "+dog", [], None),
        ([DOG], "-dog", ["med 20"], 20),
        ([DOG], "-dog", ["med 7"], 7),
        ([f"{DOG} withdraw"], "", ["med 20"], 20),
        (["med 10", f"{DOG} withdraw"], "", [f"{DOG} withdraw"], None),
        (["med 10", f"{DOG} withdraw"], "", ["med 15", f"{DOG} withdraw"], 15),
        ([f"{DOG} withdraw"], "", ["med 10", f"{DOG} withdraw"], 10),
        ([f"{CAT} withdraw", f"{DOG} withdraw"], "+cat", [f"{DOG} withdraw"], None),
        ([f"{CAT} withdraw", f"{DOG} withdraw"], "+dog", [f"{DOG} withdraw"], 20),
    ],
)
def test_the_route_after_a_reload(before: list[str], commands: str, after: list[str], held: int | None) -> None:
    assert held_after(applied(*before), applied(*after), commands) == held


def test_neighbors_with_the_same_routes_are_looked_at_once() -> None:
    def many(med: int) -> AppliedConfiguration:
        return compiled(
            "".join(NEIGHBOR.format(n, f"route 10.0.0.0/8 next-hop 192.0.2.1 med {med} watchdog dog;") for n in (8, 9))
        ).applied

    ((names, *_),) = changes_between(many(1), many(2))
    assert names == ["192.0.2.8", "192.0.2.9"]


def test_a_neighbor_that_is_forgetful_no_longer_is_announced_all_its_routes_but_those_of_watchdogs() -> None:
    def both(first: str) -> AppliedConfiguration:
        routes = f"route 10.0.0.0/8 next-hop 192.0.2.1; route 10.0.0.0/9 next-hop 192.0.2.1 {DOG};"
        return compiled(
            "".join(NEIGHBOR.format(n, routes) for n in (8, 9)).replace("static", f"{first} static", 1)
        ).applied

    off, on = both("adj-rib-out false;"), both("")
    ((names, announce, *_, items),) = changes_between(off, on)
    assert (names, announce, [item[4:] for item in items]) == (["192.0.2.8"], 1, [b"\x08\x0a"])
    assert changes_between(on, off) == changes_between(off, off) == []
