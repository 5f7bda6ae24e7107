"""What a helper finds around it when it is started, and what becomes of it when it ends, with the whole daemon."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bgp.message import build
from tests.routers.process import PATIENCE, wait_for
from tests.system.bed import Daemon, Helper, neighbor, processes_with, write_script
from tests.system.peer import Peer

ATTRIBUTES = bytes.fromhex("40010100 400206 02010000fdea 400304 c0000209")
UPDATE = build(2, b"\0\0" + len(ATTRIBUTES).to_bytes(2, "big") + ATTRIBUTES + bytes.fromhex("180a0201"))


def said(daemon: Daemon, name: str) -> list[str]:
    """Return what a helper wrote on its stderr, out of the log."""
    mark = f" helper-{name} INFO helper stderr: "
    return [line.partition(mark)[2] for line in daemon.log.read_text().splitlines() if mark in line]


def test_a_helper_finds_what_it_finds_under_exabgp(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path
) -> None:
    script = write_script(
        directory / "look",
        "#!/bin/sh\n"
        'echo "$(pwd) $TERM $(umask) $exabgp_tcp_port $OF_A_TEST ${exabgp_cli_pipe:-unset} $1-$2" >&2\n'
        'echo "$$ $(cut -d" " -f5 /proc/$$/stat)" >&2\n'
        "exec sleep 600\n",
    )
    daemon = start(
        f"process p {{ run {script} 'one word' two; encoder text; }}\n" + neighbor(make_peer()),
        OF_A_TEST="passed-on",
        exabgp_cli_pipe="/run/exabgp",
        exabgp_tcp_port="1790",
        TERM="xterm",
    )
    wait_for(lambda: len(said(daemon, "p")) == 2, PATIENCE, daemon.tail)
    surroundings, ids = said(daemon, "p")
    assert surroundings == "/ dumb 0137 1790 passed-on unset one word-two"
    pid, group = ids.split()
    assert pid == group


def test_one_run_is_one_run_and_any_end_is_followed_by_a_start_otherwise(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path
) -> None:
    once = write_script(directory / "once", "#!/bin/sh\necho ran >&2\nexit 1\n")
    again = write_script(directory / "again", "#!/bin/sh\necho ran >&2\nexit 0\n")
    peer = make_peer()
    daemon = start(
        f"process once {{ run {once}; respawn false; }}\nprocess again {{ run {again}; }}\n" + neighbor(peer)
    )
    wait_for(lambda: len(said(daemon, "again")) > 3, PATIENCE, daemon.tail)
    daemon.logs("helper exited status=1")
    assert said(daemon, "once") == ["ran"]
    peer.established()


def test_nothing_is_started_again_where_the_environment_says_so(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path
) -> None:
    script = write_script(directory / "once", "#!/bin/sh\necho ran >&2\n")
    peer = make_peer()
    daemon = start(f"process p {{ run {script}; }}\n" + neighbor(peer), exabgp_api_respawn="false")
    wait_for(lambda: "helper exited status=0" in daemon.log.read_text(), PATIENCE, daemon.tail)
    peer.established()
    peer.quiet(1)
    assert said(daemon, "p") == ["ran"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_helper_runs_as_the_user_of_the_environment_without_capabilities(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path
) -> None:
    directory.chmod(0o755)
    look = 'echo "$(id -un) $(id -G) $(grep CapEff /proc/self/status | cut -f2)" >&2'
    script = write_script(directory / "who", f"#!/bin/sh\n{look}\nexec sleep 600\n")
    daemon = start(f"process p {{ run {script}; }}\n" + neighbor(make_peer()), exabgp_daemon_user="nobody")
    wait_for(lambda: said(daemon, "p"), PATIENCE, daemon.tail)
    name, groups, capabilities = said(daemon, "p")[0].split()
    assert (name, int(groups), int(capabilities, 16)) == ("nobody", 65534, 0)


def test_a_helper_that_cleans_up_at_the_end_of_its_input_is_let(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path
) -> None:
    script = write_script(
        directory / "tidy",
        "#!/bin/sh\ntrap '' TERM\necho ready >&2\nwhile read -r line; do echo \"$line\" >&2; done\n"
        f"echo end > {directory}/tidied\n",
    )
    daemon = start(f"process p {{ run {script}; encoder text; }}\n" + neighbor(make_peer()))
    wait_for(lambda: "ready" in said(daemon, "p"), PATIENCE, daemon.tail)
    assert daemon.stop() == 0
    assert (directory / "tidied").read_text() == "end\n"
    assert [line for line in said(daemon, "p") if line][-1] == "shutdown"
    assert processes_with(str(directory)) == []


def test_each_helper_reads_the_json_of_the_release_that_it_was_written_for(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], make_helper: Callable[[str], Helper]
) -> None:
    helpers = {release: make_helper(f"p{release}") for release in "456"}
    processes = "".join(h.configuration(f"encoder json; json-version {r};") for r, h in helpers.items())
    names = " ".join(helper.name for helper in helpers.values())
    api = f"api {{ processes [ {names} ]; receive {{ parsed; update; }} }}"
    peer = make_peer()
    start(processes + neighbor(peer, api))
    wait_for(lambda: all(helper.pid() for helper in helpers.values()), PATIENCE, "the helpers")
    peer.established().send(UPDATE)
    updates = {release: _update(helper) for release, helper in helpers.items()}
    assert {r: event["exabgp"] for r, event in updates.items()} == {"4": "4.0.1", "5": "5.0.0", "6": "6.0.0"}
    assert {r: "router-id" in event["neighbor"] for r, event in updates.items()} == {"4": False, "5": True, "6": True}
    assert {r: "negotiated" in event["neighbor"] for r, event in updates.items()} == {"4": False, "5": False, "6": True}
    paths = {r: event["neighbor"]["message"]["update"]["attribute"]["as-path"] for r, event in updates.items()}
    assert paths["4"] == [65002]
    assert paths["5"] == paths["6"] == {"0": {"element": "as-sequence", "value": [65002]}}


def _update(helper: Helper) -> Any:
    """Wait for an event with routes."""
    lines: list[str] = []

    def found() -> Any:
        lines.extend(helper.heard())
        return next((event for event in map(json.loads, lines) if "update" in event["neighbor"]["message"]), None)

    return wait_for(found, PATIENCE, lambda: f"an update, not {lines}")
