"""The health check as a program: real checks, real time, and real addresses in a network namespace of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from apid.healthcheck.identity import drop_privileges
from tests.root import needs_root
from tests.routers.process import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
PORT, OTHER_PORT, NAME_SERVER_PORT = (free_port() for _ in range(3))
FAST = ("--interval", "0.2", "--fast-interval", "0.2", "--rise", "2", "--fall", "2", "--timeout", "2")
VIP = ("--ip", "192.0.2.80")
UP = "neighbor * announce route 192.0.2.80/32 next-hop self med 100"
DOWN = "neighbor * announce route 192.0.2.80/32 next-hop self med 1000"
DISABLED = "neighbor * announce route 192.0.2.80/32 next-hop self med 500"
GONE = "neighbor * withdraw route 192.0.2.80/32 next-hop self"
PATIENCE = 30.0  # seconds for anything to happen on a busy machine

pytestmark = pytest.mark.system


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE:g} s for {what}"
        time.sleep(0.02)


class Healthcheck:
    """A running health check, its printed lines with their times, and a daemon that answers them."""

    def __init__(self, directory: Path, *arguments: str, answer: str = "done", prefix: tuple[str, ...] = ()) -> None:
        self.answer = answer
        self.before_answer: Callable[[str], None] = lambda line: None
        self.lines: list[str] = []
        self.times: list[float] = []
        self.errors = directory / "stderr"
        self.started = time.monotonic()
        command = [*prefix, sys.executable, "-m", "apid.healthcheck", *arguments]
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=directory,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        self._reader = threading.Thread(target=self._serve, daemon=True)
        self._reader.start()

    def _serve(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdin is not None
        for octets in self.process.stdout:
            line = octets.decode().strip()
            self.times.append(time.monotonic())
            self.lines.append(line)
            self.before_answer(line)
            if self.answer:
                try:
                    self.process.stdin.write(self.answer.encode() + b"\n")
                    self.process.stdin.flush()
                except OSError:
                    continue

    def wait_lines(self, count: int) -> list[str]:
        wait_for(lambda: len(self.lines) >= count, f"{count} lines, not {self.lines}; {self.log()}")
        return self.lines

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status

    def log(self) -> str:
        return self.errors.read_text()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Healthcheck]]:
    running: list[Healthcheck] = []

    def make(*arguments: str, setup: bool = False, **settings: object) -> Healthcheck:
        more = () if setup else ("--no-ip-setup",)
        check = Healthcheck(tmp_path, *more, *arguments, **settings)  # type: ignore[arg-type]
        running.append(check)
        return check

    yield make
    for check in running:
        if check.process.poll() is None:
            check.process.kill()
        check.process.wait()
        assert "Traceback" not in check.log()


@pytest.fixture
def namespace() -> Iterator[str]:
    """Return the name of an empty network namespace with its loopback up."""
    if os.geteuid() != 0:
        message = "network namespaces need root"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    name = f"healthcheck-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
    yield name
    subprocess.run(["ip", "netns", "delete", name], check=True)


def on_loopback(namespace: str) -> list[str]:
    command = ["ip", "-n", namespace, "-brief", "address", "show", "dev", "lo"]
    words = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return [word for word in words[2:] if word not in ("127.0.0.1/8", "::1/128")]


class Site:
    """A web site that says what the test wants."""

    def __init__(self) -> None:
        site = self
        self.status, self.body, self.delay = 200, b"all is well", 0.0

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                time.sleep(site.delay)
                self.send_response(site.status)
                self.end_headers()
                self.wfile.write(site.body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        ThreadingHTTPServer.allow_reuse_address = True
        self.server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


def test_a_service_is_announced_when_it_rises_and_quietly_until_it_falls(
    start: Callable[..., Healthcheck], site: Site
) -> None:
    times = ("--rise", "3", "--fall", "3", "--interval", "0.5", "--fast-interval", "0.3")
    check = start("--http", f"http://127.0.0.1:{PORT}/health", *times, *VIP)
    assert check.wait_lines(1) == [UP]
    assert check.times[0] - check.started >= 2 * 0.3
    time.sleep(1.2)
    assert check.lines == [UP]
    site.status = 500
    failed = time.monotonic()
    assert check.wait_lines(2) == [UP, DOWN]
    # From half a second (fast intervals alone) to one interval more, and a busy machine.
    assert 2 * 0.3 <= check.times[1] - failed < 0.5 + 2 * 0.3 + 2
    site.status = 204
    assert check.wait_lines(3) == [UP, DOWN, UP]
    assert check.stop() == 0
    assert check.lines == [UP, DOWN, UP, GONE]
    assert check.log().count("status 500") == 1


def test_what_the_page_says_counts_where_that_is_asked_for(start: Callable[..., Healthcheck], site: Site) -> None:
    page = ("--http", f"http://127.0.0.1:{PORT}/", "--http-status", "200,418", "--http-body", "well")
    check = start(*page, *FAST, *VIP)
    check.wait_lines(1)
    site.status = 418
    time.sleep(0.7)
    assert check.lines == [UP]
    site.body = b"all is lost"
    assert check.wait_lines(2) == [UP, DOWN]
    site.body = b"well again"
    assert check.wait_lines(3) == [UP, DOWN, UP]
    site.status = 204
    assert check.wait_lines(4)[3] == DOWN


def test_a_page_that_takes_too_long_is_down(start: Callable[..., Healthcheck], site: Site) -> None:
    site.delay = 1.0
    check = start("--http", f"http://127.0.0.1:{PORT}/", *FAST, "--timeout", "0.3", *VIP)
    assert check.wait_lines(1) == [DOWN]


def test_a_port_that_accepts_is_up(start: Callable[..., Healthcheck]) -> None:
    listener = socket.create_server(("127.0.0.1", OTHER_PORT))
    check = start("--tcp", f"127.0.0.1:{OTHER_PORT}", *FAST, *VIP)
    assert check.wait_lines(1) == [UP]
    listener.close()
    assert check.wait_lines(2) == [UP, DOWN]
    assert f"TCP 127.0.0.1 port {OTHER_PORT}: Connection refused" in check.log()


def test_a_name_server_that_knows_the_name_is_up(start: Callable[..., Healthcheck]) -> None:
    rcode = 0
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server:
        server.bind(("::1", NAME_SERVER_PORT))

        def serve() -> None:
            while True:
                try:
                    query, client = server.recvfrom(512)
                except OSError:
                    return
                is_aaaa = query[-3] == 28
                header = query[:2] + bytes([0x81, 0x80 | rcode]) + bytes([0, 1, 0, int(is_aaaa), 0, 0, 0, 0])
                record = bytes.fromhex("c00c001c00010000003c0010") + bytes(16)
                server.sendto(header + query[12:] + (record if is_aaaa else b""), client)

        threading.Thread(target=serve, daemon=True).start()
        check = start("--dns", f"www.example.com@[::1]:{NAME_SERVER_PORT}", *FAST, *VIP)
        assert check.wait_lines(1) == [UP]
        rcode = 2
        assert check.wait_lines(2) == [UP, DOWN]
        assert "SERVFAIL" in check.log()
        check.stop()


def test_repeat_prints_at_every_check_and_debounce_does_not(start: Callable[..., Healthcheck]) -> None:
    repeating = start("--repeat", "--cmd", "true", *FAST, *VIP)
    repeating.wait_lines(8)
    assert set(repeating.lines) == {UP}
    # On the whole: of two lines the first may be read late.
    assert repeating.times[7] - repeating.times[1] > 6 * 0.1
    quiet = start("--debounce", "--cmd", "true", *FAST, *VIP)
    quiet.wait_lines(1)
    time.sleep(0.8)
    assert quiet.lines == [UP]


def test_interval_zero_announces_once_and_ends(start: Callable[..., Healthcheck]) -> None:
    check = start("--interval", "0", "--fast-interval", "0.05", "--cmd", "false", *VIP)
    assert check.process.wait(PATIENCE) == 0
    check.stop()
    assert check.lines == [DOWN]


def test_a_stuck_check_is_killed_with_everything_it_started(start: Callable[..., Healthcheck], tmp_path: Path) -> None:
    command = "echo $$ >> pids; sleep 300 & echo $! >> pids; (sleep 301; true); true"
    check = start("--cmd", command, *FAST, "--timeout", "1", *VIP)
    assert check.wait_lines(1) == [DOWN]
    assert "no result in 1 s, killed" in check.log()
    check.stop()
    pids = [int(line) for line in (tmp_path / "pids").read_text().split()]
    assert len(pids) >= 4
    assert_ended(pids)


def test_a_check_under_way_is_killed_at_the_end(start: Callable[..., Healthcheck], tmp_path: Path) -> None:
    check = start("--cmd", "echo $$ >> pids; sleep 300 & echo $! >> pids; wait", *FAST, "--timeout", "0", *VIP)
    wait_for(lambda: (tmp_path / "pids").exists() and len((tmp_path / "pids").read_text().split()) == 2, "the check")
    begun = time.monotonic()
    assert check.stop() == 0
    assert time.monotonic() - begun < 2
    assert check.lines == [GONE]
    assert_ended([int(line) for line in (tmp_path / "pids").read_text().split()])


def assert_ended(pids: list[int]) -> None:
    def gone(pid: int) -> bool:
        try:
            return ") Z " in Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return True

    wait_for(lambda: all(gone(pid) for pid in pids), f"the end of {pids}")


def test_a_check_that_leaves_something_in_the_background_has_passed_at_once(start: Callable[..., Healthcheck]) -> None:
    check = start("--cmd", "sleep 3 & true", *FAST, "--timeout", "0.6", *VIP)
    assert check.wait_lines(1) == [UP]


def test_a_check_that_writes_a_lot_is_not_held_up(start: Callable[..., Healthcheck]) -> None:
    check = start("--cmd", "head -c 3000000 /dev/zero; echo; echo the end", "--debug", *FAST, *VIP)
    assert check.wait_lines(1) == [UP]
    assert "the end" in check.log()


def test_the_disable_file_acts_until_it_is_removed(start: Callable[..., Healthcheck], tmp_path: Path) -> None:
    disable = tmp_path / "disable"
    disable.touch()
    check = start("--disable", str(disable), "--cmd", "true", *FAST, *VIP)
    assert check.wait_lines(1) == [DISABLED]
    disable.unlink()
    assert check.wait_lines(2) == [DISABLED, UP]


def test_hooks_run_with_the_state_and_cannot_speak_to_the_daemon(
    start: Callable[..., Healthcheck], tmp_path: Path
) -> None:
    hooks = []
    for name in ("up-", "down-", "disabled-", ""):
        hooks += [f"--{name}execute", f"echo '{name}' $STATE >> hooks; echo announce nonsense"]
    bad = tmp_path / "bad"
    check = start("--cmd", "test ! -e bad", "--disable", "disable", *hooks, *FAST, *VIP)
    check.wait_lines(1)
    bad.touch()
    check.wait_lines(2)
    (tmp_path / "disable").touch()
    check.wait_lines(3)
    wait_for(lambda: (tmp_path / "hooks").read_text().endswith("DISABLED\n DISABLED\n"), "the last hooks")
    check.stop()
    assert check.lines == [UP, DOWN, DISABLED, GONE]
    lines = [" ".join(line.split()) for line in (tmp_path / "hooks").read_text().splitlines()]
    expected = ["RISING", "up- UP", "UP", "FALLING", "down- DOWN", "DOWN", "disabled- DISABLED", "DISABLED"]
    assert lines == expected


def test_a_stuck_hook_is_killed_and_a_withdrawal_does_not_wait_for_it(start: Callable[..., Healthcheck]) -> None:
    hook = ("--down-execute", "sleep 300", "--hook-timeout", "0.8")
    check = start("--cmd", "false", "--withdraw-on-down", *hook, *FAST, *VIP)
    assert check.wait_lines(1) == [GONE]
    wait_for(lambda: "hook sleep 300: no result in 0.8 s, killed" in check.log(), "the hook's end")
    assert check.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_withdraws_and_ends(start: Callable[..., Healthcheck], tmp_path: Path, number: int) -> None:
    pid_file = tmp_path / "web.pid"
    check = start("--pid", str(pid_file), *FAST, *VIP, "--path-id", "7")
    assert check.wait_lines(1) == [f"{UP} path-information 7"]
    assert pid_file.read_text() == f"{check.process.pid}\n"
    check.process.send_signal(signal.SIGUSR1)
    assert check.wait_lines(2)[1] == f"{UP} path-information 7"
    assert check.stop(number) == 0
    assert check.lines[2:] == [f"{GONE} path-information 7"]
    assert not pid_file.exists()


def test_a_refused_announcement_is_printed_again(start: Callable[..., Healthcheck]) -> None:
    check = start("--cmd", "true", *FAST, *VIP, answer="error")
    check.wait_lines(3)
    check.answer = "done"
    time.sleep(0.5)
    count = len(check.lines)
    time.sleep(0.6)
    assert check.lines == [UP] * count
    assert "the daemon refused" in check.log()


def test_a_daemon_that_never_answers_does_not_stop_the_checks(
    start: Callable[..., Healthcheck], tmp_path: Path
) -> None:
    check = start("--cmd", "test ! -e bad", *FAST, *VIP, "--ip", "192.0.2.81", answer="")
    assert len(check.wait_lines(2)) == 2
    (tmp_path / "bad").touch()
    assert check.wait_lines(4)[2] == DOWN
    begun = time.monotonic()
    assert check.stop() == 0
    assert time.monotonic() - begun < 4
    assert check.lines[4] == GONE


def test_without_answers_wanted_the_end_is_immediate(start: Callable[..., Healthcheck]) -> None:
    check = start("--no-ack", *FAST, *VIP, answer="")
    check.wait_lines(1)
    assert check.stop() == 0
    assert check.lines == [UP, GONE]
    assert time.monotonic() - check.times[1] < 1.4


def test_it_ends_when_nobody_reads_it_any_more_even_while_it_is_quiet(tmp_path: Path) -> None:
    arguments = ("--no-ip-setup", "--cmd", "true", "--interval", "60", "--fast-interval", "0.05", *VIP)
    process = subprocess.Popen(
        [sys.executable, "-m", "apid.healthcheck", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        assert process.stdout.readline().decode().strip() == UP
        process.stdout.close()
        assert process.wait(PATIENCE) == 1
        assert b"the daemon reads us no more" in process.stderr.read()
    finally:
        process.stderr.close()
        process.kill()


def test_too_many_changes_keep_it_down(start: Callable[..., Healthcheck], tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    check = start("--cmd", "test ! -e bad", "--max-changes", "2/4", *FAST, "--rise", "1", "--fall", "1", *VIP)
    check.wait_lines(1)
    first = check.times[0]
    bad.touch()
    check.wait_lines(2)
    bad.unlink()
    assert check.wait_lines(3) == [UP, DOWN, UP]
    assert check.times[2] - first >= 3.5  # the first line may be read late
    assert "held down" in check.log()


def test_syslog_may_be_missing_and_silence_is_silent(start: Callable[..., Healthcheck]) -> None:
    check = start("--silent", "--syslog-facility", "local3", *FAST, *VIP)
    check.wait_lines(1)
    assert check.stop() == 0
    assert check.log() == ""


@needs_root
def test_it_becomes_the_user_for_its_checks(start: Callable[..., Healthcheck]) -> None:
    command = 'test "$(id -u):$(id -g):$(id -G)" = "65534:65534:65534"'
    check = start("--user", "nobody", "--group", "nogroup", "--cmd", command, *FAST, *VIP)
    assert check.wait_lines(1) == [UP]


@needs_root
@pytest.mark.parametrize("names", [("nobody", "nogroup"), ("nobody", ""), ("", "nogroup"), ("65534", "65534")])
def test_who_is_that_user_already_needs_no_rights(names: tuple[str, str]) -> None:
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            drop_privileges(*names)
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_nothing_to_announce_is_an_error(start: Callable[..., Healthcheck], namespace: str) -> None:
    check = start(*FAST, prefix=("ip", "netns", "exec", namespace))
    assert check.process.wait(PATIENCE) == 1
    assert "nothing to announce" in check.log()


def test_addresses_are_there_before_the_first_line_and_until_the_last_is_answered(
    start: Callable[..., Healthcheck], namespace: str
) -> None:
    seen: list[tuple[str, list[str]]] = []
    prefixes = (*VIP, "--ip", "198.51.100.0/31", "--ip", "2001:db8::80", "--label", "web")
    check = start(*FAST, *prefixes, setup=True, prefix=("ip", "netns", "exec", namespace))
    check.before_answer = lambda line: seen.append((line.split()[2], on_loopback(namespace)))
    check.wait_lines(3)
    there = {"192.0.2.80/32", "198.51.100.0/32", "198.51.100.1/32", "2001:db8::80/128"}
    shown = subprocess.run(["ip", "-n", namespace, "address", "show", "dev", "lo"], capture_output=True, text=True)
    assert shown.stdout.count("lo:web") == 3
    assert check.stop() == 0
    assert [(verb, set(addresses)) for verb, addresses in seen] == [("announce", there)] * 3 + [("withdraw", there)] * 3
    assert on_loopback(namespace) == []


def test_addresses_are_set_up_and_taken_away_by_sudo_where_that_is_wanted(
    start: Callable[..., Healthcheck], namespace: str, tmp_path: Path
) -> None:
    sudo = tmp_path / "bin" / "sudo"
    sudo.parent.mkdir()
    sudo.write_text(f'#!/bin/sh\necho "asked $*" >> {tmp_path}/asked\n[ "$1" = -n ] && shift\nexec "$@"\n')
    sudo.chmod(0o755)
    path = f"PATH={sudo.parent}:{os.environ['PATH']}"
    check = start(*FAST, *VIP, "--sudo", setup=True, prefix=("ip", "netns", "exec", namespace, "env", path))
    check.wait_lines(1)
    assert on_loopback(namespace) == ["192.0.2.80/32"]
    assert check.stop() == 0
    assert on_loopback(namespace) == []
    asked = (tmp_path / "asked").read_text().splitlines()
    assert [line.split()[1:5] for line in asked] == [["-n", "ip", "address", verb] for verb in ("add", "delete")]


def test_addresses_follow_the_state_and_go_after_the_withdrawal(
    start: Callable[..., Healthcheck], namespace: str, tmp_path: Path
) -> None:
    seen: list[tuple[str, list[str]]] = []
    follow = ("--dynamic-ip-setup", "--withdraw-on-down", "--cmd", "test ! -e bad")
    check = start(*FAST, *VIP, *follow, setup=True, prefix=("ip", "netns", "exec", namespace))
    check.before_answer = lambda line: seen.append((line.split()[2], on_loopback(namespace)))
    check.wait_lines(1)
    (tmp_path / "bad").touch()
    check.wait_lines(2)
    wait_for(lambda: on_loopback(namespace) == [], "the address to go")
    (tmp_path / "bad").unlink()
    check.wait_lines(3)
    assert check.stop() == 0
    present = ["192.0.2.80/32"]
    assert seen == [("announce", present), ("withdraw", present), ("announce", present), ("withdraw", present)]
    assert on_loopback(namespace) == []


def test_addresses_of_the_loopback_are_announced_and_left_alone(
    start: Callable[..., Healthcheck], namespace: str
) -> None:
    for address, label in (("192.0.2.1/32", "lo:web1"), ("192.0.2.2/32", "lo:other"), ("192.0.2.0/28", "lo:web")):
        subprocess.run(["ip", "-n", namespace, "address", "add", address, "dev", "lo", "label", label], check=True)
    before = on_loopback(namespace)
    check = start("--label", "web", *FAST, setup=True, prefix=("ip", "netns", "exec", namespace))
    assert {line.split()[4] for line in check.wait_lines(2)} == {"192.0.2.1/32", "192.0.2.0/28"}
    check.stop()
    assert on_loopback(namespace) == before


def test_an_address_that_cannot_be_set_up_is_an_error_and_leaves_nothing_behind(
    start: Callable[..., Healthcheck], namespace: str
) -> None:
    wrong = ("--ip-ifname", "192.0.2.81%nothing0")
    check = start(*FAST, *VIP, *wrong, setup=True, prefix=("ip", "netns", "exec", namespace))
    assert check.process.wait(PATIENCE) == 1
    assert "nothing0" in check.log()
    assert check.lines == []
    assert on_loopback(namespace) == []


def test_a_configuration_file_with_everything_works(
    start: Callable[..., Healthcheck], namespace: str, tmp_path: Path
) -> None:
    (tmp_path / "web.conf").write_text("""# everything
