"""Where bgpbus goes beyond ExaBGP: capabilities that BIRD and FRR agree upon, and withdrawals that BIRD can read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.interop.conftest import require
from tests.interop.lab import Place
from tests.routers.bird import Bird, ConfiguredBird
from tests.routers.frr import Frr
from tests.routers.process import PATIENCE, free_port, wait_for
from tests.routers.router import IPV4, Session
from tests.system.bed import Daemon, Helper

OURS, THEIRS = "127.0.0.1", "127.0.0.2"
ROUTES = "static { route 10.1.0.0/16 next-hop 192.0.2.1; }"
MARKED = "static { route 10.2.0.0/16 next-hop 192.0.2.1 attribute [ 0x23 0xc0 0x0000fdea ]; }"


@pytest.fixture
def clean() -> Iterator[list[Callable[[], object]]]:
    """Collect what ends the processes of a test."""
    ends: list[Callable[[], object]] = []
    yield ends
    for end in ends:
        end()


def neighbor(port: int, capability: str, body: str = "") -> str:
    return (
        f"neighbor {THEIRS} {{ router-id 10.0.0.1; local-address {OURS}; local-as 65001; peer-as 65002; connect {port};"
        f" family {{ ipv4 unicast; }} capability {{ {capability} }} {body} }}\n"
    )


def with_bird(
    place: Place, clean: list[Callable[[], object]], theirs: str, ours: str, body: str = ROUTES
) -> tuple[ConfiguredBird, Daemon]:
    require(Bird)
    directory, port = place(), free_port()
    bird = ConfiguredBird(
        directory / "bird",
        f"protocol bgp peer {{ {theirs} local {THEIRS} port {port} as 65002; neighbor {OURS} as 65001; passive;"
        " multihop; strict bind off; debug { states, events };"
        " ipv4 { import all; export none; gateway recursive; next hop keep; }; }\n",
    ).start()
    assert bird.process is not None
    clean.append(bird.process.stop)
    daemon = Daemon(directory, neighbor(port, ours, body))
    clean.append(daemon.clean_up)
    daemon.start()
    return bird, daemon


def test_roles_that_fit_make_a_session_and_mark_what_is_for_customers_only(
    place: Place, clean: list[Callable[[], object]]
) -> None:
    bird, _ = with_bird(place, clean, "local role customer; require roles;", "role provider; role-strict;")
    bird.has(1)
    assert "65001" in next(line for line in bird.ask("show", "route", "all").splitlines() if "otc" in line.lower())


@pytest.mark.parametrize(
    ("theirs", "ours"), [("local role provider;", "role provider;"), ("", "role customer; role-strict;")]
)
def test_roles_that_do_not_fit_make_none(
    place: Place, clean: list[Callable[[], object]], theirs: str, ours: str
) -> None:
    bird, daemon = with_bird(place, clean, theirs, ours)
    wait_for(lambda: "role" in daemon.tail(100).lower(), PATIENCE, lambda: daemon.tail(50))
    assert bird.count() == 0


def test_what_came_from_a_provider_is_not_sent_to_another(place: Place, clean: list[Callable[[], object]]) -> None:
    bird, _ = with_bird(
        place,
        clean,
        "local role provider;",
        "role customer;",
        f"{ROUTES} {MARKED}",
    )
    bird.has(1)
    assert "10.2.0.0/16" not in bird.ask("show", "route")


def test_frr_learns_for_how_long_it_may_keep_our_routes(place: Place, clean: list[Callable[[], object]]) -> None:
    require(Frr)
    directory, port = place(), free_port()
    session = Session(
        local_address=THEIRS,
        local_port=port,
        local_as=65002,
        peer_address=OURS,
        peer_port=0,
        peer_as=65001,
        router_id="10.0.0.2",
    )
    frr = Frr(directory, session)
    configuration = directory / "bgpd.conf"
    configuration.write_text(
        "router bgp 65002\n bgp router-id 10.0.0.2\n no bgp ebgp-requires-policy\n bgp graceful-restart\n"
        f" bgp long-lived-graceful-restart stale-time 100\n neighbor {OURS} remote-as 65001\n"
        f" neighbor {OURS} passive\n neighbor {OURS} ebgp-multihop\n"
    )
    frr.run(configuration)
    clean.append(frr.stop)
    ours = "graceful-restart 60; long-lived-graceful-restart 3600; link-local-nexthop; add-path receive;"
    daemon = Daemon(directory, neighbor(port, ours, "add-path { ipv4 unicast limit 4; } " + ROUTES))
    clean.append(daemon.clean_up)
    daemon.start()
    frr.wait_routes(IPV4, ["10.1.0.0/16"])
    shown = frr.ask(f"show bgp neighbors {OURS}")
    assert "Long-lived Graceful Restart: advertised and received" in shown
    assert "IPv4 Unicast: RX advertised and received" in shown  # it does not mind the other two


def test_bird_stays_when_routes_with_several_labels_are_withdrawn(
    place: Place, clean: list[Callable[[], object]]
) -> None:
    require(Bird)
    directory, port = place(), free_port()
    bird = ConfiguredBird(
        directory / "bird",
        "ipv4 table t4; ipv6 table t6;\n"
        f"protocol bgp peer {{ local {THEIRS} port {port} as 65002; neighbor {OURS} as 65001; passive; multihop;"
        " strict bind off; debug { states, events };"
        " ipv4 mpls { table t4; import all; export none; import table on; };"
        " ipv6 mpls { table t6; import all; export none; import table on; }; }\n",
    ).start()
    assert bird.process is not None
    clean.append(bird.process.stop)
    helper = Helper(directory, "feed")
    clean.append(helper.close)
    text = (
        f"neighbor {THEIRS} {{ router-id 10.0.0.1; local-address {OURS}; local-as 65001; peer-as 65002; connect {port};"
        " family { ipv4 nlri-mpls; ipv6 nlri-mpls; } api { processes [ feed ]; } }\n"
    )
    daemon = Daemon(directory, helper.configuration() + text)
    clean.append(daemon.clean_up)
    daemon.start()
    routes = (
        "route 10.2.0.0/24 label [ 200 300 ] next-hop 192.0.2.1\n",
        "route 2001:db8:2::/48 label [ 200 300 ] next-hop 2001:db8::1\n",
    )

    def imported() -> list[str]:
        return re.findall(r"Routes: +(\d+) imported", bird.ask("show", "protocols", "all", "peer"))

    helper.say("".join(f"announce {route}" for route in routes))
    wait_for(lambda: imported() == ["1", "1"], PATIENCE, lambda: f"both routes in BIRD\n{bird.log()}")
    helper.say("".join(f"withdraw {route}" for route in routes))
    wait_for(lambda: imported() == ["0", "0"], PATIENCE, lambda: f"no route in BIRD\n{bird.log()}")
    assert bird.log().count("BGP session established") == 1
