"""Helpers that misbehave in every way that a program can, all at the same time, harm nobody but themselves."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.faults.helpers import FED_ROUTES, Misbehaviour, log_lines, misbehave, prefixes
from tests.faults.product import Event, Lines, Product, memory_of
from tests.routers.process import PATIENCE, wait_for

pytestmark = pytest.mark.system

SILENT, FLOOD, MEBIBYTES = 40_000, 1_000_000, 100
SMALL = {"exabgp_api_memory": "1", "exabgp_api_spool": "1"}  # MiB of events
GENEROUS = 2.0  # seconds for the p99 of a command on a machine that is busy with everything else
DAEMON_MEMORY = 900  # MiB; ribd holds a million routes
BRIDGE_MEMORY = 120
ONE = {name: bytes((32, first, 0, 0, last)) for name, first, last in (("long-line", 23, 1), ("not-text", 24, 9))}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("helpers")


@pytest.fixture(scope="module")
def together(directory: Path) -> Misbehaviour:
    """All of them beside a good helper, on a session with hold time 3."""
    helpers: dict[str, tuple[object, ...]] = {
        "never-reads": ("never-reads", SILENT),
        "reads-late": ("reads-late", directory / "now", directory / "late"),
        "reads-slowly": ("reads-slowly",),
        "floods": ("floods", FLOOD),
        "long-line": ("long-line", MEBIBYTES),
        "not-text": ("not-text",),
        "closes-stdin": ("closes-stdin",),
        "closes-stdout": ("closes-stdout",),
        "exits-at-once": ("exits-at-once",),
        "ignores-term": ("ignores-term", directory / "stubborn"),
        "forks": ("forks", directory / "grandchildren"),
        "writes-to-stderr": ("writes-to-stderr",),
    }
    expected = prefixes(20, SILENT) | prefixes(22, FLOOD) | set(ONE.values()) | {bytes((32, 22, 255, 255, 255))}
    expected |= {bytes((32, first, 0, 0, 1)) for first in (25, 26)}

    def during(product: Product, result: Misbehaviour) -> None:
        product.wait(lambda: "do" in _log_of(product, "reads-late", "dropped"), PATIENCE, "events to be dropped")
        (directory / "helpers").write_text(product.ask("helpers"))
        (directory / "now").touch()
        late, told = Lines(directory / "late"), 0

        def told_of_all() -> bool:
            nonlocal told
            told += sum(map(_routes_of, late.new_events()))
            return told >= FED_ROUTES

        product.wait(told_of_all, PATIENCE, "the events that were kept, and the notice of what was lost")

    return misbehave(directory, helpers, expected, environment=SMALL, fed=FED_ROUTES, during=during)


def _routes_of(event: Event) -> int:
    """Return of how many of the routes that the peer announced an event tells: one, or those that were lost."""
    return int(event["lost"]) if event.get("notification") == "lost" else int(event["type"] == "update")


def _log_of(product: Product, helper: str, word: str) -> str:
    return "\n".join(line for line in product.log().splitlines() if f" helper-{helper} " in line and word in line)


def test_the_session_with_a_hold_time_of_three_seconds_stays_up(together: Misbehaviour) -> None:
    assert together.session_ended == ""
    assert together.longest_silence < 3


def test_no_daemon_dies_and_none_grows_without_bound(together: Misbehaviour) -> None:
    assert together.pids_after == together.pids_before
    assert "Traceback" not in together.log
    assert max(together.memory.values()) < DAEMON_MEMORY
    assert {
        name: size for name, size in together.memory.items() if name.startswith("helper-") and size > BRIDGE_MEMORY
    } == {}


def test_the_commands_of_a_good_helper_are_answered_all_the_time(together: Misbehaviour) -> None:
    assert len(together.latencies) > 100
    assert together.percentile(0.99) < GENEROUS


def test_every_route_of_a_helper_that_never_reads_its_answers_arrives(together: Misbehaviour) -> None:
    assert not prefixes(20, SILENT) - together.held


def test_every_route_of_a_flood_arrives(together: Misbehaviour) -> None:
    assert not prefixes(22, FLOOD) - together.held


@pytest.mark.parametrize("helper", ["long-line", "not-text"])
def test_a_line_that_is_no_command_is_refused_in_the_log_and_the_next_one_is_carried_out(
    together: Misbehaviour, helper: str
) -> None:
    lines = log_lines(together, helper)
    assert any("command refused" in line for line in lines)
    assert max(map(len, lines)) < 3000
    assert ONE[helper] in together.held


@pytest.mark.parametrize(("helper", "first"), [("closes-stdin", 25), ("closes-stdout", 26)])
def test_a_helper_that_closes_a_pipe_goes_on_and_the_log_says_so(
    together: Misbehaviour, helper: str, first: int
) -> None:
    assert bytes((32, first, 0, 0, 1)) in together.held
    lines = log_lines(together, helper)
    assert sum("helper started" in line for line in lines) == 1
    assert any(f"closed its {helper.removeprefix('closes-')}" in line for line in lines)


def test_a_helper_that_exits_at_once_is_started_again_ever_later(together: Misbehaviour) -> None:
    lines = log_lines(together, "exits-at-once")
    assert 2 <= sum("helper exited status=7" in line for line in lines) <= 30


def test_events_that_are_dropped_are_told_to_the_helper_the_log_and_the_taps(
    together: Misbehaviour, directory: Path
) -> None:
    events = [json.loads(line) for line in (directory / "late").read_bytes().split(b"\n")[:-1]]
    assert sum(event["lost"] for event in events if event.get("notification") == "lost") > 0
    # The peer's End-of-RIB is not among them; what is not told of is counted.
    assert sum(map(_routes_of, events)) >= FED_ROUTES
    assert any("events" in line and "dropped" in line for line in log_lines(together, "reads-late"))
    assert any(topic == "helper/reads-late" and data["state"] == "lost" for topic, data in together.taps)
    assert "lost" in (directory / "helpers").read_text()


@pytest.mark.parametrize(
    ("helper", "said"),
    [
        ("floods", "helper floods, its pipe pushes back"),
        ("forks", "helper is killed, with all that it started: it left processes behind"),
        ("ignores-term", "helper is killed, with all that it started: it did not end on SIGTERM"),
        ("writes-to-stderr", "helper stderr: lines not logged count="),
    ],
)
def test_the_log_names_who_did_it_and_says_what_was_done(together: Misbehaviour, helper: str, said: str) -> None:
    assert any(said in line for line in log_lines(together, helper))


def test_nothing_that_a_helper_started_is_left(together: Misbehaviour, directory: Path) -> None:
    pids = [int(word) for name in ("grandchildren", "stubborn") for word in (directory / name).read_text().split()]
    assert pids
    wait_for(lambda: not any(map(_runs, pids)) or None, PATIENCE, f"the end of {pids}")
    assert together.stop_seconds < 15


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_memory_can_be_measured() -> None:
    assert memory_of(os.getpid()) > 0
