"""Address families: AFI and SAFI (RFC 4760), and their names in configuration, commands and events."""

from __future__ import annotations

from typing import NamedTuple


class AFI:
    """Address family identifiers (IANA)."""

    IPV4 = 1
    IPV6 = 2
    L2VPN = 25
    BGP_LS = 16388


class SAFI:
    """Subsequent address family identifiers (IANA)."""

    UNICAST = 1
    MULTICAST = 2
    NLRI_MPLS = 4
    MCAST_VPN = 5
    VPLS = 65
    EVPN = 70
    BGP_LS = 71
    BGP_LS_VPN = 72
    SR_POLICY = 73
    MUP = 85
    MPLS_VPN = 128
    RTC = 132
    FLOW = 133
    FLOW_VPN = 134


FLOW_SAFIS = (SAFI.FLOW, SAFI.FLOW_VPN)  # FlowSpec (RFC 8955)

AFI_NAMES = {AFI.IPV4: "ipv4", AFI.IPV6: "ipv6", AFI.L2VPN: "l2vpn", AFI.BGP_LS: "bgp-ls"}
SAFI_NAMES = {
    SAFI.UNICAST: "unicast",
    SAFI.MULTICAST: "multicast",
    SAFI.NLRI_MPLS: "nlri-mpls",
    SAFI.MCAST_VPN: "mcast-vpn",
    SAFI.VPLS: "vpls",
    SAFI.EVPN: "evpn",
    SAFI.BGP_LS: "bgp-ls",
    SAFI.BGP_LS_VPN: "bgp-ls-vpn",
    SAFI.SR_POLICY: "sr-policy",
    SAFI.MUP: "mup",
    SAFI.MPLS_VPN: "mpls-vpn",
    SAFI.RTC: "rtc",
    SAFI.FLOW: "flow",
    SAFI.FLOW_VPN: "flow-vpn",
}


class Family(NamedTuple):
    """An address family; unknown numbers are legal and print as `afi-N safi-N`."""

    afi: int
    safi: int

    @property
    def afi_name(self) -> str:
        """The AFI's keyword, such as `ipv4`."""
        return AFI_NAMES.get(self.afi, f"afi-{self.afi}")

    @property
    def safi_name(self) -> str:
        """The SAFI's keyword, such as `unicast`."""
        return SAFI_NAMES.get(self.safi, f"safi-{self.safi}")

    def __str__(self) -> str:
        return f"{self.afi_name} {self.safi_name}"

    @property
    def octets(self) -> bytes:
        """AFI and SAFI in 3 octets, as MP_REACH_NLRI begins."""
        return self.afi.to_bytes(2, "big") + bytes((self.safi,))


IPV4_UNICAST = Family(AFI.IPV4, SAFI.UNICAST)
IPV4_MULTICAST = Family(AFI.IPV4, SAFI.MULTICAST)
IPV4_NLRI_MPLS = Family(AFI.IPV4, SAFI.NLRI_MPLS)
IPV4_MPLS_VPN = Family(AFI.IPV4, SAFI.MPLS_VPN)
IPV4_MCAST_VPN = Family(AFI.IPV4, SAFI.MCAST_VPN)
IPV4_MUP = Family(AFI.IPV4, SAFI.MUP)
IPV4_FLOW = Family(AFI.IPV4, SAFI.FLOW)
IPV4_FLOW_VPN = Family(AFI.IPV4, SAFI.FLOW_VPN)
IPV4_RTC = Family(AFI.IPV4, SAFI.RTC)
IPV4_SR_POLICY = Family(AFI.IPV4, SAFI.SR_POLICY)
IPV6_UNICAST = Family(AFI.IPV6, SAFI.UNICAST)
IPV6_MULTICAST = Family(AFI.IPV6, SAFI.MULTICAST)
IPV6_NLRI_MPLS = Family(AFI.IPV6, SAFI.NLRI_MPLS)
IPV6_MPLS_VPN = Family(AFI.IPV6, SAFI.MPLS_VPN)
IPV6_MCAST_VPN = Family(AFI.IPV6, SAFI.MCAST_VPN)
IPV6_MUP = Family(AFI.IPV6, SAFI.MUP)
IPV6_FLOW = Family(AFI.IPV6, SAFI.FLOW)
IPV6_FLOW_VPN = Family(AFI.IPV6, SAFI.FLOW_VPN)
IPV6_SR_POLICY = Family(AFI.IPV6, SAFI.SR_POLICY)
L2VPN_VPLS = Family(AFI.L2VPN, SAFI.VPLS)
L2VPN_EVPN = Family(AFI.L2VPN, SAFI.EVPN)
BGP_LS = Family(AFI.BGP_LS, SAFI.BGP_LS)
BGP_LS_VPN = Family(AFI.BGP_LS, SAFI.BGP_LS_VPN)

FAMILIES: dict[str, Family] = {
    str(family): family
    for family in (
        IPV4_UNICAST,
        IPV4_MULTICAST,
        IPV4_NLRI_MPLS,
        IPV4_MPLS_VPN,
        IPV4_MCAST_VPN,
        IPV4_MUP,
        IPV4_FLOW,
        IPV4_FLOW_VPN,
        IPV4_RTC,
        IPV4_SR_POLICY,
        IPV6_UNICAST,
        IPV6_MULTICAST,
        IPV6_NLRI_MPLS,
        IPV6_MPLS_VPN,
        IPV6_MCAST_VPN,
        IPV6_MUP,
        IPV6_FLOW,
        IPV6_FLOW_VPN,
        IPV6_SR_POLICY,
        L2VPN_VPLS,
        L2VPN_EVPN,
        BGP_LS,
        BGP_LS_VPN,
    )
}
