"""What commands and reloads do to routes of watchdogs, by what ribd holds when they come."""

from __future__ import annotations

from pathlib import Path

import pytest

from apid.control.watchdogs import Watchdogs
from apid.difference import changes_between
from bgp.attribute import Med
from bgp.family import Family
from bgp.route import decode_set
from bus.schema import AppliedConfiguration
from ribd.rib import Rib
from ribd.table import Withdrawn
from tests.unit.control_stage import compiled

NEIGHBOR = "neighbor 192.0.2.{} {{ router-id 10.0.0.1; local-as 65001; peer-as 65002; static {{ {} }} }}\n"
DOG = "med 20 watchdog dog"
CAT = "med 10 watchdog cat"
OFF = [f"{CAT} withdraw", f"{DOG} withdraw"]
NAME = "192.0.2.9"


def applied(*lines: str) -> AppliedConfiguration:
    routes = " ".join(f"route 10.0.0.0/8 next-hop 192.0.2.1 {line};" for line in lines)
    return compiled(NEIGHBOR.format(8, "") + NEIGHBOR.format(9, routes)).applied


class Bed:
    """The tables of ribd, and the watchdogs of a configuration in force."""

    def __init__(self, lines: list[str]) -> None:
        self.applied = applied(*lines)
        self.rib = Rib()
        self.rib.enrol(self.applied.neighbors)
        self.watchdogs = Watchdogs(Path("/nonexistent"), lambda: self.applied)
        for names, changes in self.applied.routes:
            for afi, safi, attributes, items in changes:
                self._carry_out(names, 1, afi, safi, attributes, items)

    def _carry_out(
        self, names: list[str], announce: int, afi: int, safi: int, attributes: bytes, items: list[bytes], *more: bytes
    ) -> None:
        former = more[0] if more else None
        self.rib.change(self.rib.addressed(names), announce, Family(afi, safi), attributes, items, former=former)

    def say(self, commands: str) -> None:
        """Announce (+) and withdraw (-) watchdogs."""
        for command in commands.split():
            announce, name = command[0] == "+", command[1:]
            for order in self.watchdogs.orders(name, announce, {NAME}):
                self._carry_out(*order)
            self.watchdogs.carried_out(name, announce, {NAME})

    def reload(self, lines: list[str]) -> None:
        """Put another configuration in force."""
        old, self.applied = self.applied, applied(*lines)
        for change in changes_between(old, self.applied):
            self._carry_out(*change)

    @property
    def held(self) -> int | None:
        """The MED that is announced; None for no route."""
        table = self.rib.table(NAME)
        assert table is not None
        entries = [entry for family in table.families.values() for entry in family.entries.values()]
        announced = [attributes for _, attributes, _ in entries if not isinstance(attributes, Withdrawn)]
        med = decode_set(announced[0])[0][Med.CODE] if announced else None
        assert med is None or isinstance(med, Med)
        return None if med is None else med.value


@pytest.mark.parametrize(
    ("lines", "commands", "held"),
    [
        ([CAT, DOG], "", 20),
        ([CAT, DOG], "-dog", None),
        ([CAT, DOG], "-cat", 20),
        ([CAT, DOG], "-dog +cat", 10),
        (OFF, "+cat +dog", 20),
        (OFF, "+dog +cat", 10),
        (OFF, "+cat -dog", 10),
        (OFF, "+cat +dog -cat", 20),
        (OFF, "+cat +dog -dog", None),
        (OFF, "+cat +dog -dog +cat", 10),
        (OFF, "+cat +dog +cat +cat", 20),
        (OFF, "+cat +dog +cat +dog +cat", 20),
        (OFF, "+cat +dog -cat +cat", 10),
        (OFF, "+cat +dog -cat -dog", None),
        (["med 10", f"{DOG} withdraw"], "-dog", 10),
        (["med 10", f"{DOG} withdraw"], "+dog", 20),
        (["med 10", f"{DOG} withdraw"], "+dog -dog", None),
        ([DOG, "med 10"], "-dog", 10),
        ([f"{CAT} withdraw", "med 20 watchdog cat withdraw"], "+cat", 20),
        ([f"{CAT} withdraw", "med 20 watchdog cat withdraw"], "+cat -cat", None),
    ],
)
def test_the_route_after_commands(lines: list[str], commands: str, held: int | None) -> None:
    bed = Bed(lines)
    bed.say(commands)
    assert bed.held == held


