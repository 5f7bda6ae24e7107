"""Routes with versions: what a table holds, and how it changes.

A `FamilyTable` maps a route's key to `(version, attribute set or tombstone, item)`. Every change takes the next version
of the whole table and moves the entry to the end of the dict, so the changes since a version are a walk back from the
end, and a route that flapped a hundred times is one entry. A tombstone is a withdrawal that some session may not have
been sent yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import count, repeat, takewhile
from typing import NamedTuple

from bgp.family import Family
from bgp.nlri import KEYED_BY_ITEM, route_key
from bgp.nlri.registry import NO_PATH_ID, PATH_ID_OCTETS
from ribd.lease import Leases


class Withdrawn(NamedTuple):
    """What a tombstone has in place of the attribute set: the attributes that the withdrawal came with.

    They mean nothing, but outside unicast ExaBGP sends them, and so do we.
    """

    attributes: bytes


Entry = tuple[int, bytes | Withdrawn, bytes]  # version, attribute set or tombstone, item

BULK = 8  # items from which on it pays to check whether all are new
PURGE_AT = 1024  # tombstones; fewer are not worth a pass over the table


class Clock:
    """The newest version in any family of a table: versions tell the order of changes across families."""

    __slots__ = ("version",)

    def __init__(self, version: int = 0) -> None:
        self.version = version


class FamilyTable:
    """The routes of one family in one table."""

    __slots__ = (
        "clock",
        "entries",
        "family",
        "keyed_by_item",
        "leases",
        "purged",
        "served",
        "superseded",
        "tombstones",
        "version",
    )

    def __init__(self, family: Family, clock: Clock) -> None:
        self.family = family
        self.clock = clock
        self.keyed_by_item = family.safi in KEYED_BY_ITEM
        self.entries: dict[bytes, Entry] = {}
        self.version = 0
        self.tombstones = 0
        self.purged = 0  # the newest version of a tombstone that was dropped
        self.served = False  # whether a session has been sent anything of this
        self.superseded: list[Entry] = []  # configured routes that a later line of the configuration replaced
        self.leases = Leases()

    def __len__(self) -> int:
        """Routes that are announced."""
        return len(self.entries) - self.tombstones

    def key(self, item: bytes) -> bytes:
        """Return what identifies the route of an item."""
        return item if self.keyed_by_item else route_key(self.family, item)

    def announce(self, attributes: bytes, items: list[bytes], configured: bool = False) -> int:
        """Announce items with one attribute set, for ever; return how many changed anything.

        A configuration may hold a route twice. ExaBGP sends the very first session both forms, in their order, and
        peers that compare octets expect it; `configured`, of a neighbor's first configuration, keeps the former form
        until then.
        """
        entries = self.entries
        if self.leases.seconds:
            self.leases.end(map(self.key, items))
        if self.keyed_by_item and len(items) >= BULK and entries.keys().isdisjoint(items):
            # All new, which is the bulk case: no Python per route. A duplicate inside `items` keeps its first
            # place with its last version, so it would be out of order: `len` tells.
            before, version = len(entries), self.clock.version
            entries.update(zip(items, zip(count(version + 1), repeat(attributes), items), strict=False))
            if len(entries) - before == len(items):
                self.version = self.clock.version = version + len(items)
                return len(items)
            for item in items:
                entries.pop(item, None)
            items = list(dict.fromkeys(items))
        return self._announce_each(attributes, items, configured and not self.served)

    def _announce_each(self, attributes: bytes, items: list[bytes], keep: bool) -> int:
        entries, before, keyed_by_item = self.entries, self.clock.version, self.keyed_by_item
        version = before
        for item in items:
            key = item if keyed_by_item else self.key(item)
            old = entries.get(key)
            if old is not None:
                if old[1] == attributes and old[2] == item:
                    continue
                self.tombstones -= type(old[1]) is Withdrawn
                if keep and type(old[1]) is bytes:
                    self.superseded.append(old)
                del entries[key]
            version += 1
            entries[key] = (version, attributes, item)
        if version > before:
            self.version = self.clock.version = version
        return version - before

    def withdraw(self, attributes: bytes, items: list[bytes], unknown: bool = True, form: bool = False) -> int:
        """Withdraw items; return how many were announced. An `unknown` route leaves a tombstone too.

        form: only those that have just these attributes.

        ExaBGP sends a withdrawal for a route that it does not know, and scripts use it to clean up behind another
        speaker of the same session. It sends none for a watchdog's route that was never announced.
        """
        entries, version, changed = self.entries, self.clock.version, 0
        withdrawn = Withdrawn(attributes)
        if self.leases.seconds:
            self.leases.end(map(self.key, items))
        for item in items:
            key = self.key(item)
            old = entries.get(key)
            # A number is taken even where nothing changes: whether the tombstone is still there depends on `purge`,
            # which is not journalled, and a replay must count like the original.
            version += 1
            if old is None:
                if not unknown:
                    continue
            elif type(old[1]) is Withdrawn or (form and old[1] != attributes):
                continue
            else:
                del entries[key]
            changed += 1
            self.tombstones += 1
            entries[key] = (version, withdrawn, item if old is None else old[2])
        self.version = self.clock.version = version
        return changed

    def replace(self, attributes: bytes, items: list[bytes], former: bytes | None = None) -> int:
        """Announce those items whose routes are announced; return how many changed anything.

        former: only those that have just these attributes.
        """
        entries = ((item, self.entries.get(self.key(item))) for item in items)
        announced = ((item, entry[1]) for item, entry in entries if entry is not None and type(entry[1]) is bytes)
        return self.announce(attributes, [item for item, form in announced if former in (None, form)])

    def become(self, other: FamilyTable) -> None:
        """Withdraw and announce what makes these the routes of another table."""
        for _, item in list(self.routes()):
            entry = other.entries.get(self.key(item))
            if entry is None or type(entry[1]) is Withdrawn:
                self.withdraw(b"", [item])
        for attributes, item in other.routes():
            self.announce(attributes, [item])
        self.leases = other.leases.copy()

    def lease(self, items: list[bytes], seconds: int, now: float) -> None:
        """Let items that were just announced expire after so many seconds."""
        self.leases.begin(map(self.key, items), seconds, now)

    def lapsed(self, now: float) -> list[bytes]:
        """Return the items whose lease is over."""
        return [self.entries[key][2] for key in self.leases.over(now)]

    def since(self, position: int) -> list[Entry]:
        """Return the entries changed after `position`, oldest first."""
        if position <= 0:
            return list(self.entries.values())
        found = []
        for entry in reversed(self.entries.values()):
            if entry[0] <= position:
                break
            found.append(entry)
        found.reverse()
        return found

    def current(self, entry: Entry) -> bool:
        """Whether nothing has happened to the route since `entry`."""
        return self.entries.get(self.key(entry[2])) is entry

    def other_paths(self, withdrawn: Iterable[Entry]) -> dict[bytes, Entry]:
        """Return the newest path that is still announced of each prefix of which one was withdrawn.

        By the key without its path identifier. Paths without an identifier are taken to be the only ones.
        """
        keys = {self.key(item)[PATH_ID_OCTETS:] for _, _, item in withdrawn if item[:PATH_ID_OCTETS] != NO_PATH_ID}
        found: dict[bytes, Entry] = {}
        if keys:
            for key, entry in self.entries.items():
                if key[PATH_ID_OCTETS:] in keys and not isinstance(entry[1], Withdrawn):
                    found[key[PATH_ID_OCTETS:]] = entry
        return found

    def routes(self) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over (attribute set, item) of what is announced."""
        return (
            (attributes, item) for _, attributes, item in self.entries.values() if not isinstance(attributes, Withdrawn)
        )

    def purge(self, passed: int) -> None:
        """Drop tombstones that every session has passed."""
        if self.tombstones < PURGE_AT or self.tombstones * 4 < len(self.entries):
            return
        dropped = [key for key, entry in self.entries.items() if type(entry[1]) is Withdrawn and entry[0] <= passed]
        for key in dropped:
            self.purged = max(self.purged, self.entries.pop(key)[0])
        self.tombstones -= len(dropped)

    def sent(self, version: int) -> list[bytes]:
        """Return the keys of what changed up to a version, but for routes with a lease, which will be withdrawn."""
        upto = takewhile(lambda entry: entry[1][0] <= version, self.entries.items())
        return [key for key, _ in upto if key not in self.leases.seconds]

    def forget(self, keys: Collection[bytes]) -> None:
        """Be as if these routes had never been announced or withdrawn; versions go on."""
        dropped = [self.entries.pop(key) for key in keys if key in self.entries]
        self.tombstones -= sum(type(entry[1]) is Withdrawn for entry in dropped)
        if not self.entries:
            self.entries.clear()  # lest every look at the oldest entry passes over the room of all former ones

    def copy(self, clock: Clock) -> FamilyTable:
        """Copy for a split: same entries, same versions."""
        other = FamilyTable(self.family, clock)
        other.entries = self.entries.copy()
        other.version, other.tombstones, other.purged = self.version, self.tombstones, self.purged
        other.served, other.superseded = self.served, self.superseded.copy()
        other.leases = self.leases.copy()
        return other


class Table:
    """What a set of neighbors is announced."""

    __slots__ = ("clock", "families", "members")

    def __init__(self, members: Iterable[str]) -> None:
        self.members = set(members)
        self.clock = Clock()
        self.families: dict[Family, FamilyTable] = {}

    def family(self, family: Family) -> FamilyTable:
        """Return a family's routes, empty at first."""
        table = self.families.get(family)
        if table is None:
            table = self.families[family] = FamilyTable(family, self.clock)
        return table

    def split(self, members: set[str]) -> Table:
        """Give some members a table of their own with the same contents."""
        other = Table(members)
        other.clock = Clock(self.clock.version)
        other.families = {family: table.copy(other.clock) for family, table in self.families.items()}
        self.members -= members
        return other
