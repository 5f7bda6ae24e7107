"""The two layouts of `announce` and `withdraw` in an UPDATE's JSON.

By next hop, as ExaBGP prints it:  {family: {next hop: [{"nlri": …}, …]}}, and {family: [{"nlri": …}, …]}.
By prefix, as mission/ has it:     {family: {prefix: [{"next-hop": …}, …]}}, and {family: {prefix: {}}}.

By prefix, a list has one object for each path; the key of a route that is no prefix is its text; a withdrawal
that says more than its key (path identifier, labels, route distinguisher) has that in its object, and several
of them under one key are a list of objects.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

from apid.render.dialect import Dialect
from apid.render.nlri import nlri_members, nlri_text, route_prefix
from apid.render.routes import NO_NEXT_HOP, next_hops, read_route
from apid.render.values import path_id_text, quote
from bgp.family import BGP_LS, BGP_LS_VPN, Family
from bgp.nlri import NLRI, Flow, Prefix
from bgp.update import Reach, Unreach

Families = frozenset[Family]


def braced(members: Iterable[str]) -> str:
    """Render members as an object."""
    return f"{{ {', '.join(members)} }}"


def bracketed(values: Iterable[str]) -> str:
    """Render values as a list."""
    return f"[ {', '.join(values)} ]"


def keyed(values: Mapping[str, str]) -> str:
    """Render an object from names, which may be a peer's, and JSON values."""
    return braced(f"{quote(name)}: {value}" for name, value in values.items())


class Layout(ABC):
    """One layout of routes; `compact` writes a bare prefix as a string where the layout has a list."""

    __slots__ = ("_compact", "_dialect")

    def __init__(self, dialect: Dialect, compact: bool) -> None:
        self._dialect = dialect
        self._compact = compact

    @abstractmethod
    def announce(self, reaches: Iterable[Reach], add_path: Families) -> str:
        """Render the value of `announce`."""

    @abstractmethod
    def withdraw(self, unreaches: Iterable[Unreach], add_path: Families) -> str:
        """Render the value of `withdraw`."""

    @abstractmethod
    def ipv4_head(self, next_hop: str) -> str:
        """Render what stands before the routes, where all are IPv4 unicast and have one next hop."""

    @abstractmethod
    def ipv4_routes(self, prefixes: list[str], next_hop: str) -> str:
        """Render those routes, up to the end of the family's object; they have no path identifiers."""

    @abstractmethod
    def ipv4_withdrawn(self, prefixes: list[str]) -> str:
        """Render the value of `withdraw` where all are IPv4 unicast; they have no path identifiers."""

    def _members(self, route: NLRI, next_hop: str, add_path: bool) -> list[str]:
        """Return what a route says beside its prefix."""
        members = [f'"path-information": "{path_id_text(route.path_id)}"'] if add_path else []
        own = nlri_members(route, next_hop, self._dialect)
        return [*members, own] if own else members


def family_key(family: Family) -> str:
    """Return the name of a family as ExaBGP has it as a key: it has one for both of BGP-LS."""
    return str(BGP_LS) if family == BGP_LS_VPN else str(family)


