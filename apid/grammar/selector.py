"""Selectors: which neighbors a command is for.

    neighbor IP|* [local-ip IP] [local-as N] [peer-as N] [router-id IP] [family-allowed F] [, neighbor …]
    peer IP|* [KEY VALUE…]     peer [ IP KEY VALUE…, IP … ]

The terms of one selector must all hold; of several selectors, one is enough. An address within a neighbor that is a
range means the session with that address.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from msgspec import Struct
from msgspec.structs import replace

from apid.grammar.command_names import SELECTORS, TERM_NAMES
from apid.grammar.values import address_value, asn_value, ipv4_value, read
from apid.grammar.words import GrammarError, Words
from bgp.wire import address_text

ANY = "*"

IPAddress = IPv4Address | IPv6Address


class NeighborIdentity(Struct, frozen=True):
    """What selectors compare. Addresses are in canonical text (RFC 5952), AS numbers are plain.

    `peer_address` may be a range such as `10.0.0.0/24` (passive neighbors); `name` is another word that stands
    for the neighbor. `family_allowed` is `in-open`, or families such as `ipv4-unicast/ipv6-unicast`.
    """

    peer_address: str
    local_ip: str = ""
    local_as: int | None = None
    peer_as: int | None = None
    router_id: str = ""
    family_allowed: str = "in-open"
    name: str = ""

    def __str__(self) -> str:
        """The neighbor's full name, as `show … extensive` prints it."""
        return (
            f"neighbor {self.peer_address} local-ip {self.local_ip} local-as {self.local_as} "
            f"peer-as {self.peer_as} router-id {self.router_id} family-allowed {self.family_allowed}"
        )


class Terms(Struct, frozen=True):
    """One selector: a peer (`*` for any) and what else must hold; None is not asked for."""

    peer: str = ANY
    local_ip: str | None = None
    local_as: int | None = None
    peer_as: int | None = None
    router_id: str | None = None
    family_allowed: str | None = None

    def matches(self, identity: NeighborIdentity) -> bool:
        """Tell whether every term holds."""
        return (
            (self.peer == ANY or self.peer in (identity.peer_address, identity.name))
            and self.local_ip in (None, identity.local_ip)
            and self.local_as in (None, identity.local_as)
            and self.peer_as in (None, identity.peer_as)
            and self.router_id in (None, identity.router_id)
            and self.family_allowed in (None, identity.family_allowed)
        )


class Selector(Struct, frozen=True):
    """Selectors of which one must match; without any, every neighbor that the helper may command."""

    alternatives: tuple[Terms, ...] = ()

    def matches(self, identity: NeighborIdentity) -> bool:
        """Tell whether the command is for this neighbor."""
        return not self.alternatives or any(terms.matches(identity) for terms in self.alternatives)


EVERYONE = Selector()


def find_selected(selector: Selector, identities: Sequence[NeighborIdentity]) -> list[tuple[int, str]]:
    """Return whom a command is for: places in `identities`, each with the address where one of a range is meant.

    An address that is no neighbor's own is one of the narrowest range that holds it.
    """
    found = [(place, "") for place, identity in enumerate(identities) if selector.matches(identity)]
    own = {identity.peer_address for identity in identities}
    for terms in selector.alternatives:
        if terms.peer not in own and (address := _address(terms.peer)) is not None:
            found += [(place, terms.peer) for place in _narrowest(terms, address, identities)]
    return list(dict.fromkeys(found))


def _narrowest(terms: Terms, address: IPAddress, identities: Sequence[NeighborIdentity]) -> list[int]:
    """Return the places of the ranges that hold an address and that the other terms match, of the greatest length."""
    lengths: dict[int, list[int]] = {}
    for place, identity in enumerate(identities):
        if "/" in identity.peer_address and replace(terms, peer=ANY).matches(identity):
            network = ip_network(identity.peer_address)
            if address in network:
                lengths.setdefault(network.prefixlen, []).append(place)
    return lengths[max(lengths)] if lengths else []


def _address(text: str) -> IPAddress | None:
    """Return an address; None for a range, a name and `*`."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def peer_value(text: str) -> str:
    """Bring a peer's address to canonical text; ranges, names and `*` stay as they are."""
    try:
        return address_text(address_value(text))
    except ValueError:
        return text


def _address_term(text: str) -> str:
    return address_text(address_value(text))


def _router_id_term(text: str) -> str:
    return address_text(ipv4_value(text))


_CONVERT: tuple[Callable[[str], str | int], ...] = (_address_term, asn_value, asn_value, _router_id_term, str)
TERMS = {name: (name.replace("-", "_"), convert) for name, convert in zip(TERM_NAMES, _CONVERT, strict=True)}


def read_selector(words: Words) -> Selector:
    """Read the selectors at the beginning of a command, as many as there are."""
    alternatives: list[Terms] = []
    while words.peek() in SELECTORS:
        alternatives += read_peers(words) if words.next("selector") == "peer" else [_read_terms(words)]
        if not words.accept(","):
            break
        if words.peek() not in SELECTORS:
            raise GrammarError(f"'neighbor' expected after ',', not '{words.peek()}'", words.last())
    return Selector(tuple(alternatives))


def read_peers(words: Words) -> list[Terms]:
    """Read what follows the word `peer`: `PEER [KEY VALUE…]`, or several in brackets."""
    if not words.accept("["):
        return [_read_terms(words)]
    found = [_read_terms(words)]  # one at least: none would mean everyone
    while not words.accept("]"):
        words.accept(",")
        found.append(_read_terms(words))
    return found


def _read_terms(words: Words) -> Terms:
    """Read `PEER [KEY VALUE…]`."""
    token = words.token("IP address or *")
    if token.text in TERMS or token.text in ",[](){};":
        raise GrammarError(f"IP address or * expected, not '{token.text}'", token)
    found: dict[str, str | int] = {"peer": peer_value(token.text)}
    while words.peek() in TERMS:
        keyword = words.next("term")
        name, convert = TERMS[keyword]
        found[name] = read(words, f"value of {keyword}", convert)
    return Terms(**found)  # type: ignore[arg-type]
