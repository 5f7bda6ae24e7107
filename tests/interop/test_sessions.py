"""How sessions start, are protected, end and come back."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable

import pytest

from tests.interop.lab import KIND, OWN_AS, PEER_AS, Lab, Place, make_lab
from tests.routers.bird import Bird
from tests.routers.frr import Frr
from tests.routers.gobgp import GoBgp
from tests.routers.openbgpd import OpenBgpd
from tests.routers.process import PATIENCE, tcp_counter, wait_for
from tests.routers.router import IPV4, IPV6, Route, Router

Start = Callable[[Lab], Lab]

ROUTE = Route(prefix="10.60.0.0/16", next_hop="192.0.2.1")
with_bird_and_frr = pytest.mark.parametrize("router", [Bird, Frr], ids=lambda router: router.NAME)
over_both = pytest.mark.parametrize("transport", ["v4", "v6"])


def check_that_routes_flow(lab: Lab) -> None:
    """Announce a route through the helper and wait until the router has it."""
    lab.speaker.command(f"announce route {ROUTE.command()}")
    lab.router.wait_routes(IPV4, [ROUTE.prefix])


def check_that_it_is_refused(lab: Lab, start: Start, *counters: str) -> None:
    """Start and wait until the kernel threw away segments for a reason that `counters` count; no session came up."""
    before = sum(map(tcp_counter, counters))
    start(lab)
    lab.speaker.wait(lambda: sum(map(tcp_counter, counters)) > before, PATIENCE, f"{counters} to pass {before}")
    assert "up" not in lab.speaker.states()
    assert not lab.router.established()


@with_bird_and_frr
@over_both
def test_both_sides_that_dial_end_with_one_session(
    router: type[Router], transport: str, place: Place, start: Start
) -> None:
    lab = start(make_lab(router, place, transport=transport, router_passive=False)).wait_established()
    check_that_routes_flow(lab)
    states = lab.speaker.states()
    assert states.count("up") - states[states.index("up") :].count("down") == 1


@pytest.mark.parametrize("router", [Bird, Frr, OpenBgpd], ids=lambda router: router.NAME)
def test_a_passive_speaker_waits_to_be_dialled(router: type[Router], place: Place, start: Start) -> None:
    check_that_routes_flow(start(make_lab(router, place, speaker_passive=True)).wait_established())


@pytest.mark.parametrize("router", [Bird, Frr, OpenBgpd, GoBgp], ids=lambda router: router.NAME)
@over_both
def test_sessions_with_tcp_md5_come_up(router: type[Router], transport: str, place: Place, start: Start) -> None:
    # OpenBGPD 7.7 on Linux sets the key on the sockets that it dials with, but not on the one it listens on.
    speaker_passive = router is OpenBgpd or (transport == "v6" and router is not GoBgp)
    lab = make_lab(router, place, transport=transport, speaker_passive=speaker_passive, password="correct-horse")
    check_that_routes_flow(start(lab).wait_established())


@pytest.mark.parametrize("wrong", ["battery-staple", None], ids=["another key", "no key"])
@over_both
def test_a_wrong_tcp_md5_key_keeps_the_session_down(
    wrong: str | None, transport: str, place: Place, start: Start
) -> None:
    counters = ("TCPMD5Failure",) if wrong else ("TCPMD5NotFound", "TCPMD5Unexpected")
    passive, options = transport == "v6", {"password": wrong}
    lab = make_lab(
        Bird, place, transport=transport, speaker_passive=passive, password="correct-horse", router_options=options
    )
    check_that_it_is_refused(lab, start, *counters)


@pytest.mark.parametrize("router", [Bird, Frr, OpenBgpd], ids=lambda router: router.NAME)
@over_both
@pytest.mark.parametrize("passive", [False, True], ids=["dialling", "dialled"])
def test_sessions_with_ttl_security_come_up(
    passive: bool, router: type[Router], transport: str, place: Place, start: Start
) -> None:
    if KIND == "exabgp" and passive and router is not Bird:
        pytest.xfail("ExaBGP answers a connection with the default TTL")
    lab = make_lab(router, place, transport=transport, speaker_passive=passive, ttl_security=True)
    check_that_routes_flow(start(lab).wait_established())


@pytest.mark.parametrize("who", ["router", "speaker"])
def test_ttl_security_refuses_an_end_that_may_be_far_away(who: str, place: Place, start: Start) -> None:
    strict = who == "speaker"
    lab = make_lab(Bird, place, ttl_security=strict, router_options={"ttl_security": not strict})
    check_that_it_is_refused(lab, start, "TCPMinTTLDrop")


def test_a_router_that_falls_silent_is_dropped_when_the_hold_time_ends(place: Place, start: Start) -> None:
    lab = start(make_lab(Bird, place, hold_time=3)).wait_established()
    lab.router.signal(signal.SIGSTOP)
    lab.speaker.wait(lambda: "down" in lab.speaker.states(), PATIENCE, "state down after 3 s of silence")
    lab.speaker.wait(lambda: (4, 0) in lab.speaker.notifications("send"), PATIENCE, "NOTIFICATION 4/0")
    lab.router.signal(signal.SIGCONT)
    lab.speaker.wait_established(times=2)


@pytest.mark.parametrize("router", [Bird, Frr, OpenBgpd], ids=lambda router: router.NAME)
@pytest.mark.xfail(KIND == "exabgp", reason="ExaBGP closes the connection without a NOTIFICATION", strict=True)
def test_a_shutdown_tells_the_router_cease(router: type[Router], place: Place, start: Start) -> None:
    said = {
        Bird: r"Last error: +Received: Administrative shutdown",
        Frr: r"(?i)notification received.*cease/administrat\w+ shutdown",
        OpenBgpd: r"(?i)received notification: cease, administratively down|Cease, administratively",
    }
    lab = start(make_lab(router, place)).wait_established()
    lab.speaker.stop()
    wait_for(lambda: re.search(said[router], lab.router.last_error()), PATIENCE, lab.router.last_error, 0.2)


@with_bird_and_frr
def test_a_router_that_ends_takes_its_routes_along_and_gets_ours_again_when_it_returns(
    router: type[Router], place: Place, start: Start
) -> None:
    announced = Route(prefix="10.61.0.0/16", next_hop="192.0.2.1")
    lab = start(make_lab(router, place, announce=(announced,))).wait_established()
    lab.speaker.wait_received(IPV4, [announced.prefix])
    check_that_routes_flow(lab)
    lab.router.signal(signal.SIGKILL)
    lab.speaker.wait(lambda: lab.speaker.states()[-1:] == ["down"], PATIENCE, "state down after the router was killed")
    lab.router.start()
    lab.speaker.wait_established(times=2)
    lab.router.wait_routes(IPV4, [ROUTE.prefix])


def test_a_teardown_reaches_the_router_and_the_session_returns(place: Place, start: Start) -> None:
    lab = start(make_lab(Bird, place)).wait_established()
    lab.speaker.command(f"neighbor {lab.session.peer_address} teardown 4")
    lab.speaker.wait(lambda: "down" in lab.speaker.states(), PATIENCE, "state down after teardown")
    lab.speaker.wait(lambda: (6, 4) in lab.speaker.notifications("send"), PATIENCE, "NOTIFICATION 6/4")
    lab.speaker.wait_established(times=2)
    lab.speaker.wait(lambda: "Administrative reset" in lab.router.log(), PATIENCE, "BIRD to log why")


def test_a_notification_of_the_router_reaches_the_helper(place: Place, start: Start) -> None:
    lab = start(make_lab(Bird, place)).wait_established()
    lab.router.stop()
    lab.speaker.wait(lambda: (6, 2) in lab.speaker.notifications("receive"), PATIENCE, "NOTIFICATION 6/2 from BIRD")


def test_a_message_longer_than_4096_octets_passes_in_both_directions(place: Place, start: Start) -> None:
    many = tuple(f"65001:{number}:7" for number in range(1000, 1500))
    there = Route(prefix="10.62.0.0/16", next_hop="192.0.2.1", large_communities=many)
    back = Route(prefix="10.63.0.0/16", next_hop="192.0.2.1", large_communities=many)
    lab = start(make_lab(Bird, place, announce=(back,))).wait_established()
    lab.speaker.command(f"announce route {there.command()}")
    lab.router.wait_routes(IPV4, [there.prefix])
    assert isinstance(lab.router, Bird)
    whole = "bgp_large_community.len = 500 && bgp_large_community ~ [(65001,1499,7)]"
    assert there.prefix in lab.router.ask(f"show route where {whole}")
    assert lab.speaker.wait_received(IPV4, [back.prefix])[back.prefix].large_communities == many


def test_two_thousand_routes_fit_messages_of_4096_octets_without_extended_messages(place: Place, start: Start) -> None:
    lab = start(make_lab(Bird, place, extended_message=False)).wait_established()
    prefixes = [f"10.{64 + number // 256}.{number % 256}.0/24" for number in range(2000)]
    lab.speaker.command(*(f"announce route {prefix} next-hop 192.0.2.1" for prefix in prefixes))
    assert lab.router.wait_routes(IPV4, prefixes).keys() == set(prefixes)


def test_a_router_without_four_octet_as_numbers_gets_as4_path_and_puts_it_together(place: Place, start: Start) -> None:
    announced = Route(prefix="10.65.0.0/16", next_hop="192.0.2.1")
    options = {"four_octet_as": False}
    lab = start(make_lab(Bird, place, router_options=options, announce=(announced,), local_as=65001))
    lab.wait_established()
    path = (65001, 65010, 4200000009)
    lab.speaker.command(f"announce route 10.66.0.0/16 next-hop 192.0.2.1 as-path [ {' '.join(map(str, path))} ]")
    assert lab.router.wait_routes(IPV4, ["10.66.0.0/16"])["10.66.0.0/16"].as_path == path
    assert lab.speaker.wait_received(IPV4, [announced.prefix])[announced.prefix].as_path == (PEER_AS,)


def test_only_families_that_both_sides_have_are_used(place: Place, start: Start) -> None:
    lab = start(make_lab(Bird, place, router_options={"families": (IPV4,)})).wait_established()
    lab.speaker.command("announce route 2001:db8:6::/48 next-hop 2001:db8::1")
    check_that_routes_flow(lab)
    assert lab.router.routes(IPV6) == {}
    assert "down" not in lab.speaker.states()


def test_a_wrong_as_number_is_refused_with_bad_peer_as(place: Place, start: Start) -> None:
    lab = start(make_lab(Bird, place, router_options={"local_as": PEER_AS + 1}))
    lab.speaker.wait(
        lambda: (2, 2) in lab.speaker.notifications("send"), PATIENCE, f"2/2 for AS {PEER_AS + 1}, not {OWN_AS}"
    )
