"""Routes in both directions, over IPv4 and IPv6, inside an AS and between two, with every router."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.interop.conftest import require
from tests.interop.lab import OWN_AS, PEER_AS, ROUTERS, Lab, Place, make_lab
from tests.routers.gobgp import GoBgp
from tests.routers.process import PATIENCE
from tests.routers.router import IPV4, IPV6, Route, Router

NEXT_HOP = {IPV4: "192.0.2.1", IPV6: "2001:db8::1"}
SESSIONS = ("v4-ebgp", "v4-ibgp", "v6-ebgp", "v6-ibgp")
COMMUNITIES = ("65001:1", "65001:65535")
LARGE_COMMUNITIES = ("4200000001:1:2", "65001:3:4294967295")


def rich(prefix: str, ibgp: bool, **changes: object) -> Route:
    """Return a route with everything that a router can set and show."""
    fields: dict[str, object] = {
        "prefix": prefix,
        "next_hop": NEXT_HOP[IPV6 if ":" in prefix else IPV4],
        "med": 50,
        "local_pref": 150 if ibgp else None,
        "communities": COMMUNITIES,
        "large_communities": LARGE_COMMUNITIES,
    }
    return Route(**(fields | changes))  # type: ignore[arg-type]


def comparable(routes: dict[str, Route], ibgp: bool) -> dict[str, Route]:
    """Leave out the LOCAL_PREF that some routers show for eBGP routes, where it is their own default."""
    return routes if ibgp else {prefix: route.without_local_pref() for prefix, route in routes.items()}


@pytest.fixture(scope="module", params=ROUTERS, ids=lambda router: router.NAME)
def labs(request: pytest.FixtureRequest, place: Place) -> Iterator[dict[str, Lab]]:
    """Start four labs with one kind of router at once; over IPv6 the router dials, except GoBGP, which is slow to."""
    router: type[Router] = request.param
    require(router)
    made: dict[str, Lab] = {}
    for name in SESSIONS:
        transport, ibgp = name[:2], name.endswith("ibgp")
        routes = (rich("10.50.0.0/16", ibgp), rich("2001:db8:50::/48", ibgp))
        dials = transport == "v6" and router is not GoBgp
        made[name] = make_lab(router, place, transport=transport, ibgp=ibgp, speaker_passive=dials, announce=routes)
    try:
        for lab in made.values():
            lab.start_first()
        for lab in made.values():
            lab.start_second()
        for lab in made.values():
            lab.wait_established()
        yield made
    finally:
        for lab in made.values():
            lab.stop()


@pytest.fixture(params=SESSIONS)
def lab(request: pytest.FixtureRequest, labs: dict[str, Lab]) -> Lab:
    """Return one of the four labs."""
    return labs[request.param]


def test_routes_that_a_helper_announces_reach_the_router_with_exactly_their_attributes(lab: Lab) -> None:
    ibgp = lab.session.ibgp
    path = lab.path(65010, 4200000009)
    wanted = [
        rich("10.1.0.0/24", ibgp, as_path=path, origin="incomplete"),
        rich("10.1.1.1/32", ibgp, as_path=path, origin="egp", med=0),
        rich("2001:db8:1::/48", ibgp, as_path=path),
        rich("2001:db8:1::1/128", ibgp, as_path=path, communities=(), large_communities=()),
    ]
    assert lab.speaker.command(*(f"announce route {route.command()}" for route in wanted)) == ["done"] * 4
    for family in (IPV4, IPV6):
        routes = {route.prefix: route for route in wanted if route.family == family}
        seen = comparable(lab.router.wait_routes(family, routes), ibgp)
        assert {prefix: seen[prefix] for prefix in routes} == routes


def test_a_route_without_as_path_gets_our_as_outside_and_local_preference_100_inside(lab: Lab) -> None:
    lab.speaker.command("announce route 10.2.0.0/16 next-hop 192.0.2.1")
    route = lab.router.wait_routes(IPV4, ["10.2.0.0/16"])["10.2.0.0/16"]
    assert route.as_path == lab.path()
    assert route.origin == "igp"
    if lab.session.ibgp:
        assert route.local_pref == 100


def test_a_route_announced_again_replaces_the_former(lab: Lab) -> None:
    lab.speaker.command("announce route 10.3.0.0/16 next-hop 192.0.2.1 med 1")
    lab.router.wait_routes(IPV4, ["10.3.0.0/16"])
    lab.speaker.command("announce route 10.3.0.0/16 next-hop 192.0.2.2 med 2")

    def replaced() -> bool:
        route = lab.router.routes(IPV4).get("10.3.0.0/16")  # a router that is busy may not have answered
        return route is not None and (route.med, route.next_hop) == (2, "192.0.2.2")

    lab.speaker.wait(replaced, PATIENCE, f"{lab.router.NAME} to replace 10.3.0.0/16")


def test_routes_that_a_helper_withdraws_leave_the_router(lab: Lab) -> None:
    prefixes = {IPV4: ["10.4.0.0/16", "10.4.1.0/24"], IPV6: ["2001:db8:4::/48", "2001:db8:4:1::/64"]}
    for family, pair in prefixes.items():
        lab.speaker.command(*(f"announce route {prefix} next-hop {NEXT_HOP[family]}" for prefix in pair))
        lab.router.wait_routes(family, pair)
        lab.speaker.command(f"withdraw route {pair[0]} next-hop {NEXT_HOP[family]}", f"withdraw route {pair[1]}")
        lab.router.wait_gone(family, pair)


def test_routes_that_the_router_announces_reach_the_helper_as_json(lab: Lab) -> None:
    ibgp = lab.session.ibgp
    for prefix in ("10.50.0.0/16", "2001:db8:50::/48"):
        wanted = rich(prefix, ibgp, as_path=() if ibgp else (PEER_AS,))
        assert lab.speaker.wait_received(wanted.family, [prefix])[prefix] == wanted


def test_a_route_that_the_router_adds_and_removes_later_comes_and_goes(lab: Lab) -> None:
    lab.router.announce(rich("10.51.0.0/16", lab.session.ibgp))
    lab.speaker.wait_received(IPV4, ["10.51.0.0/16"])
    lab.router.withdraw("10.51.0.0/16")
    lab.speaker.wait(
        lambda: "10.51.0.0/16" not in lab.speaker.received(IPV4), PATIENCE, "the withdrawal of 10.51.0.0/16"
    )


def test_a_route_refresh_is_answered_with_the_routes(lab: Lab) -> None:
    if isinstance(lab.router, GoBgp):
        pytest.skip("GoBGP 3.10.0 has no command that sends a ROUTE-REFRESH")
    lab.speaker.command("announce route 10.5.0.0/16 next-hop 192.0.2.1")
    lab.router.wait_routes(IPV4, ["10.5.0.0/16"])
    before, ups = lab.router.updates_received(), lab.speaker.states().count("up")
    lab.router.request_refresh(IPV4)
    lab.speaker.wait(lambda: lab.router.updates_received() > before, PATIENCE, "the answer to a ROUTE-REFRESH")
    assert lab.speaker.states().count("up") == ups
    assert lab.router.established()


def test_what_the_helper_reads_says_who_is_who(lab: Lab) -> None:
    peer = OWN_AS if lab.session.ibgp else PEER_AS
    for event in lab.speaker.events("state"):
        neighbor = event["neighbor"]
        assert neighbor["asn"] == {"local": OWN_AS, "peer": peer}
        assert neighbor["address"] == {"local": lab.session.local_address, "peer": lab.session.peer_address}
