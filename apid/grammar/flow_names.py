"""Names for the numbers that flow specifications match: protocols, ports, ICMP types and codes, flags."""

from __future__ import annotations

import socket

PROTOCOLS = {
    "icmp": 1,
    "igmp": 2,
    "ipip": 94,
    "tcp": 6,
    "egp": 8,
    "udp": 17,
    "rsvp": 46,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "ipv6-icmp": 58,
    "icmpv6": 58,
    "ospf": 89,
    "pim": 103,
    "vrrp": 112,
    "sctp": 132,
}

ICMP_TYPES = {
    "echo-reply": 0,
    "unreachable": 3,
    "redirect": 5,
    "echo-request": 8,
    "router-advertisement": 9,
    "router-solicit": 10,
    "time-exceeded": 11,
    "parameter-problem": 12,
    "timestamp": 13,
    "timestamp-reply": 14,
    "photuris": 40,
    "experimental-mobility": 41,
    "extended-echo-request": 42,
    "extended-echo-reply": 43,
    "experimental-one": 253,
    "experimental-two": 254,
}

ICMP_CODES = {
    "network-unreachable": 0,
    "host-unreachable": 1,
    "protocol-unreachable": 2,
    "port-unreachable": 3,
    "fragmentation-needed": 4,
    "source-route-failed": 5,
    "destination-network-unknown": 6,
    "destination-host-unknown": 7,
    "source-host-isolated": 8,
    "destination-network-prohibited": 9,
    "destination-host-prohibited": 10,
    "network-unreachable-for-tos": 11,
    "host-unreachable-for-tos": 12,
    "communication-prohibited-by-filtering": 13,
    "host-precedence-violation": 14,
    "precedence-cutoff-in-effect": 15,
    "redirect-for-network": 0,
    "redirect-for-host": 1,
    "redirect-for-tos-and-net": 2,
    "redirect-for-tos-and-host": 3,
    "ttl-eq-zero-during-transit": 0,
    "ttl-eq-zero-during-reassembly": 1,
    "required-option-missing": 1,
    "ip-header-bad": 2,
}

TCP_FLAGS = {
    "fin": 0x01,
    "syn": 0x02,
    "rst": 0x04,
    "reset": 0x04,
    "push": 0x08,
    "psh": 0x08,
    "ack": 0x10,
    "urg": 0x20,
    "urgent": 0x20,
    "ece": 0x40,
    "cwr": 0x80,
    "ns": 0x100,
}

FRAGMENTS = {
    "dont-fragment": 0x01,
    "is-fragment": 0x02,
    "first-fragment": 0x04,
    "last-fragment": 0x08,
}

NO_NAMES: dict[str, int] = {}

# The services that rules are written for; the host's own database is asked for any other.
_SERVICES = {
    "ftp-data": 20,
    "ftp": 21,
    "ssh": 22,
    "telnet": 23,
    "smtp": 25,
    "domain": 53,
    "tftp": 69,
    "http": 80,
    "kerberos": 88,
    "pop3": 110,
    "sunrpc": 111,
    "ntp": 123,
    "imap2": 143,
    "snmp": 161,
    "bgp": 179,
    "ldap": 389,
    "https": 443,
    "microsoft-ds": 445,
    "syslog": 514,
    "domain-s": 853,
    "imaps": 993,
    "mysql": 3306,
    "sip": 5060,
    "postgresql": 5432,
    "http-alt": 8080,
}


def service_port(name: str) -> int | None:
    """Return the port of a service, None where nobody knows it."""
    port = _SERVICES.get(name)
    if port is not None:
        return port
    for protocol in ("tcp", "udp"):
        try:
            return socket.getservbyname(name, protocol)
        except (OSError, ValueError):
            continue
    return None