@pytest.mark.parametrize(
    ("before", "commands", "after", "held"),
    [
        ([f"{DOG} withdraw"], "", ["med 7 watchdog dog withdraw"], None),
        ([f"{DOG} withdraw"], "+dog", ["med 7 watchdog dog withdraw"], 7),
        ([f"{DOG} withdraw"], "+dog", ["med 7 watchdog dog"], 7),
        ([DOG], "", ["med 7 watchdog dog"], 7),
        ([DOG], "-dog", ["med 7 watchdog dog"], None),
        ([DOG], "-dog", ["med 20 watchdog cat"], None),
        ([DOG], "-dog", ["med 7 watchdog cat"], None),
        ([DOG], "", ["med 7 watchdog cat"], 7),
        ([DOG], "", [], None),
        ([f"{DOG} withdraw"], "+dog", [], None),
        ([DOG], "-dog", ["med 20"], 20),
        ([DOG], "-dog", ["med 7"], 7),
        ([f"{DOG} withdraw"], "", ["med 20"], 20),
        (["med 20"], "", [f"{DOG} withdraw"], None),
        (["med 20"], "", ["med 7 watchdog dog"], 7),
        (["med 10", f"{DOG} withdraw"], "", [f"{DOG} withdraw"], None),
        (["med 10", f"{DOG} withdraw"], "+dog", [f"{DOG} withdraw"], 20),
        (["med 10", f"{DOG} withdraw"], "", ["med 15", f"{DOG} withdraw"], 15),
        (["med 10", f"{DOG} withdraw"], "+dog", ["med 10", "med 25 watchdog dog withdraw"], 25),
        (["med 10", f"{DOG} withdraw"], "+dog", ["med 10"], 10),
        (["med 10", DOG], "", ["med 15", DOG], 20),
        (["med 10", DOG], "-dog", ["med 15", DOG], None),
        ([f"{DOG} withdraw"], "", ["med 10", f"{DOG} withdraw"], 10),
        (OFF, "+cat", [f"{DOG} withdraw"], None),
        (OFF, "+dog", [f"{DOG} withdraw"], 20),
        (OFF, "+cat", ["med 11 watchdog cat withdraw", f"{DOG} withdraw"], 11),
        (OFF, "+dog", ["med 11 watchdog cat withdraw", f"{DOG} withdraw"], 20),
        (OFF, "+cat -cat", ["med 11 watchdog cat withdraw", f"{DOG} withdraw"], None),
        (OFF, "+cat", ["med 11 watchdog cat withdraw", "med 21 watchdog dog withdraw"], 11),
        (OFF, "+cat", [*OFF, "med 30 watchdog cow"], 30),
        (OFF, "+cat", [*OFF, "med 30 watchdog cow withdraw"], 10),
        (OFF, "+cat", ["med 20 watchdog cat withdraw", "med 10 watchdog dog withdraw"], None),
        (OFF, "+dog", ["med 20 watchdog cat withdraw", "med 30 watchdog dog withdraw"], 30),
        ([CAT, DOG], "", ["med 11 watchdog cat", DOG], 20),
        ([CAT, DOG], "", [CAT, "med 21 watchdog dog"], 21),
        ([CAT, DOG], "-dog", [CAT, "med 21 watchdog dog"], None),
        ([CAT, DOG], "-cat -dog", [CAT, "med 21 watchdog dog"], None),
        ([CAT, DOG], "", [CAT], 10),
        ([CAT, DOG], "-dog", [CAT], None),
        ([CAT, DOG], "", [DOG], 20),
        ([CAT, DOG], "+cat", [DOG], 20),
        ([CAT, DOG], "", ["med 11 watchdog cat"], 11),
        ([DOG, "med 10"], "", [DOG], 20),
        ([CAT, DOG], "+cat", [], None),
        ([CAT, f"{DOG} withdraw"], "-cat", ["med 11 watchdog cat", f"{DOG} withdraw"], None),
        ([CAT, f"{DOG} withdraw"], "+dog", ["med 11 watchdog cat", f"{DOG} withdraw"], 20),
        ([], "", [CAT, DOG], 20),
    ],
)
def test_the_route_after_a_reload(before: list[str], commands: str, after: list[str], held: int | None) -> None:
    bed = Bed(before)
    bed.say(commands)
    bed.reload(after)
    assert bed.held == held


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
