"""Lines of decoded UPDATEs."""

from __future__ import annotations

from collections.abc import Iterable

from apid.memory import Memory
from apid.render.dialect import Dialect
from apid.render.fast import ipv4_prefix_field, ipv4_prefixes
from apid.render.json_layout import Families
from apid.render.nlri import nlri_text
from apid.render.plain import REMEMBERED_OCTETS, AttributeTexts, plain_fields
from apid.render.routes import next_hops, read_route
from apid.render.text_attributes import attribute_text, attributes_text, joined
from bgp.attribute.registry import ATTRIBUTES
from bgp.family import IPV4_UNICAST, Family
from bgp.negotiated import Negotiated
from bgp.nlri import NLRI, Flow, LabelledPrefix, Prefix, Vpls, VpnPrefix
from bgp.update import Update

# The text encoder names only the family of all other routes; JSON has them whole.
SPELT_OUT = (Prefix, LabelledPrefix, VpnPrefix, Flow, Vpls)


def event_text(route: NLRI, next_hop: str, add_path: bool) -> str:
    """Render a route as a text event has it."""
    if isinstance(route, SPELT_OUT):
        return nlri_text(route, next_hop, add_path)
    return f"afi {route.family.afi_name} safi {route.family.safi_name}"


class UpdateText:
    """Render the UPDATEs of one session in one direction as lines without their common start."""

    __slots__ = ("_add_path", "_attributes", "_dialect", "_last", "_texts")

    def __init__(self, dialect: Dialect, negotiated: Negotiated, add_path: Families) -> None:
        self._dialect = dialect
        self._add_path = add_path
        self._attributes = Memory[bytes, str](REMEMBERED_OCTETS)
        self._texts = AttributeTexts(
            lambda code, data: attribute_text(ATTRIBUTES[code].attribute.decode(data, negotiated), dialect)
        )
        self._last = b"", "", ""  # of the last plain UPDATE: attributes, what they say, next hop

    def render(self, update: Update) -> list[str]:
        """Return lines between `start` and `end`: of IPv4, then of others; each withdrawn routes first."""
        if update.eor is not None:
            afi, safi = update.eor
            return [f"route eor {afi}/{safi} ({update.eor})"]
        lines: list[str] = []
        others: list[str] = []
        for family, items in update.withdrawn:
            place = lines if family == IPV4_UNICAST else others
            place.extend(f"withdrawn {text}" for text in self._withdrawn(family, items))
        said = self._said(update)
        for family, octets, items in update.announced:
            hops = next_hops(octets) or [""]
            if family == IPV4_UNICAST and family not in self._add_path:
                lines.extend(
                    f"announced {prefix} next-hop {hop}{said}" for prefix in ipv4_prefixes(items) for hop in hops
                )
                continue
            place = lines if family == IPV4_UNICAST else others
            add_path = family in self._add_path
            routes = [read_route(family, item) for item in items]
            place.extend(f"announced {event_text(route, hop, add_path)}{said}" for route in routes for hop in hops)
        return lines + others

    def plain(self, message: bytes) -> list[str]:
        """Return the lines of a plain UPDATE."""
        octets, nlri = plain_fields(message)
        last, said, hop = self._last
        if octets != last:
            texts, hop = self._texts.of(octets)
            said = joined(texts)
            self._last = octets, said, hop
        return [f"announced {prefix} next-hop {hop}{said}" for prefix in ipv4_prefix_field(nlri)]

    def _withdrawn(self, family: Family, items: Iterable[bytes]) -> list[str]:
        if family == IPV4_UNICAST and family not in self._add_path:
            return ipv4_prefixes(items)
        add_path = family in self._add_path
        return [event_text(read_route(family, item), "", add_path) for item in items]

    def _said(self, update: Update) -> str:
        octets = update.attributes.octets
        known = self._attributes.known.get(octets)
        if known is None:
            known = attributes_text(update.attributes, self._dialect)
            self._attributes.keep(octets, known, len(octets) + len(known))
        return f"{known} error discard" if update.discarded else known
