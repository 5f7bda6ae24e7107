"""What routes survive: with `daemon.durability` disk a reboot and a clean end, by default neither."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bgp.family import IPV4_UNICAST
from tests.routers.process import PATIENCE, wait_for
from tests.system.bed import Daemon, Helper, announce, kill_all, neighbor, processes_with, route, withdraw
from tests.system.peer import Peer, Route

ROUTES = 1000
CONFIGURED = "198.51.100.0/24"
CONFIGURED_ROUTE: Route = (IPV4_UNICAST, bytes(4) + bytes((24, 198, 51, 100)))
KEPT = set(map(route, range(10, ROUTES)))


class Host:
    """A daemon on a host that can be rebooted; its helper says only what it is told to."""

    def __init__(self, directory: Path, daemon: Daemon, peer: Peer, helper: Helper) -> None:
        self.directory, self.daemon, self.peer, self.helper = directory, daemon, peer, helper

    def announce(self) -> None:
        """Announce routes, and withdraw ten of them."""
        self.peer.established()
        self.helper.say("".join(map(announce, range(ROUTES))) + "".join(map(withdraw, range(10))))
        assert self.helper.answers(ROUTES + 10) == ["done"] * (ROUTES + 10)

    def reboot(self) -> None:
        """Kill everything at once, and forget what is in memory."""
        kill_all(str(self.directory))
        wait_for(lambda: not processes_with(str(self.directory)), PATIENCE, "everything to end")
        shutil.rmtree(self.daemon.run.path)

    def comes_back_with(self, routes: set[Route], configured: str = "") -> None:
        """Start, with a configured route or without, and wait until the peer has these and is told no more."""
        self.daemon.file.write_text(text_of(self.peer, self.helper, configured))
        self.daemon.start()
        self.peer.established(2)
        self.peer.has(routes)
        self.peer.quiet()
        self.peer.has(routes)
        # What the configuration has lost may be there until control has compared.
        assert self.peer.session.withdrawn.keys() <= {CONFIGURED_ROUTE}


def text_of(peer: Peer, helper: Helper, configured: str = "") -> str:
    static = f"static {{ route {configured} next-hop 192.0.2.1; }}" if configured else ""
    return helper.configuration() + neighbor(peer, f"api {{ processes [ once ]; }} {static}")


@pytest.fixture
def host(
    start: Callable[..., Daemon],
    make_peer: Callable[..., Peer],
    make_helper: Callable[[str], Helper],
    directory: Path,
    request: pytest.FixtureRequest,
) -> Host:
    peer, helper = make_peer(), make_helper("once")
    environment = {"exabgp_daemon_state": str(directory / "disk"), "exabgp_daemon_durability": request.param}
    return Host(directory, start(text_of(peer, helper, CONFIGURED), **environment), peer, helper)


@pytest.mark.parametrize("host", ["disk"], indirect=True)
def test_what_is_on_disk_survives_a_reboot_but_for_what_the_configuration_has_lost(host: Host) -> None:
    host.announce()
    host.reboot()
    host.comes_back_with(KEPT)


@pytest.mark.parametrize("host", ["disk"], indirect=True)
def test_what_is_on_disk_survives_a_clean_end_but_for_what_the_configuration_has_lost(host: Host) -> None:
    host.announce()
    assert host.daemon.stop() == 0
    assert not host.daemon.run.settings.exists()
    assert (host.directory / "disk").stat().st_mode & 0o007 == 0
    host.comes_back_with(KEPT)


@pytest.mark.parametrize("host", ["memory"], indirect=True)
def test_by_default_routes_do_not_outlive_the_host(host: Host) -> None:
    host.announce()
    host.reboot()
    host.comes_back_with({CONFIGURED_ROUTE}, CONFIGURED)
    assert not (host.directory / "disk").exists()


@pytest.mark.parametrize("host", ["disk"], indirect=True)
def test_a_state_on_disk_belongs_to_one_instance(host: Host, directory: Path) -> None:
    host.announce()
    other = Daemon(directory, text_of(host.peer, host.helper), host.daemon.environment)
    other.run = type(other.run)(directory / "other")
    other.log = directory / "other-log"
    try:
        other.start()
        wait_for(lambda: "journal/lock is locked by process" in other.log.read_text(), PATIENCE, "the refusal")
    finally:
        other.clean_up()
