"""Which neighbors a helper's command is for."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from apid.grammar.selector import NeighborIdentity, Selector, find_selected, read_selector
from apid.grammar.tokens import command_tokens
from apid.grammar.words import GrammarError, Words
from apid.memory import Memory
from bgp.family import AFI
from bgp.route import next_hop_is_self
from bus.names import neighbor_of, session_name
from bus.settings import ApiBinding

Asked = tuple[str | Selector, int, bool]  # a selector or its text, AFI, and whether the next hop is the session's own
Found = tuple[tuple[str, ...], str]  # neighbor names, or an error
REMEMBERED = 4 * 1024 * 1024  # octets of selectors: a range has more addresses, each with a selector of its own
TERMS_OCTETS = 256  # of the terms of one selector beside their text


class Targets:
    """Selectors matched against the helper's own neighbors, remembered by their text."""

    def __init__(self) -> None:
        self._neighbors: list[tuple[NeighborIdentity, ApiBinding]] = []
        self._known = Memory[Asked, Found](REMEMBERED)
        self._limited: frozenset[str] = frozenset()

    def configure(self, bindings: list[ApiBinding]) -> None:
        """Take the helper's neighbors."""
        self._neighbors = [(identity_of(binding), binding) for binding in bindings]
        self._known = Memory(REMEMBERED)
        self._limited = frozenset(binding.neighbor for binding in bindings if binding.flow_limit is not None)

    @property
    def names(self) -> list[str]:
        """All neighbors of the helper."""
        return [binding.neighbor for _, binding in self._neighbors]

    @property
    def any_limited(self) -> bool:
        """Whether any neighbor has a limit of FlowSpec rules."""
        return bool(self._limited)

    def limited(self, names: tuple[str, ...]) -> bool:
        """Whether any of these neighbors has a limit of FlowSpec rules."""
        return not self._limited.isdisjoint(map(neighbor_of, names))

    def find_text(self, text: str, family: Sequence[int], attributes: bytes) -> Found:
        """Return the neighbors that a selector's text names, empty for all, or why none can be sent the route."""
        asked = text, family[0], next_hop_is_self(attributes)
        found = self._known.known.get(asked)
        if found is None:
            try:
                words = Words(command_tokens(text))
                selector = read_selector(words)
                words.finish()
            except GrammarError as error:
                return (), str(error)
            found = self._remember(asked, selector, len(text))
        return found

    def find(self, selector: Selector, family: Sequence[int], attributes: bytes) -> Found:
        """Return the neighbors that a selector names, or why none can be sent the route."""
        asked = selector, family[0], next_hop_is_self(attributes)
        return self._known.known.get(asked) or self._remember(asked, selector, 0)

    def _remember(self, asked: Asked, selector: Selector, length: int) -> Found:
        """Find what a selector names, whose text has this length."""
        for terms in selector.alternatives:
            length += TERMS_OCTETS + len(terms.peer) + len(terms.family_allowed or "")
        return self._known.keep(asked, self._find(selector, *asked[1:]), length)

    def _find(self, selector: Selector, afi: int, own: bool) -> Found:
        found = find_selected(selector, [identity for identity, _ in self._neighbors])
        matching = [self._neighbors[place][1] for place, _ in found]
        if not matching:
            known = ", ".join(binding.neighbor for _, binding in self._neighbors) or "none"
            return (), f"no neighbor of this helper matches the selector (it has: {known})"
        if own and afi in (AFI.IPV4, AFI.IPV6):
            wrong = [binding for binding in matching if not _can_be_self(binding, afi)]
            if wrong:
                version = "ipv4" if afi == AFI.IPV4 else "ipv6"
                return (), (
                    f"next-hop self cannot be used: the route is {version}, "
                    f"the local address of neighbor {wrong[0].neighbor} is {wrong[0].local_address}"
                )
        names = (
            session_name(binding.neighbor, address) if address else binding.neighbor
            for binding, (_, address) in zip(matching, found, strict=True)
        )
        return tuple(names), ""


def _can_be_self(binding: ApiBinding, afi: int) -> bool:
    """Whether the session's own address can be a next hop of this family; unknown ones are left to the session.

    An IPv6 address may be one for IPv4 routes (RFC 8950), which the session knows and we do not.
    """
    if not binding.local_address or afi == AFI.IPV4:
        return True
    return ip_address(binding.local_address).version == 6


def identity_of(binding: ApiBinding) -> NeighborIdentity:
    """Return what selectors compare of a neighbor."""
    return NeighborIdentity(
        peer_address=binding.peer_address,
        local_ip=binding.local_address,
        local_as=binding.local_as or None,
        peer_as=binding.peer_as or None,
        router_id=binding.router_id,
        name=binding.neighbor,
    )
