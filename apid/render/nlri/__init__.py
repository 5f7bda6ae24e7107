"""Routes as text and as JSON, a module for each kind of NLRI.

The text is what `show adj-rib` prints, what the text encoder prints, and the key in mission's JSON layout. That of a
route that is a prefix has its next hop in the middle, before the route distinguisher; a rule's is last.
"""

from __future__ import annotations

from apid.render.dialect import Dialect
from apid.render.flow_text import Services
from apid.render.nlri import (
    evpn,
    flow,
    link_state,
    mup,
    mvpn,
    opaque,
    prefix,
    route_target,
    sr_policy,
    vpls,
)
from apid.render.nlri.prefix import route_prefix
from apid.render.nlri.row import NO_SERVICES, Row
from apid.render.values import path_id_text
from bgp.nlri import NLRI

__all__ = ["NO_SERVICES", "ROWS", "nlri_members", "nlri_text", "route_prefix"]

_MODULES = (prefix, flow, vpls, route_target, evpn, mvpn, mup, link_state, sr_policy, opaque)
ROWS: dict[type[NLRI], Row] = {codec: row for module in _MODULES for codec, row in module.ROWS.items()}


def nlri_text(route: NLRI, next_hop: str = "", add_path: bool = False, services: Services = NO_SERVICES) -> str:
    """Render a route; `add_path` shows its path identifier, `services` names the ports of a flow."""
    path = f" path-information {path_id_text(route.path_id)}" if add_path else ""
    hop = f" next-hop {next_hop}" if next_hop else ""
    return ROWS[type(route)].text(route, path, hop, services)


def nlri_members(route: NLRI, next_hop: str, dialect: Dialect) -> str:
    """Render the members of a route's object, joined; `next_hop` is text, empty where there is none."""
    return ROWS[type(route)].members(route, next_hop, dialect)
