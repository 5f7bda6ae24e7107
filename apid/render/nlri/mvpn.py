"""Multicast VPN route types 5 to 7."""

from __future__ import annotations

from apid.render.dialect import Dialect
from apid.render.flow_text import Services
from apid.render.nlri.row import Row, coded
from apid.render.values import address_text, rd_text
from bgp.nlri import NLRI, SharedTreeJoin, SourceActive, SourceTreeJoin

Join = SharedTreeJoin | SourceTreeJoin


def _source_active_text(route: SourceActive, path: str, next_hop: str, services: Services) -> str:
    """Render type 5."""
    return f"mvpn:sourcead::{rd_text(route.rd)}:{address_text(route.source)}:{address_text(route.group)}"


def _source_active_members(route: SourceActive, next_hop: str, dialect: Dialect) -> str:
    """Render type 5."""
    head = coded(5, "Source Active A-D Route", route)
    return (
        f'{head}, "rd": "{rd_text(route.rd)}", "source": "{address_text(route.source)}", '
        f'"group": "{address_text(route.group)}"'
    )


def _join_text(route: Join) -> str:
    return f"{rd_text(route.rd)}:{route.source_as}:{address_text(route.source)}:{address_text(route.group)}"


def _join_members(route: Join) -> str:
    """Render what both joins share; the AS number is a string."""
    return (
        f'"rd": "{rd_text(route.rd)}", "source-as": "{route.source_as}", "source": "{address_text(route.source)}", '
        f'"group": "{address_text(route.group)}"'
    )


def _shared_tree_join_text(route: SharedTreeJoin, path: str, next_hop: str, services: Services) -> str:
    """Render type 6."""
    return f"mvpn:shared-join::{_join_text(route)}"


def _shared_tree_join_members(route: SharedTreeJoin, next_hop: str, dialect: Dialect) -> str:
    """Render type 6."""
    return f"{coded(6, 'C-Multicast Shared Tree Join route', route)}, {_join_members(route)}"


def _source_tree_join_text(route: SourceTreeJoin, path: str, next_hop: str, services: Services) -> str:
    """Render type 7."""
    return f"mvpn:source-join::{_join_text(route)}"


def _source_tree_join_members(route: SourceTreeJoin, next_hop: str, dialect: Dialect) -> str:
    """Render type 7."""
    return f"{coded(7, 'C-Multicast Source Tree Join route', route)}, {_join_members(route)}"


ROWS: dict[type[NLRI], Row] = {
    SourceActive: Row(_source_active_text, _source_active_members),
    SharedTreeJoin: Row(_shared_tree_join_text, _shared_tree_join_members),
    SourceTreeJoin: Row(_source_tree_join_text, _source_tree_join_members),
}
