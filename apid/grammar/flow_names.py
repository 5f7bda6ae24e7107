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
    "re-mail-ck": 50,
    "domain": 53,
    "tacacs-ds": 65,
    "tftp": 69,
    "http": 80,
    "kerberos": 88,
    "pop2": 109,
    "pop3": 110,
    "sunrpc": 111,
    "ntp": 123,
    "imap2": 143,
    "sql-net": 150,
    "bftp": 152,
    "sgmp": 153,
    "snmp": 161,
    "bgp": 179,
    "irc": 194,
    "mpp": 218,
    "ldap": 389,
    "https": 443,
    "microsoft-ds": 445,
    "syslog": 514,
    "ripng": 521,
    "msdp": 639,
    "ldp": 646,
    "domain-s": 853,
    "imaps": 993,
    "ica": 1494,
    "wins": 1512,
    "l2f": 1701,
    "h323hostcall": 1720,
    "pptp": 1723,
    "ssdp": 1900,
    "hsrp": 1985,
    "gtp-control": 2123,
    "gtp-user": 2152,
    "msp": 2438,
    "mysql": 3306,
    "vat": 3456,
    "teredo": 3544,
    "terabase": 4000,
    "avt-profile-1": 5004,
    "sip": 5060,
    "nat-pmp": 5351,
    "postgresql": 5432,
    "rfb": 5900,
    "irdmi": 8000,
    "http-alt": 8080,
    "radan-http": 8088,
    "pcsync-https": 8443,
    "ddi-tcp-1": 8888,
    "cslistener": 9000,
    "wap-wsp": 9200,
    "distinct": 9999,
    "quake": 26000,
    "filenet-tms": 32768,
}


def service_port(name: str) -> int | None:
    """Return the port of a service, in any case; None where nobody knows it."""
    name = name.lower()
    port = _SERVICES.get(name)
    if port is not None:
        return port
    for protocol in ("tcp", "udp"):
        try:
            return socket.getservbyname(name, protocol)
        except (OSError, ValueError):
            continue
    return None
