"""The neighbors that commands are about, and which of them a helper may command: read from the settings files."""

from __future__ import annotations

from ipaddress import ip_address

from msgspec import Struct
from msgspec.structs import replace

from apid.grammar.selector import NeighborIdentity, Selector, find_selected
from bgp.family import AFI, Family
from bgp.route import next_hop_is_self
from bgp.settings import SessionSettings
from bgp.settings_wire import settings_from_wire
from bgp.wire import address_text
from bus.daemon import RunDirectory
from bus.names import session_name
from bus.settings import ApiBinding, SessionConfiguration, read_helper, read_peerd


class Known(Struct, frozen=True):
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
    def is_range(self) -> bool:
        """Whether it is a range of addresses, each of which has a session of its own."""
        return self.configuration.is_range

    def at(self, address: str) -> Known:
        """Return a range's session with one address."""
        name = session_name(self.name, address)
        return replace(
            self,
            configuration=replace(self.configuration, name=name, peer_address=address),
            identity=replace(self.identity, name=name, peer_address=address),
        )

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
        self._helpers: dict[str, list[ApiBinding]] = {}

    def read(self, names: list[str], programs: list[str]) -> None:
        """Read the settings of these neighbors and programs; SchemaError or ValueError.

        A file that is missing belongs to a configuration that was never put in force: its neighbors are unknown.
        """
        found: dict[str, Known] = {}
        helpers: dict[str, list[ApiBinding]] = {}
        for program in programs:
            path = self._run.settings / program
            if not path.exists():
                continue
            if program.startswith("peerd-"):
                found |= {session.name: known_of(session, program) for session in read_peerd(path)}
            elif program.startswith("helper-"):
                helper, helpers_bindings = read_helper(path)
                helpers[helper.name] = helpers_bindings
        self.neighbors = {name: found[name] for name in names if name in found}
        self.programs, self._helpers = programs, helpers

    @property
    def peerds(self) -> list[str]:
        """The programs that have sessions."""
        return [name for name in self.programs if name.startswith("peerd-")]

    @property
    def helpers(self) -> list[str]:
        """The programs that have helpers."""
        return [name for name in self.programs if name.startswith("helper-")]

    @property
    def helper_names(self) -> list[str]:
        """The helpers by the names that the configuration gives them."""
        return list(self._helpers)

    def allowed(self, client: str) -> list[Known] | None:
        """Return the neighbors that a client may command, all for an empty name; None where it is not known."""
        if not client:
            return list(self.neighbors.values())
        bindings = self._helpers.get(client)
        if bindings is None:
            return None
        names = {binding.neighbor for binding in bindings}
        return [known for name, known in self.neighbors.items() if name in names]

    @property
    def bindings(self) -> dict[str, list[tuple[str, ApiBinding]]]:
        """For each neighbor its helpers' names and what they are told."""
        found: dict[str, list[tuple[str, ApiBinding]]] = {}
        for helper, bindings in self._helpers.items():
            for binding in bindings:
                found.setdefault(binding.neighbor, []).append((helper, binding))
        return found


def known_of(configuration: SessionConfiguration, program: str) -> Known:
    """Put together what is known of a neighbor; ValueError where its protocol settings cannot be read."""
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
    """Return those that a selector names, single addresses of ranges among them."""
    found = find_selected(selector, [known.identity for known in neighbors])
    return [neighbors[place].at(address) if address else neighbors[place] for place, address in found]


def select_configured(neighbors: list[Known], selector: Selector) -> list[Known]:
    """Return those that a selector names: neighbors as they are configured or created, ranges as a whole."""
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
