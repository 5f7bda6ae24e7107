"""Update groups: a table seen through a shape, packed once for every session that shares both.

A `Stream` holds the packed UPDATEs of one family as segments: the changes from one version to another. A session
at version v takes the segment that starts at v, or has it made. Equal sessions thus cost one packing, and the
cache is only a cache: whatever was dropped is packed again from the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from bgp.family import Family
from bgp.nlri.registry import PATH_ID_OCTETS
from bgp.pack import BARE_SAFIS, Packer, Skipped
from bgp.shape import Shape
from ribd.order import Piece, kin
from ribd.table import Entry, FamilyTable, Table, Withdrawn

SEGMENT_ENTRIES = 4096  # entries in a segment at most: packing one takes some 5 ms, in which all others wait
SEGMENT_SETS = 1024  # attribute sets in a segment: bounds the time that packing one takes (about 10 ms)
SEGMENT_OCTETS = 1024 * 1024  # of a segment, roughly, attributes repeated as messages do: a batch must fit the bus
CACHED_OCTETS = 16 * 1024 * 1024  # of memory that segments take, for each stream
SEGMENT_MEMORY, PIECE_MEMORY = 350, 150  # octets of a segment and of a piece, besides those of the messages
ORDERED_ENTRIES = 256  # entries in a segment up to which its order is ExaBGP's; a bulk is packed family by family
BACKLOGS = 4  # snapshots of changes kept for each stream; a session without one costs a walk back


class Segment(Struct, frozen=True):
    """The octets that take a session from version `start` to version `end`, as the table was at version `made`.

    below: it was made for a session below its floor, to which withdrawals up to there mean nothing: it has none.
    """

    start: int
    end: int
    made: int
    below: bool
    pieces: tuple[Piece, ...]
    routes: int
    withheld: tuple[str, ...]

    @property
    def size(self) -> int:
        """Octets of its messages."""
        return sum(len(piece.octets) for piece in self.pieces)

    @property
    def memory(self) -> int:
        """Octets that it takes in memory, roughly."""
        return self.size + SEGMENT_MEMORY + PIECE_MEMORY * len(self.pieces)

    def serves(self, floor: int) -> bool:
        """Whether a session with this floor may be sent this segment.

        It must not reach across the floor. And a session that is still below its floor will not be told of
        withdrawals up to there, so it must not be sent routes as they were before.
        """
        return self.end <= floor <= self.made if self.below else floor <= self.start


class Backlog(Struct, frozen=True):
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
        entries, index, end, sets, size = backlog.entries, backlog.index, position, 0, 0
        below, current = position < floor, self._table.current
        announce: dict[bytes, list[Entry]] = {}
        withdraw: dict[bytes, list[Entry]] = {}
        repeated: dict[bytes, int] = {}  # octets that each route of a set brings besides
        for entry in entries[index : index + SEGMENT_ENTRIES]:
            version, attributes, item = entry
            if below and version > floor:
                end = floor
                break
            if sets >= SEGMENT_SETS or size >= SEGMENT_OCTETS:
                break
            index += 1
            end = version
            if not current(entry):
                continue  # changed meanwhile: its new version comes later
            if isinstance(attributes, bytes):
                routes, octets = announce, attributes
            elif below:
                continue
            else:
                routes, octets = withdraw, attributes[0]
            same = routes.get(octets)
            if same is None:
                same = routes[octets] = []
                sets += 1
                size += len(octets)
                if more := self._packer.repeats(self._table.family, octets, item):
                    repeated[octets] = more
            same.append(entry)
            size += len(item)
            if repeated:
                size += repeated.get(octets, 0)
        if withdraw and self._table.family not in self._packer.shape.add_path:
            self._fall_back(announce, withdraw)
        if index == len(entries):
            end = min(floor, backlog.upto) if below else backlog.upto
        if end < backlog.upto:
            self._remember(end, Backlog(entries, index, backlog.upto))
        return self._pack(position, end, below, announce, withdraw)

    def _fall_back(self, announce: dict[bytes, list[Entry]], withdraw: dict[bytes, list[Entry]]) -> None:
        """Announce another path in place of a withdrawal: to a peer without ADD-PATH they are one route."""
        table = self._table
        others = table.other_paths(entry for entries in withdraw.values() for entry in entries)
        if not others:
            return
        for octets, entries in list(withdraw.items()):
            withdraw[octets] = [entry for entry in entries if table.key(entry[2])[PATH_ID_OCTETS:] not in others]
            if not withdraw[octets]:
                del withdraw[octets]
        known = {entry[0] for entries in announce.values() for entry in entries}
        for entry in others.values():
            version, attributes, _ = entry
            if isinstance(attributes, bytes) and version not in known:
                announce.setdefault(attributes, []).append(entry)

    def _remember(self, position: int, backlog: Backlog) -> None:
        self._backlogs[position] = backlog
        if len(self._backlogs) > BACKLOGS:
            self._backlogs.pop(next(iter(self._backlogs)))

    def _pack(
        self,
        start: int,
        end: int,
        below: bool,
        announce: dict[bytes, list[Entry]],
        withdraw: dict[bytes, list[Entry]],
    ) -> Segment:
        routes = sum(map(len, announce.values())) + sum(map(len, withdraw.values()))
        pack = self._pack_in_order if routes <= ORDERED_ENTRIES else self._pack_bulk
        pieces, skipped = pack(end, announce, withdraw)
        if skipped and not below:
            pieces.append(self._in_place_of(skipped, end))
        withheld = tuple(each.reason for each in skipped)
        return Segment(start, end, self._table.version, below, (*self._superseded(), *pieces), routes, withheld)

    def _pack_in_order(
        self, end: int, announce: dict[bytes, list[Entry]], withdraw: dict[bytes, list[Entry]]
    ) -> tuple[list[Piece], list[Skipped]]:
        """Return pieces that may stand among those of other families."""
        packer, pieces, skipped = self._packer, [], []
        for octets, entries in announce.items():
            for place, joined in self._joined(entries):
                messages = b"".join(packer.announce(self._table.family, {octets: [entry[2] for entry in joined]}))
                pieces.append(Piece(kin(self._table.family, octets), joined[0][0], place, False, messages))
                skipped += packer.skipped
        for octets, entries in withdraw.items():
            for place, joined in self._joined(entries):
                messages = b"".join(packer.withdraw(self._table.family, {octets: [entry[2] for entry in joined]}))
                pieces.append(Piece(kin(self._table.family, octets), joined[0][0], place, True, messages))
        return pieces, skipped

    def _joined(self, entries: list[Entry]) -> Iterator[tuple[int, list[Entry]]]:
        """Return entries of one attribute set as messages have them, each with its place."""
        if self._packer.separates(self._table.family, len(entries)):
            return ((entry[0], [entry]) for entry in entries)
        return iter([(0, entries)])

    def _pack_bulk(
        self, end: int, announce: dict[bytes, list[Entry]], withdraw: dict[bytes, list[Entry]]
    ) -> tuple[list[Piece], list[Skipped]]:
        """Return one piece that withdraws and one that announces."""
        family, packer = self._table.family, self._packer
        announcements = b"".join(packer.announce(family, _items(announce)))
        skipped = packer.skipped
        gone = _items(withdraw)
        if family.safi in BARE_SAFIS:
            gone = {b"": [item for items in gone.values() for item in items]}
        withdrawals = b"".join(packer.withdraw(family, gone))
        return [Piece(end, end, 0, True, withdrawals), Piece(end, end, 0, False, announcements)], skipped

    def _in_place_of(self, skipped: list[Skipped], end: int) -> Piece:
        """Withdraw what this session cannot be sent: it must not stay there in its former form either."""
        items = [item for each in skipped for item in each.items]
        return Piece(end, end, 0, True, b"".join(self._packer.withdraw(self._table.family, {b"": items})))

    def _superseded(self) -> list[Piece]:
        """Return what precedes the first segment of a table that nobody was sent before."""
        table = self._table
        table.served = True
        if not table.superseded:
            return []
        superseded, table.superseded = table.superseded, []
        messages: list[bytes] = []
        size = 0
        for _, attributes, item in superseded:
            # Nobody needs them: they must not be many, nor stay where their last form is gone or cannot be sent.
            if isinstance(attributes, bytes) and size < SEGMENT_OCTETS and self._follows(item):
                messages += self._packer.announce(table.family, {attributes: [item]})
                size += len(attributes) + len(item)
        octets = b"".join(messages)
        return [Piece(0, 0, 0, False, octets)] if octets else []

    def _follows(self, item: bytes) -> bool:
        """Whether the present form of a route will be sent, too."""
        entry = self._table.entries.get(self._table.key(item))
        if entry is None or isinstance(entry[1], Withdrawn):
            return False
        return self._packer.unsendable(self._table.family, entry[1]) is None

    def forget(self, passed: int) -> None:
        """Drop what every session has been sent: it would only be needed for one that starts anew."""
        for start in [start for start, segment in self._segments.items() if segment.end <= passed]:
            self._forget(start)

    def _keep(self, segment: Segment) -> None:
        self._forget(segment.start)
        self._segments[segment.start] = segment
        self._cached += segment.memory
        while self._cached > CACHED_OCTETS and len(self._segments) > 1:
            self._forget(next(iter(self._segments)))

    def _forget(self, start: int) -> None:
        segment = self._segments.pop(start, None)
        if segment is not None:
            self._cached -= segment.memory


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

    def forget(self, passed: Callable[[Family], int]) -> None:
        """Drop segments up to the version that every session has passed, by family."""
        for family, stream in self._streams.items():
            stream.forget(passed(family))


def _items(routes: dict[bytes, list[Entry]]) -> dict[bytes, list[bytes]]:
    return {octets: [entry[2] for entry in entries] for octets, entries in routes.items()}
