"""Routes of the families that FRR knows, announced by a helper: its bgpd accepts every one of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.conftest import require
from tests.interop.lab import Place
from tests.interop.test_families import HELPER
from tests.routers.frr import Frr
from tests.routers.process import PATIENCE, free_port, wait_for
from tests.routers.router import Session
from tests.routers.speaker import start_speaker

RD = "rd 65001:100"
TARGET = "extended-community [ target:65001:100 ]"
ESI = "00:11:22:33:44:55:66:77:88:99"
OVERLAY = f"{TARGET} next-hop 192.0.2.1"
IMPORT = f"extended-community es-import:{ESI} next-hop 192.0.2.1"
# Labelled unicast is left to GoBGP: FRR has it or unicast, not both. Rules of 240 octets and more, which RFC 8955
# section 4.1 allows, are refused by FRR 8.4.
FLOW = "announce flow route {{ match {{ {} }} then {{ {} }} }}"

# FRR's name of the family in its JSON -> its words in a configuration, ours, and commands
FAMILIES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "ipv4Unicast": (
        "ipv4 unicast",
        "ipv4 unicast",
        (
            "announce route 10.1.0.0/24 next-hop 192.0.2.1 med 5 aigp 7 atomic-aggregate aggregator 65001:192.0.2.9",
            "announce route 10.1.1.0/24 next-hop 192.0.2.1 as-path [ 1 70000 ] ( 3 4 ) large-community [ 1:2:3 ]",
            "announce route 10.1.2.0/24 next-hop 192.0.2.1 originator-id 192.0.2.7 cluster-list [ 192.0.2.8 ]",
        ),
    ),
    "ipv6Unicast": ("ipv6 unicast", "ipv6 unicast", ("announce route 2001:db8:1::/48 next-hop 2001:db8::1",)),
    "ipv4Multicast": ("ipv4 multicast", "ipv4 multicast", ("announce ipv4 multicast 10.1.0.0/24 next-hop 192.0.2.1",)),
    "ipv4Vpn": (
        "ipv4 vpn",
        "ipv4 mpls-vpn",
        (
            f"announce route 10.3.0.0/24 {RD} label 300 next-hop 192.0.2.1 {TARGET}",
            f"announce route 10.3.1.0/24 rd 192.0.2.1:7 label 300 next-hop 192.0.2.1 {TARGET}",
            f"announce vpnv4 10.3.2.0/24 rd 70000:7 label 300 next-hop 192.0.2.1 {TARGET}",
        ),
    ),
    "ipv6Vpn": (
        "ipv6 vpn",
        "ipv6 mpls-vpn",
        (f"announce route 2001:db8:3::/48 {RD} label 301 next-hop 2001:db8::1 {TARGET}",),
    ),
    "ipv4Flowspec": (
        "ipv4 flowspec",
        "ipv4 flow",
        (
            FLOW.format("source 10.4.0.0/16; destination-port [ =80 >8000&<9000 ]; protocol tcp;", "discard;"),
            FLOW.format("destination 10.4.1.0/24; tcp-flags [ =syn+ack !rst ]; fragment is-fragment;", "mark 10;"),
            FLOW.format("destination 10.4.2.0/24; icmp-type 3; icmp-code 1; dscp 5;", "redirect 65001:7;"),
            FLOW.format("destination 10.4.3.0/24; packet-length >200&<300; source-port =53;", "rate-limit 9600;"),
        ),
    ),
    "l2VpnEvpn": (
        "l2vpn evpn",
        "l2vpn evpn",
        (
            f"announce evpn ethernet-ad {ESI} 4294967295 {RD} {OVERLAY}",
            f"announce evpn macadvertisement aa:bb:cc:dd:ee:ff 10.6.0.1 1000 {RD} label 600 {OVERLAY}",
            f"announce evpn macadvertisement aa:bb:cc:dd:ee:01 2001:db8::5 0 {RD} label [ 600 601 ] {OVERLAY}",
            f"announce evpn multicast 192.0.2.1 {RD} pmsi-tunnel ingress-replication 600 192.0.2.1 {OVERLAY}",
            f"announce evpn ethernet-segment {ESI} 192.0.2.1 rd 192.0.2.1:1 {IMPORT}",
            f"announce evpn prefix 10.6.1.0/24 {RD} label 602 {OVERLAY}",
            f"announce evpn prefix 2001:db8:6::/64 {RD} label 602 {OVERLAY}",
        ),
    ),
}


class Bench:
    """bgpd with every family, and bgpbus announcing routes in each."""

    def __init__(self, directory: Path) -> None:
        require(Frr)
        self.directory = directory
        port = free_port()
        self.router = Frr(directory=directory, session=_session(port))
        configuration = directory / "bgpd.conf"
        configuration.write_text("\n".join(_configuration()) + "\n")
        self.router.run(configuration)
        helper = directory / "helper.py"
        lines = [command for _, _, commands in FAMILIES.values() for command in commands]
        helper.write_text(HELPER.format(python=sys.executable, lines=lines, result=str(directory / "answers")))
        helper.chmod(0o755)
        ours = " ".join(f"{family};" for _, family, _ in FAMILIES.values())
        speaker = directory / "speaker.conf"
        speaker.write_text(
            f"process lab {{ run {helper}; encoder json; }}\n"
            "neighbor 127.0.0.2 { router-id 10.0.0.1; local-address 127.0.0.1; local-as 65001; peer-as 65001;\n"
            f"  connect {port}; family {{ {ours} }} api {{ processes [ lab ]; }} }}\n"
        )
        self.speaker = start_speaker("bgpbus", speaker, directory, {})

    def neighbor(self) -> dict[str, Any]:
        found = self.router.ask_json("show bgp neighbors 127.0.0.1").get("127.0.0.1", {})
        return found if isinstance(found, dict) else {}

    def stop(self) -> None:
        self.speaker.stop()
        self.router.stop()


def _session(port: int) -> Session:
    return Session(
        local_address="127.0.0.2",
        local_port=port,
        local_as=65001,
        peer_address="127.0.0.1",
        peer_port=0,
        peer_as=65001,
        router_id="10.0.0.2",
    )


def _configuration() -> list[str]:
    peer = "neighbor 127.0.0.1"
    lines = ["router bgp 65001", "bgp router-id 10.0.0.2", "no bgp default ipv4-unicast", f"{peer} remote-as 65001"]
    lines += [f"{peer} update-source 127.0.0.2", f"{peer} passive", f"{peer} disable-connected-check"]
    for words, _, _ in FAMILIES.values():
        lines += [f"address-family {words}", f"{peer} activate", "exit-address-family"]
    return lines


@pytest.fixture(scope="module")
def bench(place: Place) -> Iterator[Bench]:
    made = Bench(place())
    yield made
    made.stop()


@pytest.mark.parametrize("family", FAMILIES)
def test_frr_accepts_every_route_of_the_family(bench: Bench, family: str) -> None:
    def accepted() -> bool:
        details = bench.neighbor().get("addressFamilyInfo", {}).get(family, {})
        return bool(details.get("acceptedPrefixCounter") == len(FAMILIES[family][2]))

    wait_for(
        accepted, PATIENCE, lambda: f"{bench.neighbor().get('addressFamilyInfo', {}).get(family)}{bench.router.log()}"
    )


def test_the_session_has_seen_no_notification(bench: Bench) -> None:
    statistics = bench.neighbor()["messageStats"]
    assert (statistics["notificationsSent"], statistics["notificationsRecv"]) == (0, 0)