debug
name = web
no-syslog
command = test a = a
disable = disable
interval = 0.2
fast-interval = 0.1
timeout = 1
rise = 2
fall = 2
max-changes = 9/60
ip = 192.0.2.80
ip = 192.0.2.82/31
deaggregate-networks = true
start-ip = 1
neighbor = 192.0.2.1
next-hop = 192.0.2.9
up-metric = 10
increase = 5
local-preference = 50
community = 65001:1 65001:2
disabled-community = 65001:9
extended-community = target:1:1
large-community = 65001:1:1
as-path = 65001
up-as-path = 65001 65001
path-id = 7
withdraw-on-down
label = web
up-execute = echo $STATE >> hooks
pid = web.pid
""")
    check = start("-F", "web.conf", setup=True, prefix=("ip", "netns", "exec", namespace))
    tail = (
        "local-preference 50 community [ 65001:1 65001:2 ] extended-community [ target:1:1 ] "
        "large-community [ 65001:1:1 ] as-path [ 65001 65001 ] path-information 7"
    )
    head = "neighbor 192.0.2.1 announce route"
    assert check.wait_lines(3) == [
        f"{head} 192.0.2.82/32 next-hop 192.0.2.9 med 10 {tail}",
        f"{head} 192.0.2.83/32 next-hop 192.0.2.9 med 15 {tail}",
        f"{head} 192.0.2.80/32 next-hop 192.0.2.9 med 20 {tail}",
    ]
    assert len(on_loopback(namespace)) == 3
    hooks = tmp_path / "hooks"  # hooks run after the lines
    wait_for(lambda: hooks.exists() and hooks.read_text() == "UP\n", "the hook")
    (tmp_path / "disable").touch()
    withdrawn = "neighbor 192.0.2.1 withdraw route 192.0.2.82/32 next-hop 192.0.2.9 path-information 7"
    assert check.wait_lines(6)[3] == withdrawn
    assert check.stop() == 0
    assert "INFO[healthcheck-web] state=DISABLED was=UP" in check.log()
    assert on_loopback(namespace) == []
