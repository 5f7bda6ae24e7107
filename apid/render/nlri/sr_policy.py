"""Segment routing policies."""

from __future__ import annotations

from apid.render.dialect import Dialect
from apid.render.flow_text import Services
from apid.render.nlri.row import Row
from apid.render.values import address_text
from bgp.nlri import NLRI, SrPolicy


def _text(route: SrPolicy, path: str, next_hop: str, services: Services) -> str:
    """Render a policy as configurations have it."""
    endpoint = address_text(route.endpoint)
    return f"sr-policy distinguisher {route.distinguisher} color {route.color} endpoint {endpoint}{next_hop}"


def _members(route: SrPolicy, next_hop: str, dialect: Dialect) -> str:
    """Render a policy."""
    return (
        f'"distinguisher": {route.distinguisher}, "color": {route.color}, "endpoint": "{address_text(route.endpoint)}"'
    )


ROWS: dict[type[NLRI], Row] = {SrPolicy: Row(_text, _members)}
