"""Path attributes: one small module for each, or for close kin; `ATTRIBUTES` has a row for every code."""

from __future__ import annotations

from bgp.attribute.aggregator import Aggregator, As4Aggregator, AtomicAggregate
from bgp.attribute.aigp import Aigp
from bgp.attribute.as_path import As4Path, AsPath, Segment
from bgp.attribute.attr_set import AttrSet
from bgp.attribute.attribute_set import NO_ATTRIBUTES, AttributeSet
from bgp.attribute.community import (
    Communities,
    ExtendedCommunities,
    Ipv6ExtendedCommunities,
    LargeCommunities,
)
from bgp.attribute.link_state import LinkState
from bgp.attribute.next_hop import NextHop
from bgp.attribute.only_to_customer import OnlyToCustomer
from bgp.attribute.origin import Origin
from bgp.attribute.pmsi import PmsiTunnel
from bgp.attribute.preference import LocalPref, Med
from bgp.attribute.prefix_sid import PrefixSid
from bgp.attribute.reflection import ClusterList, OriginatorId
from bgp.attribute.registry import ATTRIBUTES, Attribute, Row, register
from bgp.attribute.tunnel import Tunnel, TunnelEncapsulation
from bgp.attribute.unknown import UnknownAttribute

__all__ = [
    "ATTRIBUTES",
    "NO_ATTRIBUTES",
    "Aggregator",
    "Aigp",
    "As4Aggregator",
    "As4Path",
    "AsPath",
    "AtomicAggregate",
    "AttrSet",
    "Attribute",
    "AttributeSet",
    "ClusterList",
    "Communities",
    "ExtendedCommunities",
    "Ipv6ExtendedCommunities",
    "LargeCommunities",
    "LinkState",
    "LocalPref",
    "Med",
    "NextHop",
    "OnlyToCustomer",
    "Origin",
    "OriginatorId",
    "PmsiTunnel",
    "PrefixSid",
    "Row",
    "Segment",
    "Tunnel",
    "TunnelEncapsulation",
    "UnknownAttribute",
    "register",
]
