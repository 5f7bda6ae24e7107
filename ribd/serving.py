"""What a session is sent next: the changes after its cursors, of all its families, as one batch."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from msgspec import Struct, field

from bgp.family import Family
from bus.schema import WHERE, Batch, Pull
from ribd.group import Stream, UpdateGroup
from ribd.order import Piece, alone, in_order

ANSWER_OCTETS = 32 * 1024  # in one batch, roughly: packing more than a segment would keep all others waiting


class NotRemembered(ValueError):
    """A session stands where its changes are not known any more, or not yet."""


class Collected(Struct):
    """What a batch is made of: the first segments of all families, the second ones, and so on."""

    credit: int
    turns: list[list[tuple[Piece, ...]]] = field(default_factory=list)
    routes: int = 0
    withheld: dict[str, None] = field(default_factory=dict)

    def take(self, stream: Stream, position: int, floor: int, resent: bool) -> int:
        """Take what follows `position`, as long as there is credit; return where that ends."""
        for turn in count():
            segment = stream.next(position, floor) if self.credit > 0 else None
            if segment is None:
                break
            if turn == len(self.turns):
                self.turns.append([])
            self.turns[turn].append(alone(segment.pieces) if resent else segment.pieces)
            self.credit -= segment.size
            self.routes += segment.routes
            self.withheld.update(dict.fromkeys(segment.withheld))
            position = segment.end
        return position

    def octets(self, again: bool) -> Iterable[bytes]:
        """Return the messages in order; of what is sent `again`, family by family."""
        return (part for pieces in self.turns for part in in_order(pieces, again))


def next_batch(pull: Pull, group: UpdateGroup, lineage: str, comes_back: bool) -> Batch | None:
    """Return the answer to a Pull; None where there is nothing to say yet. Raises `NotRemembered`.

    comes_back: the neighbor has had a session before; what this one begins with is a repetition.
    """
    collected = Collected(min(pull.credit, ANSWER_OCTETS))
    cursors, moved, again = [], False, False
    for afi, safi, position, floor in pull.cursors:
        family = Family(afi, safi)
        stream = group.stream(family)
        asks = floor == WHERE
        if asks:
            floor = position
        resent = position == 0 and floor > 0
        begins = floor < 0
        if begins:
            floor = stream.version
        elif position > stream.version or max(position, floor) < stream.purged:
            raise NotRemembered(f"version {position} of {family} is not remembered")
        end = collected.take(stream, position, floor, resent)
        cursors.append([afi, safi, end, stream.version if asks else floor])
        moved |= asks or begins or end != position
        again |= resent or (begins and comes_back)
    if not moved:
        return None
    octets = b"".join(collected.octets(again))
    withheld = list(collected.withheld)
    return Batch(pull.neighbor, pull.request, lineage, cursors, octets, collected.routes, withheld)
