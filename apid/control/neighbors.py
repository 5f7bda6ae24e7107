"""The neighbors that commands are about, and which of them a helper may command: read from the settings files."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from apid.compile import helper_program
from apid.grammar.selector import NeighborIdentity, Selector
from bgp.family import AFI, Family
from bgp.route import next_hop_is_self
from bgp.settings import SessionSettings
from bgp.settings_wire import settings_from_wire
from bgp.wire import address_text
from bus.daemon import RunDirectory
from bus.settings import ApiBinding, SessionConfiguration, read_helper, read_peerd


@dataclass(frozen=True, slots=True)
class Known:
    """One neighbor: its settings, the peerd that has it, and what selectors compare."""

    configuration: SessionConfiguration
    settings: SessionSettings
    program: str
    identity: NeighborIdentity

    @property
    def name(self) -> str:
        """The neighbor's name on the bus."""
        return self.configuration.name

    @property
    def address(self) -> str:
        """What `show` calls it."""
        return self.configuration.peer_address

    @property
    def local_address(self) -> bytes:
        """Our address as octets; empty where the kernel chooses it."""
        text = self.configuration.local_address
        return ip_address(text).packed if text else b""

    def can_be_next_hop(self, family: Family) -> bool:
        """Whether our address may be the next hop of a route; an address not known yet is left to the session.

        An IPv6 address may be one for IPv4 routes (RFC 8950), which the session knows and we do not.
        """
        return family.afi != AFI.IPV6 or len(self.local_address) != 4


class Directory:
    """All neighbors in the order of the configuration, and the helpers."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self.neighbors: dict[str, Known] = {}
        self.programs: list[str] = []

    def read(self, names: list[str], programs: list[str]) -> None:
        """Read the settings of these neighbors and programs; OSError, SchemaError or ValueError."""
        found: dict[str, Known] = {}
        for program in programs:
            if program.startswith("peerd-"):
                for configuration in read_peerd(self._run.settings / program):
                    found[configuration.name] = _known(configuration, program)
        self.neighbors = {name: found[name] for name in names if name in found}
        self.programs = programs

    @property
    def peerds(self) -> list[str]:
        """The programs that have sessions."""
        return [name for name in self.programs if name.startswith("peerd-")]

    @property
    def helpers(self) -> list[str]:
        """The programs that have helpers."""
        return [name for name in self.programs if name.startswith("helper-")]

    def allowed(self, client: str) -> list[Known] | None:
        """Return the neighbors that a client may command, all for an empty name; None where it is not known."""
        if not client:
            return list(self.neighbors.values())
        if helper_program(client) not in self.programs:
            return None
        _, bindings = read_helper(self._run.settings / helper_program(client))
        names = {binding.neighbor for binding in bindings}
        return [known for name, known in self.neighbors.items() if name in names]

    def bindings(self) -> dict[str, list[tuple[str, ApiBinding]]]:
        """Return for each neighbor its helpers' names and what they are told."""
        found: dict[str, list[tuple[str, ApiBinding]]] = {}
        for program in self.helpers:
            helper, bindings = read_helper(self._run.settings / program)
            for binding in bindings:
                found.setdefault(binding.neighbor, []).append((helper.name, binding))
        return found


def _known(configuration: SessionConfiguration, program: str) -> Known:
    settings = settings_from_wire(configuration.protocol)
    identity = NeighborIdentity(
        peer_address=configuration.peer_address,
        local_ip=configuration.local_address,
        local_as=settings.local_as,
        peer_as=settings.peer_as,
        router_id=address_text(settings.router_id),
        name=configuration.name,
    )
    return Known(configuration, settings, program, identity)


def select(neighbors: list[Known], selector: Selector) -> list[Known]:
    """Return those that a selector names."""
    return [known for known in neighbors if selector.matches(known.identity)]


def none_matches(neighbors: list[Known]) -> str:
    """Say that a selector named nobody."""
    return f"no neighbor matches the selector: there is {', '.join(known.name for known in neighbors[:20]) or 'none'}"


def next_hop_error(neighbors: list[Known], family: Family, attributes: bytes) -> str:
    """Say why these neighbors cannot be sent a route with `next-hop self`; empty where they can."""
    if not next_hop_is_self(attributes):
        return ""
    for known in neighbors:
        if not known.can_be_next_hop(family):
            return (
                f"next-hop self cannot be used: the route is {family.afi_name}, the local address of neighbor "
                f"{known.name} is {known.configuration.local_address}"
            )
    return ""