class ByNextHop(Layout):
    """ExaBGP's layout."""

    __slots__ = ()

    def announce(self, reaches: Iterable[Reach], add_path: Families) -> str:
        """Render family → next hop → list of routes."""
        families: dict[Family, dict[str, list[str]]] = {}
        for family, octets, items in reaches:
            hops = families.setdefault(family, {})
            routes = [read_route(family, item) for item in items]
            for hop in next_hops(octets) or [""]:
                listed = hops.setdefault(hop or NO_NEXT_HOP, [])
                listed.extend(self._route(route, hop, family in add_path) for route in routes)
        return keyed(
            {
                family_key(family): keyed({hop: bracketed(listed) for hop, listed in hops.items()})
                for family, hops in families.items()
            }
        )

    def withdraw(self, unreaches: Iterable[Unreach], add_path: Families) -> str:
        """Render family → list of routes."""
        families: dict[Family, list[str]] = {}
        for family, items in unreaches:
            listed = families.setdefault(family, [])
            listed.extend(self._route(read_route(family, item), "", family in add_path) for item in items)
        return keyed({family_key(family): bracketed(listed) for family, listed in families.items()})

    def route(self, family: Family, item: bytes, next_hop: str, add_path: Families) -> str:
        """Render one route as it stands in a list."""
        return self._route(read_route(family, item), next_hop, family in add_path)

    def _route(self, route: NLRI, next_hop: str, add_path: bool) -> str:
        prefix = route_prefix(route)
        if prefix is None:
            return braced(self._members(route, next_hop, add_path))
        if self._compact and isinstance(route, Prefix) and not add_path:
            return f'"{prefix}"'
        return braced([f'"nlri": "{prefix}"', *self._members(route, next_hop, add_path)])

    def ipv4_head(self, next_hop: str) -> str:
        """Render up to the first prefix."""
        opening = '"' if self._compact else '{ "nlri": "'
        return f'{{ "ipv4 unicast": {{ "{next_hop}": [ {opening}'

    def ipv4_routes(self, prefixes: list[str], next_hop: str) -> str:
        """Join prefixes by what stands between them."""
        if self._compact:
            return '", "'.join(prefixes) + '" ] } }'
        return '" }, { "nlri": "'.join(prefixes) + '" } ] } }'

    def ipv4_withdrawn(self, prefixes: list[str]) -> str:
        """Join prefixes by what stands between them."""
        if self._compact:
            return '{ "ipv4 unicast": [ "' + '", "'.join(prefixes) + '" ] }'
        return '{ "ipv4 unicast": [ { "nlri": "' + '" }, { "nlri": "'.join(prefixes) + '" } ] }'


class ByPrefix(Layout):
    """mission's layout."""

    __slots__ = ()

    def announce(self, reaches: Iterable[Reach], add_path: Families) -> str:
        """Render family → prefix → list of paths."""
        families: dict[Family, dict[str, list[str]]] = {}
        for family, octets, items in reaches:
            routes = families.setdefault(family, {})
            hops = next_hops(octets) or [""]
            for item in items:
                route = read_route(family, item)
                paths = routes.setdefault(self._key(route), [])
                paths.extend(self._path(route, hop, family in add_path) for hop in hops)
        return keyed(
            {
                str(family): keyed({key: bracketed(paths) for key, paths in routes.items()})
                for family, routes in families.items()
            }
        )

    def withdraw(self, unreaches: Iterable[Unreach], add_path: Families) -> str:
        """Render family → prefix → object."""
        families: dict[Family, dict[str, list[str]]] = {}
        for family, items in unreaches:
            routes = families.setdefault(family, {})
            for item in items:
                route = read_route(family, item)
                members = self._members(route, "", family in add_path)
                said = braced(members) if members else "{}"
                objects = routes.setdefault(self._key(route), [])
                if said not in objects:
                    objects.append(said)
        return keyed(
            {
                str(family): keyed(
                    {key: objects[0] if len(objects) == 1 else bracketed(objects) for key, objects in routes.items()}
                )
                for family, routes in families.items()
            }
        )

    @staticmethod
    def _key(route: NLRI) -> str:
        return route_prefix(route) or nlri_text(route)

    def _path(self, route: NLRI, next_hop: str, add_path: bool) -> str:
        # A flow would say its next hop a second time.
        own = "" if isinstance(route, Flow) else next_hop
        members = [f'"next-hop": {quote(next_hop)}'] if next_hop else []
        return braced([*members, *self._members(route, own, add_path)])

    def ipv4_head(self, next_hop: str) -> str:
        """Render up to the first prefix."""
        return '{ "ipv4 unicast": { "'

    def ipv4_routes(self, prefixes: list[str], next_hop: str) -> str:
        """Join prefixes by what stands between them; a prefix that comes twice is said once."""
        path = f'": [ {{ "next-hop": "{next_hop}" }} ]'
        return f'{path}, "'.join(dict.fromkeys(prefixes)) + path + " } }"

    def ipv4_withdrawn(self, prefixes: list[str]) -> str:
        """Join prefixes by what stands between them; a prefix that comes twice is said once."""
        return '{ "ipv4 unicast": { "' + '": {}, "'.join(dict.fromkeys(prefixes)) + '": {} } }'


LAYOUTS: dict[str, type[Layout]] = {"by-next-hop": ByNextHop, "by-prefix": ByPrefix}
