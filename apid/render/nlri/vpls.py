"""VPLS."""

from __future__ import annotations

from apid.render.dialect import Dialect
from apid.render.flow_text import Services
from apid.render.nlri.row import Row
from apid.render.values import rd_text
from bgp.nlri import NLRI, Vpls


def _text(route: Vpls, path: str, next_hop: str, services: Services) -> str:
    """Render a block of labels as configurations have it."""
    return (
        f"vpls rd {rd_text(route.rd)} endpoint {route.endpoint} base {route.base} offset {route.offset} "
        f"size {route.size}{next_hop}"
    )


def _members(route: Vpls, next_hop: str, dialect: Dialect) -> str:
    """Render a block of labels."""
    return (
        f'"rd": "{rd_text(route.rd)}", "endpoint": {route.endpoint}, "base": {route.base}, '
        f'"offset": {route.offset}, "size": {route.size}'
    )


ROWS: dict[type[NLRI], Row] = {Vpls: Row(_text, _members)}
