"""JSON of UPDATEs: decoded ones, and plain ones (`bgp.update.Update.plain`), which need no decoding.

On the build machine (Python 3.11) an UPDATE of a real IPv4 table takes 60 microseconds from octets to octets, of which
25 are decoding; rendered as a plain one, it takes 31.
"""

from __future__ import annotations

from apid.memory import Memory
from apid.render.dialect import Dialect
from apid.render.fast import ipv4_prefix_field, ipv4_prefixes
from apid.render.json_attributes import DISCARD, ERROR, attributes_json, joined, judged_json
from apid.render.json_layout import Families, Layout
from apid.render.plain import REMEMBERED_OCTETS, AttributeTexts, plain_fields
from apid.render.routes import next_hops
from bgp.attribute import AttributeSet
from bgp.family import IPV4_UNICAST
from bgp.negotiated import Negotiated
from bgp.update import Update


class UpdateJson:
    """Render the UPDATEs of one session in one direction: attributes are rendered once for each set."""

    __slots__ = ("_add_path", "_attributes", "_dialect", "_last", "_layout", "_straight", "_texts")

    def __init__(self, dialect: Dialect, layout: Layout, negotiated: Negotiated, add_path: Families) -> None:
        self._dialect = dialect
        self._layout = layout
        self._add_path = add_path
        self._straight = IPV4_UNICAST not in add_path
        self._attributes = Memory[bytes, str](REMEMBERED_OCTETS)
        self._texts = AttributeTexts(lambda code, data: judged_json(code, data, dialect, negotiated))
        self._last = b"", "", ""  # of the last plain UPDATE: attributes, what stands before its prefixes, next hop

    def render(self, update: Update) -> str:
        """Render the `message` object of an event."""
        announced = update.announced
        if (
            self._straight
            and len(announced) == 1
            and not update.withdrawn
            and not update.discarded
            and announced[0].family == IPV4_UNICAST
            and len(announced[0].next_hop) == 4
        ):
            reach = announced[0]
            hop = next_hops(reach.next_hop)[0]
            head = self._announcing(self._attributes_json(update.attributes, ""), hop)
            return f"{head}{self._layout.ipv4_routes(ipv4_prefixes(reach.items), hop)} }} }}"
        withdrawn = update.withdrawn
        if (
            self._straight
            and len(withdrawn) == 1
            and not announced
            and not update.attributes.octets
            and update.error is None
            and withdrawn[0].family == IPV4_UNICAST
        ):
            return f'{{ "update": {{ "withdraw": {self._layout.ipv4_withdrawn(ipv4_prefixes(withdrawn[0].items))} }} }}'
        return self._render(update)

    def plain(self, message: bytes) -> str:
        """Render the `message` object of a plain UPDATE."""
        octets, nlri = plain_fields(message)
        last, head, hop = self._last
        if octets != last:
            texts, hop = self._texts.of(octets)
            head = self._announcing(joined(texts), hop)
            self._last = octets, head, hop
        return f"{head}{self._layout.ipv4_routes(ipv4_prefix_field(nlri), hop)} }} }}"

    def _announcing(self, said: str, hop: str) -> str:
        return f'{{ "update": {{ "attribute": {said}, "announce": {self._layout.ipv4_head(hop)}'

    def _render(self, update: Update) -> str:
        if update.eor is not None:
            afi, safi = update.eor.afi_name, update.eor.safi_name
            return f'{{ "eor": {{ "afi" : "{afi}", "safi" : "{safi}" }} }}'
        verdict = ERROR if update.error is not None else DISCARD if update.discarded else ""
        members = []
        if update.announced or update.attributes.octets or verdict:
            members.append(f'"attribute": {self._attributes_json(update.attributes, verdict)}')
        if update.announced:
            members.append(f'"announce": {self._layout.announce(update.announced, self._add_path)}')
        if update.withdrawn:
            members.append(f'"withdraw": {self._layout.withdraw(update.withdrawn, self._add_path)}')
        return f'{{ "update": {{ {", ".join(members)} }} }}'

    def _attributes_json(self, attributes: AttributeSet, verdict: str) -> str:
        if verdict:
            return attributes_json(attributes, verdict, self._dialect)
        known = self._attributes.known.get(attributes.octets)
        if known is None:
            known = attributes_json(attributes, "", self._dialect)
            self._attributes.keep(attributes.octets, known, len(attributes.octets) + len(known))
        return known
