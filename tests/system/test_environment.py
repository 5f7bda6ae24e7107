"""The options of the environment that say where and how the daemon runs, with real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from apid.log_destination import Syslog
from tests.routers.process import PATIENCE, wait_for
from tests.system.bed import Daemon, Helper, announce, neighbor, processes_with, route, write_script
from tests.system.peer import Peer


def finished(daemon: Daemon, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """Start a daemon that ends by itself, or goes to the background."""
    return subprocess.run(
        daemon.command("run", str(daemon.file)),
        capture_output=True,
        text=True,
        timeout=seconds,
        env=daemon.environment,
        cwd=daemon.directory,
        check=False,
    )


def test_the_log_goes_to_a_file_that_may_be_moved_away(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path
) -> None:
    peer, log = make_peer(), directory / "own.log"
    daemon = start(neighbor(peer), exabgp_log_destination=f"file:{log}", exabgp_log_short="true")
    peer.established()
    wait_for(lambda: "control ready" in log.read_text(), PATIENCE, "the log")
    assert log.stat().st_mode & 0o777 == 0o640
    log.rename(directory / "moved.log")
    peer.session.sock.shutdown(socket.SHUT_RDWR)
    wait_for(lambda: log.exists() and log.read_text(), PATIENCE, "a new file")
    assert daemon.stop() == 0
    lines = [*(directory / "moved.log").read_text().splitlines(), *log.read_text().splitlines()]
    programs = {line.split()[0] for line in lines}
    assert {"bgpbus", "control", "ribd", f"peerd-{peer.address}"} <= programs
    assert "ended status=0" in lines[-1]
    assert daemon.log.read_text() == ""


def test_a_category_that_is_off_is_quiet_unless_something_is_wrong(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path
) -> None:
    peer = make_peer()
    script = write_script(directory / "dies", "#!/bin/sh\necho words >&2\nexit 3\n")
    text = f"process p {{ run {script}; }}\n" + neighbor(peer, "api { processes [ p ]; }")
    daemon = start(text, exabgp_log_network="false", exabgp_log_processes="false")
    peer.established()
    wait_for(lambda: "helper exited status=3" in daemon.log.read_text(), PATIENCE, "the warning")
    assert daemon.stop() == 0
    lines = daemon.log.read_text().splitlines()
    assert not [line for line in lines if "peerd-" in line.split()[2] and " INFO " in line]
    assert not [line for line in lines if "helper stderr" in line]


def test_nothing_is_logged_where_logging_is_off_and_everything_at_debug(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer]
) -> None:
    peer = make_peer()
    daemon = start(neighbor(peer), exabgp_log_enable="false")
    peer.established()
    assert daemon.stop() == 0
    assert daemon.log.read_text() == ""
    daemon.environment |= {"exabgp_log_enable": "true", "exabgp_log_level": "ERROR"}
    daemon.start()
    peer.established(2)
    assert daemon.stop() == 0
    assert not [line for line in daemon.log.read_text().splitlines() if " INFO " in line]


def test_a_destination_that_cannot_be_had_starts_nothing(start: Callable[..., Daemon], directory: Path) -> None:
    daemon = start(neighbor(Peer("127.0.9.9", 1)), begin=False, exabgp_log_destination=f"{directory}/no/where")
    done = finished(daemon)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [f"exabgp.log.destination is '{directory}/no/where': No such file or directory"]


def test_syslog_gets_a_datagram_for_each_line_and_may_be_started_again(tmp_path: Path) -> None:
    path = str(tmp_path / "log")

    def listen() -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sock.bind(path)
        return sock

    head = f"bgpbus[{os.getpid()}]: "
    first = listen()
    syslog = Syslog(socket.AF_UNIX, path)
    syslog.write([b"2026-11-22 08:00:00,123 control ERROR no", b"no line of ours"])
    assert [first.recv(1000).decode() for _ in range(2)] == [
        f"<27>{head}control ERROR no",
        f"<30>{head}no line of ours",
    ]
    first.close()
    os.unlink(path)
    syslog.write([b"nobody listens"])
    with listen() as second:
        syslog.write([b"2026-11-22 08:00:00,123 ribd WARNING again"])
        assert second.recv(1000).decode() == f"<28>{head}ribd WARNING again"


def test_the_process_id_is_in_its_file_until_the_end_and_a_second_daemon_refuses(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path, tmp_path: Path
) -> None:
    peer, file = make_peer(), directory / "bgpbus.pid"
    daemon = start(neighbor(peer), exabgp_daemon_pid=str(file))
    peer.established()
    assert daemon.process is not None
    assert file.read_text() == f"{daemon.process.pid}\n"
    other = finished(Daemon(tmp_path, neighbor(peer), {"exabgp_daemon_pid": str(file)}))
    assert other.returncode == 2
    assert f"exabgp.daemon.pid: {file} is locked by process {daemon.process.pid}" in other.stderr
    peer.quiet()
    assert daemon.stop() == 0
    assert not file.exists()


def test_it_goes_to_the_background_once_all_is_well(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path
) -> None:
    peer, file, log = make_peer(), directory / "bgpbus.pid", directory / "own.log"
    environment = {
        "exabgp_daemon_daemonize": "true",
        "exabgp_daemon_pid": str(file),
        "exabgp_log_destination": str(log),
    }
    daemon = start(neighbor(peer), begin=False, **environment)
    good = daemon.file.read_text()
    daemon.file.write_text("nonsense;\n")
    refused = finished(daemon)
    assert (refused.returncode, file.exists()) == (2, False)
    assert "nonsense" in refused.stderr
    daemon.file.write_text(good)
    done = finished(daemon)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), log.read_text()
    peer.established()
    pid = int(file.read_text())
    assert os.getsid(pid) not in (os.getsid(0), pid)
    assert {os.readlink(f"/proc/{pid}/fd/{number}") for number in range(3)} == {"/dev/null"}
    wait_for(lambda: "control ready" in log.read_text(), PATIENCE, "control")
    assert "established" in daemon.ask("show", "neighbor", "summary")
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not file.exists() and not processes_with(str(directory)), PATIENCE, "the end")
    assert "ended status=0" in log.read_text()


def test_the_daemon_ends_with_its_helper_where_that_is_wanted(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], make_helper: Callable[[str], Helper], directory: Path
) -> None:
    helper, peer = make_helper("p"), make_peer()
    daemon = start(helper.configuration() + neighbor(peer, "api { processes [ p ]; }"), exabgp_api_terminate="true")
    peer.established()
    helper.say(announce(1))
    assert helper.answers(1) == ["done"]
    peer.has({route(1)})
    assert daemon.process is not None
    wait_for(lambda: "control ready" in daemon.log.read_text(), PATIENCE, "control")
    former = helper.pid()
    assert former is not None
    os.kill(daemon.process.pid, signal.SIGUSR2)
    pid = helper.restarted(former)
    peer.quiet()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not processes_with(str(directory)), PATIENCE, "the end")
    assert daemon.process.wait(PATIENCE) == 0
    peer.ended()
    assert "the daemon ends with its helper" in daemon.log.read_text()


def test_a_signal_that_comes_before_everything_is_up_is_carried_out_then(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer]
) -> None:
    peer = make_peer()
    daemon = start(neighbor(peer))
    wait_for(lambda: " bgpbus INFO started " in daemon.log.read_text(), PATIENCE, "the start", 0.001)
    daemon.file.write_text(neighbor(peer, "static { route 10.0.0.1/32 next-hop 192.0.2.1; }"))
    assert daemon.process is not None
    os.kill(daemon.process.pid, signal.SIGUSR1)
    peer.established()
    peer.has({route(1)})


def test_a_reload_that_was_asked_for_beforehand_comes(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = make_peer()
    daemon = start(neighbor(peer), begin=False)
    command = daemon.command
    monkeypatch.setattr(daemon, "command", lambda *words: command(*words, "-s", "1"))
    daemon.start()
    wait_for(lambda: " bgpbus INFO started " in daemon.log.read_text(), PATIENCE, "the start", 0.001)
    daemon.file.write_text(neighbor(peer, "static { route 10.0.0.1/32 next-hop 192.0.2.1; }"))
    peer.established()
    peer.has({route(1)})


def test_a_process_without_an_encoder_has_that_of_the_environment(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], make_helper: Callable[[str], Helper]
) -> None:
    words, json_helper, peer = make_helper("words"), make_helper("objects"), make_peer()
    start(
        words.configuration("")
        + json_helper.configuration("encoder json;")
        + neighbor(peer, "api { processes [ words objects ]; neighbor-changes; }"),
        exabgp_api_encoder="text",
    )
    peer.established()
    assert words.answers(1)[0].startswith(f"neighbor {peer.address} ")
    assert json.loads(json_helper.answers(1)[0])["type"] == "state"


def test_a_delayed_start_can_be_called_off(start: Callable[..., Daemon], make_peer: Callable[..., Peer]) -> None:
    peer = make_peer()
    daemon = start(neighbor(peer), exabgp_tcp_delay="1440")
    wait_for(lambda: "waiting for the time to connect" in daemon.log.read_text(), PATIENCE, "the delay")
    assert daemon.stop() == 0
    assert peer.sessions == []


def test_a_peer_that_is_not_there_is_dialled_once_where_that_is_wanted(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer]
) -> None:
    peer = make_peer(listen=False)
    daemon = start(neighbor(peer), exabgp_tcp_once="true")
    wait_for(lambda: "connection failed" in daemon.log.read_text(), PATIENCE, "the attempt")
    peer.listen()
    peer.quiet(3)
    assert peer.sessions == []


def test_a_helper_that_wants_signals_alone_is_told_of_them(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], make_helper: Callable[[str], Helper]
) -> None:
    helper, peer = make_helper("p"), make_peer()
    daemon = start(helper.configuration("encoder json;") + neighbor(peer, "api { processes [ p ]; signal; }"))
    peer.established()
    helper.say("show neighbor summary\n")  # control answers it, so it knows the helper
    assert helper.answers(3)[-1] == "done"
    assert daemon.process is not None
    os.kill(daemon.process.pid, signal.SIGUSR1)
    event = json.loads(helper.answers(1)[0])
    assert (event["type"], event["neighbor"]["code"], event["neighbor"]["name"]) == ("signal", "10", "SIGUSR1")
    assert event["neighbor"]["address"]["peer"] == peer.address
