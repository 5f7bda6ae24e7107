"""What docs/quickstart.md tells a newcomer to do: its files as they stand there, but for the ports, with BIRD."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.conftest import require
from tests.interop.lab import Place
from tests.routers.bird import Bird
from tests.routers.process import PATIENCE, Process, find_program, free_port, output_of, wait_for
from tests.system.bed import Daemon
from tests.unit.test_docs import block_of

PAGE = "docs/quickstart.md"
PORT = "1791"  # the router's, on the page


@pytest.fixture
def first(place: Place) -> Iterator[tuple[Daemon, Callable[[], Process], Callable[..., str]]]:
    """Make the page's directory; yield the daemon, what starts the router, and what asks it."""
    require(Bird)
    directory, port = place(), str(free_port())
    helper = directory / "announcer.py"
    helper.write_text(block_of(PAGE, "#!/usr/bin/env python3").replace("/usr/bin/env python3", sys.executable))
    helper.chmod(0o755)
    daemon = Daemon(directory, block_of(PAGE, "process announcer").replace(PORT, port))
    (directory / "bird.conf").write_text(block_of(PAGE, "router id").replace(PORT, port))
    started: list[Process] = []

    def start() -> Process:
        files: list[str | Path] = ["-c", directory / "bird.conf", "-s", directory / "bird.ctl"]
        files += ["-P", directory / "bird.pid"]
        started.append(Process([find_program("bird"), "-f", *files], directory / "bird.log"))
        return started[0]

    def ask(*words: str) -> str:
        return output_of([find_program("birdc"), "-s", directory / "bird.ctl", *words])

    try:
        yield daemon, start, ask
    finally:
        daemon.clean_up()
        for process in started:
            process.stop()


def test_bird_has_the_route_of_the_quick_start(
    first: tuple[Daemon, Callable[[], Process], Callable[..., str]],
) -> None:
    daemon, start_router, ask = first
    assert "valid, 1 neighbor, 1 process, 0 routes" in daemon.ask("validate", str(daemon.file))
    daemon.start()
    daemon.logs("answer: done")

    def summary() -> str:
        return daemon.ask("show", "neighbor", "summary")

    wait_for(lambda: " ago: Connection refused\n" in summary() or None, PATIENCE, "the reason", 0.2)
    start_router()
    wait_for(lambda: "  established  " in summary() or None, PATIENCE, lambda: f"the session{daemon.tail()}", 0.2)
    wait_for(lambda: "198.51.100.0/24 " in ask("show", "route") or None, PATIENCE, "the helper's route", 0.1)
    assert "203.0.113.0/24 " in ask("show", "route")
    daemon.logs("event: update")
    assert daemon.ask("show", "adj-rib", "in") == "127.0.0.2 ipv4 unicast 203.0.113.0/24 next-hop 127.0.0.2\n"
    assert daemon.ask("announce", "route", "198.51.100.7/32", "next-hop", "self") == ""
    wait_for(lambda: "198.51.100.7/32 " in ask("show", "route") or None, PATIENCE, "the route of a person", 0.1)
