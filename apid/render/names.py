"""Names of the numbers that events show: protocols, ICMP types, flags, communities, tunnels."""

from __future__ import annotations

ORIGINS = {0: "igp", 1: "egp", 2: "incomplete"}

PATH_SEGMENTS = {1: "as-set", 2: "as-sequence", 3: "confed-sequence", 4: "confed-set"}

PROTOCOLS = {
    1: "icmp",
    2: "igmp",
    6: "tcp",
    8: "egp",
    17: "udp",
    46: "rsvp",
    47: "gre",
    50: "esp",
    51: "ah",
    89: "ospf",
    94: "ipip",
    103: "pim",
    132: "sctp",
}

ICMP_TYPES = {
    0: "echo-reply",
    3: "unreachable",
    5: "redirect",
    8: "echo-request",
    9: "router-advertisement",
    10: "router-solicit",
    11: "time-exceeded",
    12: "parameter-problem",
    13: "timestamp",
    14: "timestamp-reply",
    40: "photuris",
    41: "experimental-mobility",
    42: "extended-echo-request",
    43: "extended-echo-reply",
    253: "experimental-one",
    254: "experimental-two",
}

TCP_FLAGS = {
    0x001: "fin",
    0x002: "syn",
    0x004: "rst",
    0x008: "push",
    0x010: "ack",
    0x020: "urg",
    0x040: "ece",
    0x080: "cwr",
    0x100: "ns",
}

FRAGMENTS = {1: "dont-fragment", 2: "is-fragment", 4: "first-fragment", 8: "last-fragment"}

# What the text of a community list says; JSON always has the two numbers.
COMMUNITIES = {
    0xFFFF029A: "blackhole",
    0xFFFFFF01: "no-export",
    0xFFFFFF02: "no-advertise",
    0xFFFFFF03: "no-export-subconfed",
    0xFFFFFF04: "no-peer",
}

PMSI_TUNNELS = {
    0: "notunnel",
    1: "rsvp-tep2mplsp",
    2: "mldpp2mplsp",
    3: "pim-ssmtree",
    4: "pim-smtree",
    5: "bidir-pimtree",
    6: "ingressreplication",
    7: "mldpmp2mplsp",
}

# Tunnel types of the encapsulation extended community (RFC 9012 section 4.1).
ENCAPSULATIONS = {
    0: "Default",
    1: "L2TPv3",
    2: "GRE",
    7: "IP-in-IP",
    8: "VXLAN",
    9: "NVGRE",
    10: "MPLS",
    12: "VXLAN-GPE",
    13: "MPLS-in-UDP",
}

# What OPENs call capabilities in events: received ones by number, sent ones by these words.
CAPABILITIES = {
    1: "multiprotocol",
    2: "route-refresh",
    5: "nexthop",
    6: "extended-message",
    9: "role",
    64: "graceful-restart",
    65: "asn4",
    68: "multi-session",
    69: "add-path",
    70: "enhanced-route-refresh",
    71: "long-lived-graceful-restart",
    73: "hostname",
    75: "software-version",
    131: "cisco-multi-sesion",  # as ExaBGP spells it
    185: "operational",
}

SIGNALS = {1: "SIGHUP", 10: "SIGUSR1", 12: "SIGUSR2", 14: "SIGALRM", 15: "SIGTERM"}
