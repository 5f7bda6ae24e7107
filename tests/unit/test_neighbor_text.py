"""A neighbor as it is printed: read again it is the same, whatever it sets."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from apid.compile import compile_configuration
from apid.config.directives import CAPABILITY, NEIGHBOR
from apid.config.draft import SECTIONS
from apid.config.load import load_text
from apid.config.model import Configuration, Neighbor
from apid.config.options import Environment
from apid.control.neighbor_text import neighbor_lines
from apid.control.neighbors import known_of
from bus.settings import ApiBinding, SessionConfiguration

HELPER = "process p { run /bin/cat; encoder json; }\n"
MANDATORY = "router-id 10.0.0.1; local-address 127.0.0.1; local-as 65001; peer-as 65002;"
ENVIRONMENT = Environment()

# Each directive with a value that is not its default, and with it what it needs to mean anything.
DIRECTIVES = {
    "description": 'description "an \\"edge\\"; of \\u00fc, \\\\ and ${things}";',
    "router-id": "router-id 10.9.9.9;",
    "local-address": "local-address auto;",
    "source-interface": 'source-interface "a b";',
    "local-as": "local-as auto;",
    "peer-as": "peer-as auto;",
    "hold-time": "hold-time 0;",
    "send-hold-time": "send-hold-time 600;",
    "flow-limit": "flow-limit 0;",
    "rate-limit": "rate-limit 5;",
    "passive": "passive;",
    "listen": "listen 1790;",
    "connect": "connect 1791;",
    "outgoing-ttl": "outgoing-ttl 5;",
    "incoming-ttl": "incoming-ttl 254;",
    "md5-password": 'md5-password "with \\" quotes and {; }";',
    "md5-base64": 'md5-password "//79/A=="; md5-base64 true;',
    "md5-ip": "md5-ip 127.0.0.9;",
    "host-name": "host-name edge;",
    "domain-name": "domain-name example.org;",
    "group-updates": "group-updates false;",
    "auto-flush": "auto-flush false;",
    "adj-rib-in": "adj-rib-in false;",
    "adj-rib-out": "adj-rib-out false;",
    "end-of-rib-wait": "end-of-rib-wait 7;",
    "manual-eor": "manual-eor true;",
}
CAPABILITIES = {
    "asn4": "asn4 disable;",
    "extended-message": "extended-message disable;",
    "route-refresh": "route-refresh;",
    "graceful-restart": "graceful-restart 77;",
    "add-path": "add-path send/receive;",
    "multi-session": "multi-session;",
    "operational": "operational;",
    "nexthop": "nexthop;",
    "aigp": "aigp;",
    "software-version": "software-version enable;",
    "link-local-nexthop": "link-local-nexthop;",
    "long-lived-graceful-restart": "graceful-restart 77; long-lived-graceful-restart 4242;",
    "role": "role customer;",
    "role-strict": "role peer; role-strict;",
}
PLACES = {
    "family": "family { ipv4 unicast; ipv6 unicast; ipv6 mpls-vpn; ipv4 flow; l2vpn evpn; }",
    "capability": "capability { graceful-restart; }",
    "add-path": "capability { add-path receive; } add-path { ipv4 unicast limit 3; ipv6 unicast; }",
    "nexthop": "nexthop { ipv4 unicast ipv6; ipv6 mpls-vpn ipv4; }",
    "maximum-prefix": """maximum-prefix {
        ipv4 unicast 7; ipv6 unicast 1000 warn 33 restart 60; ipv4 flow 4000000 warn 1 warning-only;
    }""",
    "api": """api {
        processes [ p ]; neighbor-changes; negotiated; fsm; signal;
        receive { parsed; packets; open; update; notification; }
        send { consolidate; keepalive; refresh; operational; }
    }""",
    "operational": """operational {
        asm afi ipv4 safi unicast advisory "one \\"quoted\\" word";
        rpcp afi ipv4 safi unicast router-id 10.0.0.9 sequence 4 counter 5;
    }""",
}
ROUTES = {"static", "announce", "flow", "l2vpn"}  # are not printed: `show adj-rib out` has them
ALL = (
    *DIRECTIVES.values(),
    "local-address 127.0.0.1;",  # as `listen` needs one
    *PLACES.values(),
    f"capability {{ {' '.join(CAPABILITIES.values())} }}",
)


def neighbor(statements: str) -> Neighbor:
    """Compile a neighbor that has these statements."""
    (found,) = load_text(f"{HELPER}neighbor 127.0.0.2 {{ {MANDATORY} {statements} }}", {"PATH": "/bin"}).neighbors
    return found


def printed(before: Neighbor) -> str:
    """Print a neighbor as `validate -n` does."""
    processes = load_text(HELPER, {"PATH": "/bin"}).processes
    compiled = compile_configuration(Configuration((before,), processes), ENVIRONMENT, "1")
    (session,) = compiled.peerds[f"peerd-{before.name}"].sessions
    bindings = [("p", ApiBinding.from_wire(binding)) for binding in compiled.helpers["p"].helper["bindings"]]
    known = known_of(SessionConfiguration.from_wire(session), f"peerd-{before.name}")
    return "\n".join(neighbor_lines(known, bindings, before.flow_limit))


def comparable(found: Neighbor) -> Neighbor:
    """Leave out where it stood; of the port to dial the environment's stands for none."""
    return replace(found, file="", line=0, connect=found.connect or ENVIRONMENT.tcp.port)


def assert_the_same_when_read_again(statements: str) -> None:
    before = neighbor(statements)
    (after,) = load_text(HELPER + printed(before), {"PATH": "/bin"}).neighbors
    assert comparable(after) == comparable(before)


def test_every_directive_and_section_is_here() -> None:
    assert DIRECTIVES.keys() == NEIGHBOR.keys()
    assert CAPABILITIES.keys() == CAPABILITY.keys()
    assert PLACES.keys() | ROUTES == SECTIONS.keys()


@pytest.mark.parametrize(
    "statements",
    [*DIRECTIVES.values(), *(f"capability {{ {each} }}" for each in CAPABILITIES.values()), *PLACES.values()],
    ids=[*DIRECTIVES, *(f"capability {name}" for name in CAPABILITIES), *(f"section {name}" for name in PLACES)],
)
def test_what_a_neighbor_sets_is_printed_so_that_it_can_be_read_again(statements: str) -> None:
    assert comparable(neighbor(statements)) != comparable(neighbor(""))
    assert_the_same_when_read_again(statements)


@pytest.mark.parametrize("statements", ["", "\n".join(ALL)], ids=["nothing", "everything"])
def test_a_neighbor_with_all_or_nothing_set_is_printed_whole(statements: str) -> None:
    assert_the_same_when_read_again(statements)
