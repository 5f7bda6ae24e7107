"""Route target membership."""

from __future__ import annotations

from apid.render.dialect import Dialect
from apid.render.extended_community import extended_community_text
from apid.render.flow_text import Services
from apid.render.nlri.row import Row
from apid.render.values import quote
from bgp.nlri import NLRI, RouteTarget


def _text(route: RouteTarget, path: str, next_hop: str, services: Services) -> str:
    """Render origin AS and route target; `wildcard` where there is no whole one."""
    if len(route.target) == 8:
        return f"rtc {route.origin}:{extended_community_text(route.target)}"
    if route.length == 0:
        return "rtc wildcard"
    return f"rtc {route.origin}:0x{route.target.hex().upper()}/{route.length}"


def _members(route: RouteTarget, next_hop: str, dialect: Dialect) -> str:
    """Render origin AS and route target, null where it is not a whole one."""
    target = quote(extended_community_text(route.target)) if len(route.target) == 8 else "null"
    return f'"origin": {route.origin}, "route-target": {target}'


ROWS: dict[type[NLRI], Row] = {RouteTarget: Row(_text, _members)}
