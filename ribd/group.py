"""Update groups: a table seen through a shape, packed once for every session that shares both.

A `Stream` holds the packed UPDATEs of one family as segments: the changes from one version to another. A session
at version v takes the segment that starts at v, or has it made. Equal sessions thus cost one packing, and the
cache is only a cache: whatever was dropped is packed again from the table.
"""

from __future__ import annotations

from dataclasses import dataclass

from bgp.family import Family
from bgp.pack import Packer
from bgp.shape import Shape
from ribd.table import Entry, FamilyTable, Table, Withdrawn

SEGMENT_ENTRIES = 4096  # entries in a segment at most: packing one takes some 5 ms, in which all others wait
SEGMENT_SETS = 1024  # attribute sets in a segment: bounds the time that packing one takes (about 10 ms)
SEGMENT_OCTETS = 1024 * 1024  # of items and attribute sets in a segment, roughly: a batch must fit the bus
CACHED_OCTETS = 16 * 1024 * 1024  # of segments kept for each stream
BACKLOGS = 4  # snapshots of changes kept for each stream; a session without one costs a walk back


@dataclass(frozen=True, slots=True)
class Segment:
    """The octets that take a session from version `start` to version `end`, as the table was at version `made`."""

    start: int
    end: int
    made: int
    announcements: bytes
    withdrawals: bytes
    routes: int
    withheld: tuple[str, ...]

    @property
    def size(self) -> int:
        """Octets that it keeps in memory."""
        return len(self.announcements) + len(self.withdrawals)

    def serves(self, floor: int) -> bool:
        """Whether a session with this floor may be sent this segment.

        It must not reach across the floor. And a session that is still below its floor will not be told of
        withdrawals up to there, so it must not be sent routes as they were before.
        """
        return floor <= self.start or self.end <= floor <= self.made

    def octets(self, floor: int) -> bytes:
        """Return what a session must be sent; withdrawals up to its floor mean nothing to it."""
        return self.announcements if self.end <= floor else self.withdrawals + self.announcements


@dataclass(frozen=True, slots=True)
class Backlog:
    """Changes that wait to be packed: entries in version order from `index` on, complete up to version `upto`."""

    entries: list[Entry]
    index: int
    upto: int


class Stream:
    """One family of a table, packed for one shape."""

    def __init__(self, table: FamilyTable, packer: Packer) -> None:
        self._table = table
        self._packer = packer
        self._segments: dict[int, Segment] = {}  # by start, oldest first
        self._cached = 0
        self._backlogs: dict[int, Backlog] = {}  # by the version that a session must be at to go on there

    @property
    def version(self) -> int:
        """The newest version of the table."""
        return self._table.version

    @property
    def purged(self) -> int:
        """The version up to which withdrawals were forgotten."""
        return self._table.purged

    def next(self, position: int, floor: int) -> Segment | None:
        """Return the segment that follows `position`; None where there is nothing newer.

        Segments do not reach across a session's floor, so that withdrawals on its two sides are told apart.
        """
        if position >= self._table.version:
            return None
        segment = self._segments.get(position)
        if segment is None or not segment.serves(floor):
            segment = self._make(position, floor)
            self._keep(segment)
        return segment

    def _make(self, position: int, floor: int) -> Segment:
        backlog = self._backlogs.pop(position, None)
        if backlog is None:
            backlog = Backlog(self._table.since(position), 0, self._table.version)
        entries, index, end, size = backlog.entries, backlog.index, position, 0
        announce: dict[bytes, list[bytes]] = {}
        withdraw: dict[bytes, list[bytes]] = {}
        for entry in entries[index : index + SEGMENT_ENTRIES]:
            version, attributes, item = entry
            if end < floor < version:
                end = floor
                break
            if len(announce) + len(withdraw) >= SEGMENT_SETS or size >= SEGMENT_OCTETS:
                break
            index += 1
            end = version
            if not self._table.current(entry):
                continue  # changed meanwhile: its new version comes later
            routes, octets = (withdraw, attributes[0]) if isinstance(attributes, Withdrawn) else (announce, attributes)
            same = routes.get(octets)
            if same is None:
                same = routes[octets] = []
                size += len(octets)
            same.append(item)
            size += len(item)
        if index == len(entries):
            end = floor if end < floor < backlog.upto else backlog.upto
        if end < backlog.upto:
            self._remember(end, Backlog(entries, index, backlog.upto))
        return self._pack(position, end, announce, withdraw)

    def _remember(self, position: int, backlog: Backlog) -> None:
        self._backlogs[position] = backlog
        if len(self._backlogs) > BACKLOGS:
            self._backlogs.pop(next(iter(self._backlogs)))

    def _pack(
        self, start: int, end: int, announce: dict[bytes, list[bytes]], withdraw: dict[bytes, list[bytes]]
    ) -> Segment:
        family, packer = self._table.family, self._packer
        announcements = self._superseded() + b"".join(packer.announce(family, announce))
        skipped = packer.skipped
        for each in skipped:
            # What this session cannot be sent must not stay there in its former form either.
            withdraw.setdefault(b"", []).extend(each.items)
        withdrawals = b"".join(packer.withdraw(family, withdraw))
        routes = sum(map(len, announce.values())) + sum(map(len, withdraw.values()))
        withheld = tuple(each.reason for each in skipped)
        return Segment(start, end, self._table.version, announcements, withdrawals, routes, withheld)

    def _superseded(self) -> bytes:
        """Return what precedes the first segment of a table that nobody was sent before."""
        table = self._table
        table.served = True
        if not table.superseded:
            return b""
        superseded, table.superseded = table.superseded, []
        return b"".join(
            octets
            for _, attributes, item in superseded
            if isinstance(attributes, bytes)
            for octets in self._packer.announce(table.family, {attributes: [item]})
        )

    def _keep(self, segment: Segment) -> None:
        self._forget(segment.start)
        self._segments[segment.start] = segment
        self._cached += segment.size
        while self._cached > CACHED_OCTETS and len(self._segments) > 1:
            self._forget(next(iter(self._segments)))

    def _forget(self, start: int) -> None:
        segment = self._segments.pop(start, None)
        if segment is not None:
            self._cached -= segment.size


class UpdateGroup:
    """The streams of one table for one shape."""

    def __init__(self, table: Table, shape: Shape) -> None:
        self.table = table
        self._packer = Packer(shape)
        self._streams: dict[Family, Stream] = {}

    def stream(self, family: Family) -> Stream:
        """Return the stream of a family."""
        stream = self._streams.get(family)
        if stream is None:
            stream = self._streams[family] = Stream(self.table.family(family), self._packer)
        return stream
