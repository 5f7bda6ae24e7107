"""The names of neighbors, which they keep as long as they are in force. Pure.

A neighbor is named by its address; others of the same address by that and a digest of what tells them apart. No name
depends on a place in the files, and nobody is renamed when another one comes or goes: a neighbor that is renamed
begins anew, without the routes that helpers announced to it. Nor is a name given on to another neighbor that shares
the address, at least not at once: it would have these routes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from apid.config.model import Neighbor
from bus.names import own_address

DIGITS = 8  # of the digest, and more only where another name is the same as far


def identity(neighbor: Neighbor) -> str:
    """Return the digest of what tells a neighbor from others when its peer connects."""
    address = (neighbor.peer_address, neighbor.peer_length, neighbor.local_address)
    families = neighbor.families if neighbor.capability.multi_session else ()
    session = (neighbor.local_as, neighbor.peer_as, neighbor.router_id, *families)
    parts = (*address, *((neighbor.listen,) if neighbor.listen else session))
    return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()


def named(neighbors: Iterable[Neighbor], in_force: Mapping[str, str]) -> tuple[Neighbor, ...]:
    """Give neighbors names of their own; `in_force` has the identities of those that are in force, by name."""
    held: dict[str, dict[str, str]] = {}
    for name, each in in_force.items():
        held.setdefault(own_address(name), {})[each] = name
    wanted = [(own_address(neighbor.name), identity(neighbor), neighbor) for neighbor in neighbors]
    sharing: dict[str, list[str]] = {}
    for address, each, _ in wanted:
        sharing.setdefault(address, []).append(each)
    names = {address: _names(address, group, held.get(address, {})) for address, group in sharing.items()}
    return tuple(_under(names[address][each], neighbor) for address, each, neighbor in wanted)


def _under(name: str, neighbor: Neighbor) -> Neighbor:
    return neighbor if neighbor.name == name else replace(neighbor, name=name)


def _names(address: str, wanted: list[str], held: Mapping[str, str]) -> dict[str, str]:
    """Return the names of those that have one address, by identity; `held` are the names in force there."""
    if len(wanted) == 1 and len(held) <= 1:  # alone before and now, it is the same one whatever has changed
        return {wanted[0]: next(iter(held.values()), address)}
    names = {each: held[each] for each in wanted if each in held}
    taken = {*held.values()}
    for each in wanted:
        if each not in names:
            longer = (f"{address}~{each[:digits]}" for digits in range(DIGITS, len(each) + 1))
            names[each] = next(name for name in longer if name not in taken)
            taken.add(names[each])
    return names
