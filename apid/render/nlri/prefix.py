"""Prefixes, with or without labels and route distinguisher."""

from __future__ import annotations

from apid.render.dialect import Dialect
from apid.render.flow_text import Services
from apid.render.nlri.row import Row, label_json
from apid.render.values import listed, prefix_text, rd_text
from bgp.nlri import NLRI, LabelledPrefix, Prefix, VpnPrefix


def _text(route: Prefix, path: str, next_hop: str, services: Services) -> str:
    """Render prefix, next hop."""
    return f"{prefix_text(route.address, route.length)}{path}{next_hop}"


def _members(route: Prefix, next_hop: str, dialect: Dialect) -> str:
    """A prefix has nothing beside itself."""
    return ""


def _labels_text(words: tuple[int, ...]) -> str:
    """Render labels as configurations have them, without what else is in their words."""
    return f"label {listed([str(word >> 4) for word in words])}"


def _labels_json(words: tuple[int, ...], dialect: Dialect) -> str:
    """Render the `label` member."""
    return f'"label": [ {", ".join(label_json(word, dialect.raw_labels) for word in words)} ]'


def _labelled_text(route: LabelledPrefix, path: str, next_hop: str, services: Services) -> str:
    """Render prefix, labels, next hop."""
    prefix = prefix_text(route.address, route.length)
    return f"{prefix}{path} {_labels_text(route.labels)}{next_hop}"


def _labelled_members(route: LabelledPrefix, next_hop: str, dialect: Dialect) -> str:
    """Render labels."""
    return _labels_json(route.labels, dialect)


def _vpn_text(route: VpnPrefix, path: str, next_hop: str, services: Services) -> str:
    """Render prefix, labels, next hop, route distinguisher."""
    prefix = prefix_text(route.address, route.length)
    return f"{prefix}{path} {_labels_text(route.labels)}{next_hop} rd {rd_text(route.rd)}"


def _vpn_members(route: VpnPrefix, next_hop: str, dialect: Dialect) -> str:
    """Render labels and route distinguisher."""
    return f'{_labels_json(route.labels, dialect)}, "rd": "{rd_text(route.rd)}"'


ROWS: dict[type[NLRI], Row] = {
    Prefix: Row(_text, _members),
    LabelledPrefix: Row(_labelled_text, _labelled_members),
    VpnPrefix: Row(_vpn_text, _vpn_members),
}


def route_prefix(route: NLRI) -> str | None:
    """Return the prefix of a route that is one, with or without labels and distinguisher; None for others."""
    if isinstance(route, Prefix | LabelledPrefix | VpnPrefix):
        return prefix_text(route.address, route.length)
    return None
