"""Starting and ending: quickly, completely, and not at all where something is wrong."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bgp.message import MessageType
from bgp.notification import CEASE
from tests.routers.process import PATIENCE, free_port, wait_for
from tests.system.bed import Daemon, Helper, announce, neighbor, processes_with, route, write_script
from tests.system.peer import Peer

FIRST_OPEN = 14  # times that a Python with our packages starts, from `bgpbus run` to the peer's first octet
STARTING = "import click, msgpack, supervisor.supervisord, zmq"
ADMINISTRATIVE_SHUTDOWN = 2
END = 5.0  # seconds


def test_the_first_open_comes_soon(start: Callable[..., Daemon], make_peer: Callable[..., Peer]) -> None:
    """In as long as some Pythons take to start here and now: supervisord, and then a peerd, without waits between."""
    peer = make_peer()
    daemon = start(neighbor(peer))
    waited, starts = [], []
    for count in range(1, 4):
        before = time.monotonic()
        subprocess.run([sys.executable, "-c", STARTING], check=True)
        starts.append(time.monotonic() - before)
        session = peer.established(count)
        when = next(when for when, message in session.messages if message[18] == MessageType.OPEN)
        waited.append(when - daemon.started)
        assert daemon.stop() == 0
        assert len(peer.sessions) == count
        if count < 3:
            daemon.start()
    assert min(waited) < FIRST_OPEN * min(starts), (waited, starts)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_everything_with_a_word_to_every_peer(
    start: Callable[..., Daemon],
    make_peer: Callable[..., Peer],
    make_helper: Callable[[str], Helper],
    directory: Path,
    number: int,
) -> None:
    helper = make_helper("p")
    peers = [make_peer() for _ in range(3)]
    daemon = start(helper.configuration() + "".join(neighbor(peer, "api { processes [ p ]; }") for peer in peers))
    for peer in peers:
        peer.established()
    helper.say(announce(1))
    assert helper.answers(1) == ["done"]
    assert len(processes_with(str(directory))) > 6
    before = time.monotonic()
    assert daemon.stop(number, END) == 0
    assert time.monotonic() - before < END
    assert processes_with(str(directory)) == []
    assert "shutdown" in helper.heard()
    for peer in peers:
        peer.ended()
        notification = peer.session.notification
        assert notification is not None
        assert (notification.code, notification.subcode) == (CEASE, ADMINISTRATIVE_SHUTDOWN)
        assert len(peer.sessions) == 1
    assert "Traceback" not in daemon.log.read_text()


def test_a_helper_reads_that_its_sessions_ended_before_it_reads_of_the_end(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], make_helper: Callable[[str], Helper]
) -> None:
    helper, peers = make_helper("p"), [make_peer() for _ in range(3)]
    text = helper.configuration() + "".join(neighbor(p, "api { processes [ p ]; neighbor-changes; }") for p in peers)
    daemon = start(text)
    for peer in peers:
        peer.established()
    lines: list[str] = []

    def heard_of_all() -> bool:
        lines.extend(helper.heard())
        return {f"neighbor {peer.address} up" for peer in peers} <= set(lines)

    wait_for(heard_of_all, PATIENCE, lambda: str(lines))
    assert daemon.stop() == 0
    said = [line for line in [*lines, *helper.heard()] if line]
    downs = {f"neighbor {peer.address} down - stop, message [shutting down]" for peer in peers}
    assert set(said[-4:-1]) == downs
    assert said[-1] == "shutdown"


def test_a_clean_end_leaves_nothing_for_the_next_start(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], make_helper: Callable[[str], Helper], directory: Path
) -> None:
    helper = make_helper("p")
    peer = make_peer()
    daemon = start(
        helper.configuration() + neighbor(peer, "md5-password secret-word; api { processes [ p ]; }"), begin=False
    )
    daemon.file.write_text(helper.configuration() + neighbor(peer, "api { processes [ p ]; }"))
    daemon.start()
    peer.established()
    helper.say(announce(1))
    assert helper.answers(1) == ["done"]
    peer.has({route(1)})
    assert daemon.stop() == 0
    assert not list((directory / "run").glob("journal/*"))
    assert not list((directory / "run").glob("settings/*"))
    daemon.start()
    peer.established(2)
    peer.quiet()
    assert peer.session.table == {}


def test_a_command_that_comes_while_it_starts_waits_for_it(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer]
) -> None:
    peer = make_peer()
    daemon = start(neighbor(peer))
    peer.established()  # maybe before control is there
    assert peer.address in daemon.ask("show", "neighbor", "summary")


def test_nothing_is_imported_from_the_working_directory(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("apid", "bus", "msgpack", "queue", "ribd", "supervisor", "zmq"):
        (directory / f"{name}.py").write_text(f"open('{directory}/imported', 'a').write('{name}')\n")
    peer = make_peer()
    daemon = start(neighbor(peer), begin=False)
    bgpbus = [str(Path(sys.executable).with_name("bgpbus")), "--run-dir", str(daemon.run.path)]
    monkeypatch.setattr(daemon, "command", lambda *words: [*bgpbus, *words])
    daemon.start()
    peer.established()
    wait_for(lambda: "control ready" in daemon.log.read_text(), PATIENCE, daemon.tail)
    assert daemon.stop() == 0
    assert not (directory / "imported").exists()


def test_a_reload_finds_programs_from_where_the_daemon_was_started(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path
) -> None:
    (directory / "etc").mkdir()
    write_script(directory / "etc" / "program", "#!/bin/sh\necho ran >&2\nexec sleep 600\n")
    peer = make_peer()
    daemon = start(neighbor(peer), EXABGP_ETC="etc")
    peer.established()
    daemon.file.write_text("process p { run etc/exabgp/program; }\n" + neighbor(peer))
    daemon.ask("reload")
    wait_for(lambda: "helper stderr: ran" in daemon.log.read_text(), PATIENCE, daemon.tail)


def test_a_second_instance_refuses_and_the_first_never_notices(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer]
) -> None:
    peer = make_peer()
    daemon = start(neighbor(peer))
    peer.established()
    second = subprocess.run(
        daemon.command("run", str(daemon.file)),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=daemon.environment,
        check=False,
    )
    assert second.returncode == 2
    assert len(second.stderr.splitlines()) == 1
    assert "already running" in second.stderr
    assert str(daemon.run.path) in second.stderr
    peer.quiet()
    assert len(peer.sessions) == 1
    assert peer.session.ended is None


def refused(start: Callable[..., Daemon], text: str, **environment: str) -> list[str]:
    """Try to run a configuration that cannot be; return what was said."""
    daemon = start(text, begin=False, **environment)
    done = subprocess.run(
        daemon.command("run", str(daemon.file)),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=daemon.environment,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert processes_with(str(daemon.directory)) == []
    assert not daemon.run.path.exists() or not list(daemon.run.path.glob("peerd-*"))
    return done.stderr.splitlines()


GOOD = "neighbor 127.0.9.9 { router-id 10.0.0.1; local-address 127.0.0.1; local-as 1; peer-as 2; }\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("neighbor 127.0.9.9 {", "bgpbus.conf"),
        (GOOD.replace("router-id", "rooter-id"), "rooter-id"),
        (GOOD + "nonsense;\n", "nonsense"),
        (GOOD.replace("127.0.0.1;", "127.0.0.300;"), "127.0.0.300"),
        ("", "bgpbus.conf"),
    ],
    ids=["no end", "unknown word", "unknown section", "bad address", "empty"],
)
def test_a_broken_file_starts_nothing_and_is_told_by_its_place(
    start: Callable[..., Daemon], text: str, said: str
) -> None:
    lines = refused(start, text)
    assert f"{start(text, begin=False).file}:" in lines[0]
    assert said in " ".join(lines)


def test_a_helper_that_cannot_be_executed_starts_nothing(start: Callable[..., Daemon], directory: Path) -> None:
    script = directory / "script"
    script.write_text("#!/bin/sh\n")
    lines = refused(start, f"process p {{ run {script}; encoder text; }}\n" + GOOD)
    assert f"{script} is not executable" in lines[0]


def test_a_helper_that_is_missing_starts_nothing(start: Callable[..., Daemon], directory: Path) -> None:
    lines = refused(start, f"process p {{ run {directory}/nowhere; encoder text; }}\n" + GOOD)
    assert "nowhere" in " ".join(lines)


def test_a_port_that_is_taken_starts_nothing(start: Callable[..., Daemon]) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        [line] = refused(start, GOOD.replace("router-id", f"passive; listen {port}; router-id"))
    assert f"127.0.0.1 port {port}" in line
    assert "in use" in line


def test_a_bad_environment_starts_nothing(start: Callable[..., Daemon]) -> None:
    lines = refused(start, GOOD, exabgp_tcp_port="many")
    assert "many" in " ".join(lines)


def test_a_damaged_state_starts_nothing_and_what_is_said_of_it_helps(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path
) -> None:
    peer = make_peer()
    text = neighbor(peer, "static { route 10.0.0.1/32 next-hop 192.0.2.1; }")
    daemon = start(text)
    peer.established()
    wait_for(daemon.run.applied.exists, PATIENCE, daemon.tail)
    assert daemon.stop(signal.SIGKILL) != 0
    wait_for(lambda: not processes_with(str(directory)), PATIENCE, "everything to end")
    daemon.run.applied.write_bytes(b"\x93\x01")
    daemon.start()
    assert daemon.process is not None
    assert daemon.process.wait(PATIENCE) == 2
    assert f"{daemon.run.applied} is damaged" in daemon.log.read_text().splitlines()[-1]
    daemon.run.applied.unlink()
    daemon.run.lineage.unlink()
    daemon.file.write_text(text.replace("10.0.0.1", "10.0.0.2"))
    daemon.start()
    peer.established(2)
    peer.has({route(1), route(2)})


def test_a_helper_that_dies_at_once_does_not_hinder_anything(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path
) -> None:
    peer = make_peer()
    script = write_script(
        directory / "dies", "#!/bin/sh\necho 'announce route 10.0.0.1/32 next-hop 192.0.2.1'\nexit 3\n"
    )
    daemon = start(f"process p {{ run {script}; encoder text; }}\n" + neighbor(peer, "api { processes [ p ]; }"))
    peer.established()
    peer.has({route(1)})
    wait_for(lambda: daemon.log.read_text().count("helper exited status=3") > 2, PATIENCE, "the helper to be restarted")
    assert peer.session.announced[route(1)] == 1
    assert daemon.stop() == 0


def test_the_last_words_of_a_helper_are_carried_out(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path
) -> None:
    """A helper may say everything and go; the pipe holds a megabyte more than was read."""
    count = 60_000
    peer = make_peer()
    (directory / "routes").write_text("".join(map(announce, range(count))))
    start(
        f"process p {{ run /bin/cat {directory}/routes; respawn false; encoder text; }}\n"
        + neighbor(peer, "api { processes [ p ]; }")
    )
    peer.established()
    peer.has({route(number) for number in range(count)})
    assert set(peer.session.announced.values()) == {1}
