"""All tables: which neighbors share one, and how a command reaches those that it addresses.

Neighbors that have always been addressed together share one `Table`; a command that addresses some of them splits
it by copying (partition refinement), so a thousand equal neighbors cost one table. The sessions of a range are not
named here: they have the range's table, until one of them is addressed alone, which then gets a copy of its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from bgp.family import Family
from bus.names import address_of, neighbor_of, own_address
from bus.schema import ANNOUNCE, REPLACE, REPLACE_FORM, WITHDRAW, WITHDRAW_FORM
from ribd.table import Table

SETS_AT = 1024  # attribute sets; fewer are not worth a pass over all tables
ADDRESSED = 1024  # lists of neighbors whose tables are remembered


class Rib:
    """All tables, and which neighbor has which."""

    def __init__(self) -> None:
        self.of: dict[str, Table] = {}
        self.apart: dict[str, set[str]] = {}  # by range, the sessions that were addressed alone
        self.enrolled: set[str] = set()
        self.gone: set[str] = set()  # those that the last enrolment has removed
        self.enrolments = 0  # how often it was said which neighbors there are
        # By neighbor, how many enrolments were before it: one that comes back is another.
        self.born: dict[str, int] = {}
        self.flow_limits: dict[str, int] = {}  # how many FlowSpec rules a neighbor may have
        self.forgetful: set[str] = set()  # neighbors whose routes are forgotten once they were sent
        self._sets: dict[bytes, bytes] = {}
        self._swept = SETS_AT
        self._addressed: dict[tuple[str, ...], list[Table]] = {}  # as long as no table comes, goes or splits

    def tables(self) -> list[Table]:
        """Return every table once."""
        return list({id(table): table for table in self.of.values()}.values())

    def enrol(self, neighbors: Iterable[str], forgetful: Iterable[str] = ()) -> None:
        """Make these the neighbors that exist and whose configured routes are complete.

        Each of the forgetful ones gets a table of its own: what it was sent, others may not have been.
        """
        wanted = set(neighbors)
        self.enrolments += 1
        self._addressed.clear()
        self.create(wanted)
        for name in self.of.keys() - wanted:
            if neighbor_of(name) not in wanted:
                self.of.pop(name).members.discard(name)
                self.born.pop(name, None)
        self.apart = {name: sessions for name, sessions in self.apart.items() if name in wanted}
        self._rejoin({own_address(name) for name in wanted ^ self.enrolled})
        self.gone = self.enrolled - wanted
        self.enrolled = wanted
        self.forgetful = wanted.intersection(forgetful)
        for name in sorted(self.forgetful):
            self._refine([name])

    def _rejoin(self, addresses: set[str]) -> None:
        """Forget what was announced to addresses alone that come from, or go to, a neighbor of their own."""
        for range_, sessions in self.apart.items():
            for session in sorted(each for each in sessions if address_of(each) in addresses):
                (table,) = self.addressed([session])
                for family in sorted({*table.families, *self.of[range_].families}):
                    table.family(family).become(self.of[range_].family(family))

    def create(self, names: set[str]) -> None:
        """Give neighbors that have no table yet an empty one, and sessions of a range one like the range's."""
        new = names - self.of.keys()
        if not new:
            return
        neighbors = {neighbor_of(name) for name in new} - self.of.keys()
        if neighbors:
            self.born.update(dict.fromkeys(neighbors, self.enrolments))
            self.place(Table(neighbors))
        for name in new - neighbors:
            self.place(self.of[neighbor_of(name)].split({name}))

    def place(self, table: Table) -> None:
        """Make a new table that of its members."""
        self._addressed.clear()
        self.of.update(dict.fromkeys(table.members, table))
        for name in table.members:
            if address_of(name):
                self.apart.setdefault(neighbor_of(name), set()).add(name)

    def table(self, name: str) -> Table | None:
        """Return what a neighbor, or a session of a range, is announced; None where it is not known."""
        return self.of.get(name) or self.of.get(neighbor_of(name))

    def reached(self, names: Iterable[str]) -> set[str]:
        """Return these names, and the sessions of ranges among them that have tables of their own."""
        found = set(names)
        return found.union(*(self.apart[name] for name in found & self.apart.keys()))

    def addressed(self, names: Iterable[str]) -> list[Table]:
        """Return tables that together hold exactly these neighbors, splitting those that hold others too."""
        key = tuple(names)
        found = self._addressed.get(key)
        if found is None:
            found = self._refine(key)
            if len(self._addressed) >= ADDRESSED:
                self._addressed.clear()
            self._addressed[key] = found
        return found

    def held_by(self, names: Iterable[str]) -> list[Table]:
        """Return the tables that these neighbors and sessions have now, whoever else has them."""
        return list({id(self.of[name]): self.of[name] for name in names if name in self.of}.values())

    def _refine(self, names: Iterable[str]) -> list[Table]:
        wanted = self.reached(names)
        self.create(wanted)
        found = []
        for table in {id(self.of[name]): self.of[name] for name in wanted}.values():
            inside = table.members & wanted
            if inside != table.members:
                table = table.split(inside)
                self._addressed.clear()
                self.of.update(dict.fromkeys(inside, table))
            found.append(table)
        return found

    def intern(self, attributes: bytes) -> bytes:
        """Return the one object for an attribute set."""
        return self._sets.setdefault(attributes, attributes)

    def known(self, attributes: bytes) -> bool:
        """Whether an attribute set was seen (and so checked) before."""
        return attributes in self._sets

    def change(
        self,
        tables: list[Table],
        announce: int,
        family: Family,
        attributes: bytes,
        items: list[bytes],
        configured: bool = False,
        lease: int = 0,
        now: float = 0.0,
        former: bytes | None = None,
    ) -> int:
        """Announce (for `lease` seconds, or for ever) or withdraw items in tables; return how many entries changed.

        A forgetful neighbor may have been sent anything: whatever is announced or withdrawn is to be sent.
        """
        if announce not in (ANNOUNCE, REPLACE, REPLACE_FORM):
            unknown, form = announce == WITHDRAW, announce == WITHDRAW_FORM
            return sum(
                table.family(family).withdraw(attributes, items, unknown or self._forgets(table), form)
                for table in tables
            )
        if self.forgetful and announce == ANNOUNCE:
            for routes in [table.family(family) for table in tables if self._forgets(table)]:
                routes.forget([routes.key(item) for item in items])
        attributes = self.intern(attributes)
        if announce != ANNOUNCE:
            return sum(table.family(family).replace(attributes, items, former) for table in tables)
        changed = 0
        for table in tables:
            routes = table.family(family)
            keep = configured and table.members.isdisjoint(self.enrolled)
            changed += routes.announce(attributes, items, keep)
            if lease:
                routes.lease(items, lease, now)
        return changed

    def _forgets(self, table: Table) -> bool:
        """Whether a table is that of a forgetful neighbor."""
        return bool(self.forgetful) and len(table.members) == 1 and not self.forgetful.isdisjoint(table.members)

    def holds(self, name: str, family: Family, version: int) -> bool:
        """Whether a neighbor's table has anything that may be forgotten once it was sent up to a version."""
        routes = self.of[name].families.get(family)
        return routes is not None and bool(routes.sent(version))

    def forget(self, name: str, sent: Iterable[list[int]]) -> None:
        """Forget what a neighbor was sent, up to a version of each family; unless it is not forgetful any more."""
        table = self.of.get(name)
        if table is not None and name in self.forgetful:
            for afi, safi, version in sent:
                routes = table.family(Family(afi, safi))
                routes.forget(routes.sent(version))

    def has_leases(self) -> bool:
        """Whether any route has a lease."""
        return any(routes.leases.seconds for table in self.of.values() for routes in table.families.values())

    def versions(self, name: str) -> dict[Family, int]:
        """Return how far a neighbor's families go now."""
        table = self.table(name)
        return {} if table is None else {family: routes.version for family, routes in table.families.items()}

    def clear(self, names: Iterable[str]) -> int:
        """Withdraw everything from these neighbors; return how many routes that were."""
        withdrawn = 0
        for table in self.addressed(names):
            # Not in the order in which families came to be, which is not journalled: a replay must count alike.
            for _, family in sorted(table.families.items()):
                routes: dict[bytes, list[bytes]] = {}
                for attributes, item in family.routes():
                    routes.setdefault(attributes, []).append(item)
                for attributes, items in routes.items():
                    withdrawn += family.withdraw(attributes, items)
        return withdrawn

    def recovered(self) -> None:
        """Regard everything as served: sessions may have been sent it in our former life."""
        for table in self.tables():
            for family in table.families.values():
                family.served = True
                family.superseded.clear()

    def sweep_sets(self) -> None:
        """Forget attribute sets that no entry uses, once there are twice as many as were in use the last time."""
        if len(self._sets) < 2 * self._swept:
            return
        used = {
            entry[1]
            for table in self.tables()
            for family in table.families.values()
            for entry in family.entries.values()
        }
        self._sets = {octets: octets for octets in used if type(octets) is bytes}
        self._swept = max(SETS_AT, len(self._sets))
