"""Cases about sessions: OPENs, End-of-RIB, refresh, flush, clear, teardown, operational messages, watchdogs."""

from __future__ import annotations

from bgp.family import Family
from bgp.refresh import Refresh
from tools.differential.peer import Say
from tools.differential.run import Case

FAMILIES = "family { ipv4 unicast; ipv6 unicast; }\n"
PREFIXES = ("10.9.0.0/24", "10.1.0.0/16", "10.0.0.0/8", "9.0.0.0/8", "10.1.0.0/24", "10.9.0.1/32", "1.0.0.0/30")
ROUTES = "".join(f"route {prefix} next-hop 192.0.2.{9 - place % 3};\n" for place, prefix in enumerate(PREFIXES))
STATIC = f"{FAMILIES}static {{\n{ROUTES}route 2001:db8:1::/48 next-hop 2001:db8::1;\n}}\n"
REFRESH = Refresh(Family(1, 1)).message()
UNKNOWN_CAPABILITY = b"\x42\x04\x00\x00\x00\x00"
OPERATIONAL = """operational {
 rpcq afi ipv4 safi unicast sequence 3;
 asm afi ipv4 safi unicast advisory "hello there";
 asm afi ipv6 safi unicast advisory "second";
 adm afi ipv4 safi unicast advisory "third";
}
"""
MIXED = """family { ipv4 unicast; ipv4 multicast; ipv4 nlri-mpls; ipv6 unicast; ipv4 flow; l2vpn vpls; }
static {
route 2001:db8:9::/48 next-hop 2001:db8::1;
route 10.2.0.0/24 label 5 next-hop 1.1.1.1;
route 10.0.9.0/24 next-hop 1.1.1.1;
route 2001:db8:8::/48 next-hop 2001:db8::2;
route 10.0.7.0/24 next-hop 1.1.1.2;
route 224.0.0.0/24 next-hop 1.1.1.1;
route 10.2.1.0/24 label 5 next-hop 1.1.1.1;
route 10.0.8.0/24 next-hop 1.1.1.1;
route 2001:db8:7::/48 next-hop 2001:db8::1;
}
flow {
route a { next-hop 5.5.5.5; match { destination 10.0.4.0/24; } then { redirect-to-nexthop; } }
route b { match { destination 10.0.5.0/24; } then { copy 1.2.3.4; } }
route c { match { destination 10.0.6.0/24; } then { redirect 1.2.3.4; } }
}
l2vpn { vpls a { endpoint 5; base 10702; offset 1; size 8; rd 1:2; next-hop 1.1.1.1; } }
"""
SECTIONS = """family { ipv4 unicast; ipv4 flow; ipv4 flow-vpn; l2vpn vpls; }
static {
route 10.0.5.0/24 next-hop 1.1.1.1;
route 10.0.9.0/24 next-hop 1.1.1.1 path-information 1;
}
l2vpn { vpls a { endpoint 5; base 10702; offset 1; size 8; rd 1:2; next-hop 1.1.1.1; } }
flow {
route a { rd 1:1; next-hop 5.5.5.5; match { destination 10.0.4.0/24; } then { redirect 1:2; } }
route b { next-hop 5.5.5.5; match { destination 10.0.5.0/24; } then { copy 1.2.3.4; } }
}
"""
WATCHDOGS = """family { ipv4 unicast; }
static {
route 10.0.0.0/24 next-hop 1.1.1.1 watchdog dog;
route 10.1.0.0/24 next-hop 1.1.1.1 watchdog dog withdraw;
}
"""


def _capable(name: str, capabilities: str, body: str = STATIC, **options: object) -> Case:
    return Case(name, f"capability {{ {capabilities} }}\n{body}", **options)  # type: ignore[arg-type]


CASES = (
    Case("plain", STATIC),
    Case("ebgp", STATIC, peer_as=65002),
    Case("large AS", STATIC, local_as=70000, peer_as=65002),
    Case("all families", "family { all; }\n"),
    Case("names", f"host-name aye;\ndomain-name example.org;\nhold-time 90;\n{STATIC}"),
    Case("separate", f"group-updates false;\n{STATIC}"),
    Case("mixed families", MIXED),
    Case("l2vpn between others", SECTIONS),
    Case("mixed families, separate", f"group-updates false;\n{MIXED}"),
    Case("manual eor", f"manual-eor true;\n{STATIC}", ("announce eor ipv4 unicast", "announce eor ipv6 unicast")),
    Case("unknown capability", STATIC, capabilities=UNKNOWN_CAPABILITY),
    Case("closed by the peer", STATIC, says=(Say(1.5, b""),)),
    Case(
        "comes back with more",
        f"{FAMILIES}static {{ route 2001:db8:2::/48 next-hop 2001:db8::2; route 10.0.0.0/24 next-hop 1.1.1.1; }}\n",
        (
            "announce route 10.1.0.0/24 next-hop 1.1.1.2",
            "announce route 2001:db8:1::/48 next-hop 2001:db8::1",
            "announce route 10.2.0.0/24 next-hop 1.1.1.1",
            "@sleep 0.5",
            "flush adj-rib out",
            "@sleep 0.5",
            "teardown 4",
            "@sleep 2",
        ),
    ),
    Case("teardown", STATIC, ("announce route 2.0.0.0/8 next-hop 1.2.3.4", "@sleep 0.5", "teardown 4", "@sleep 2")),
    _capable("small messages", "extended-message disable;"),
    _capable("nexthop", "nexthop;", f"{FAMILIES}nexthop {{ ipv4 unicast ipv6; }}\n"),
    _capable("nexthop without families", "nexthop;"),
    _capable("multi-session", "multi-session;"),
    _capable("add-path", "add-path send/receive; graceful-restart 120; operational; aigp;"),
    _capable(
        "refresh",
        "route-refresh;",
        f"{FAMILIES}static {{\nroute 10.0.0.0/8 next-hop 1.1.1.1;\n}}\n",
        says=(Say(2.0, REFRESH),),
    ),
    _capable("graceful teardown", "graceful-restart 60;", commands=("@sleep 0.5", "teardown 6", "@sleep 2")),
    _capable(
        "clear", "route-refresh;", commands=("clear adj-rib out", "@sleep 0.5", "announce route-refresh ipv4 unicast")
    ),
    _capable("operational", "operational;", FAMILIES + OPERATIONAL, says=(Say(3.0, b""),)),
    Case(
        "watchdog",
        WATCHDOGS,
        ("!announce watchdog dog", "@sleep 0.5", "!withdraw watchdog dog", "@sleep 0.5", "!announce watchdog dog"),
    ),
    _capable(
        "flush with a family without routes",
        "route-refresh;",
        f"{FAMILIES}static {{\nroute 10.0.0.0/8 next-hop 1.1.1.1;\n}}\n",
        commands=("@sleep 0.5", "flush adj-rib out"),
    ),
    Case("watchdog withdrawn first", WATCHDOGS.replace("dog dog", "dog cat"), ("!withdraw watchdog cat",)),
)
