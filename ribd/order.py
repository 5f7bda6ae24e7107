"""The order in which changes that wait together are sent: ExaBGP's, for peers that compare octets.

Routes with the same attributes stand together, in the place of the first of them; within these, the routes of a family
do likewise, and within a family each has its turn. Routes that share a message come before the others of their kind,
withdrawals first. A session that comes back is sent one family after the other; a family that is sent again on request
is sent route by route.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bgp.attribute.next_hop import NextHop
from bgp.attribute.walk import walk
from bgp.errors import BGPError
from bgp.family import FLOW_SAFIS, SAFI, Family

# Families in which ExaBGP does not count the next hop among the attributes: routes that differ in it are kin.
_NEXT_HOP_APART = (*FLOW_SAFIS, SAFI.VPLS)


class Piece(NamedTuple):
    """Whole messages of a family that stand together.

    kin: the attributes that it shares with other pieces, or a number that nothing else has. version: of the first
    change in it. place: among the family's pieces of this kin.
    """

    kin: bytes | int
    version: int
    place: int
    withdrawal: bool
    octets: bytes


def kin(family: Family, attributes: bytes) -> bytes:
    """Return the attributes by which ExaBGP tells whether routes belong together."""
    if family.safi not in _NEXT_HOP_APART:
        return attributes
    try:
        return b"".join(attributes[start:stop] for _, code, start, _, stop in walk(attributes) if code != NextHop.CODE)
    except BGPError:
        return attributes


def alone(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Return pieces that have no kin."""
    return tuple(piece._replace(kin=piece.version) for piece in pieces)


def in_order(families: Sequence[Sequence[Piece]], again: bool = False) -> list[bytes]:
    """Return the octets of the pieces of several families, in order; of what is sent `again`, family by family."""
    if len(families) == 1 and len(families[0]) == 1:
        return [families[0][0].octets]
    first: dict[bytes | int, tuple[int, int]] = {}
    first_of: dict[tuple[int, bytes | int], tuple[int, int]] = {}
    for number, pieces in enumerate(families):
        for piece in pieces:
            when = (number if again else 0, piece.version)
            first[piece.kin] = min(when, first.get(piece.kin, when))
            own = (number, piece.kin)
            first_of[own] = min(when, first_of.get(own, when))
    placed = [
        (first[piece.kin], first_of[number, piece.kin], piece.place, not piece.withdrawal, piece.octets)
        for number, pieces in enumerate(families)
        for piece in pieces
    ]
    return [octets for *_, octets in sorted(placed)]
