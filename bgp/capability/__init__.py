"""Capabilities (RFC 5492), one module for each; importing this package fills the registry."""

from __future__ import annotations

from bgp.capability.add_path import AddPath
from bgp.capability.asn4 import FourOctetAsn
from bgp.capability.enhanced_route_refresh import EnhancedRouteRefresh
from bgp.capability.extended_message import ExtendedMessage
from bgp.capability.extended_next_hop import ExtendedNextHop
from bgp.capability.graceful_restart import GracefulRestart
from bgp.capability.hostname import Hostname
from bgp.capability.link_local import LinkLocal
from bgp.capability.long_lived import LongLivedGracefulRestart
from bgp.capability.multiprotocol import Multiprotocol
from bgp.capability.multisession import CiscoMultiSession, MultiSession
from bgp.capability.operational import Operational
from bgp.capability.paths_limit import PathsLimit
from bgp.capability.registry import (
    CAPABILITIES,
    Capability,
    UnknownCapability,
    capability_name,
    decode_capability,
)
from bgp.capability.role import Role
from bgp.capability.route_refresh import CiscoRouteRefresh, RouteRefresh
from bgp.capability.software_version import SoftwareVersion

__all__ = [
    "CAPABILITIES",
    "AddPath",
    "Capability",
    "CiscoMultiSession",
    "CiscoRouteRefresh",
    "EnhancedRouteRefresh",
    "ExtendedMessage",
    "ExtendedNextHop",
    "FourOctetAsn",
    "GracefulRestart",
    "Hostname",
    "LinkLocal",
    "LongLivedGracefulRestart",
    "MultiSession",
    "Multiprotocol",
    "Operational",
    "PathsLimit",
    "Role",
    "RouteRefresh",
    "SoftwareVersion",
    "UnknownCapability",
    "capability_name",
    "decode_capability",
]
