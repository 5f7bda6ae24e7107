"""Flow specifications."""

from __future__ import annotations

from apid.render.dialect import Dialect
from apid.render.flow_text import Services, flow_components, flow_text
from apid.render.nlri.row import NO_SERVICES, Row
from apid.render.values import quote, rd_text
from bgp.family import AFI
from bgp.nlri import NLRI, Flow


def _text(route: Flow, path: str, next_hop: str, services: Services) -> str:
    """Render components, route distinguisher, next hop."""
    text = flow_text(route.components, route.family.afi == AFI.IPV6, services)
    rd = f" rd {rd_text(route.rd)}" if route.rd is not None else ""
    return f"{text}{rd}{next_hop}"


def _members(route: Flow, next_hop: str, dialect: Dialect) -> str:
    """Render components, route distinguisher, next hop, and the whole as text."""
    members = [
        f'"{name}": [ {", ".join(quote(term) for term in terms)} ]'
        for name, terms in flow_components(route.components, route.family.afi == AFI.IPV6)
    ]
    if route.rd is not None:
        members.append(f'"rd": "{rd_text(route.rd)}"')
    if next_hop and dialect.flow_next_hop:
        members.append(f'"next-hop": "{next_hop}"')
    whole = _text(route, "", f" next-hop {next_hop}" if next_hop else "", NO_SERVICES)
    members.append(f'"string": {quote(whole)}')
    return ", ".join(members)


ROWS: dict[type[NLRI], Row] = {Flow: Row(_text, _members)}
