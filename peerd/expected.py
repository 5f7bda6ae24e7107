"""Which neighbor a connection belongs to: what the listener goes by, and what a range may have."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from pathlib import Path

from bus.settings import PassiveNeighbor, read_listener


class Expected:
    """The neighbors that may connect, by address: a search through a thousand takes ten milliseconds."""

    def __init__(self, neighbors: Iterable[PassiveNeighbor]) -> None:
        self._single: dict[bytes, list[PassiveNeighbor]] = {}
        networks = [(ip_network(neighbor.peer_address), neighbor) for neighbor in neighbors]
        for network, neighbor in networks:
            if network.prefixlen == network.max_prefixlen:
                self._single.setdefault(network.network_address.packed, []).append(neighbor)
        ranges = [each for each in networks if each[0].prefixlen != each[0].max_prefixlen]
        self._ranges = sorted(ranges, key=lambda each: -each[0].prefixlen)

    def find(self, peer: str, local: str) -> PassiveNeighbor | None:
        """Return the neighbor of a connection: the exact address before the narrowest range."""
        address = ip_address(peer)
        found = [*self._single.get(address.packed, ()), *(each for network, each in self._ranges if address in network)]
        return next((neighbor for neighbor in found if neighbor.local_address in ("", local)), None)


class Owners:
    """Who has which address, by the settings file of the listener."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._expected = Expected([])

    def read(self) -> None:
        """Read the file; nobody has anything where nothing is listened on. OSError or SchemaError."""
        try:
            _, neighbors = read_listener(self._path)
        except FileNotFoundError:
            neighbors = []
        self._expected = Expected(neighbors)

    def other_than(self, name: str, peer: str, local: str) -> bool:
        """Whether a connection belongs to another neighbor than this one."""
        neighbor = self._expected.find(peer, local)
        return neighbor is not None and neighbor.name != name
