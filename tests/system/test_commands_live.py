"""Groups, `session sync`, leases and the cap on FlowSpec rules, with the whole product, a helper and a peer."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from bgp.family import IPV4_FLOW, IPV4_UNICAST, IPV6_UNICAST
from bgp.settings import SessionSettings
from tests.routers.process import PATIENCE, wait_for
from tests.system.bed import Daemon, Helper, announce, neighbor, prefix, route, withdraw
from tests.system.peer import Peer

Start = Callable[..., Daemon]
MakePeer = Callable[..., Peer]
MakeHelper = Callable[[str], Helper]
LEASE = 3  # seconds


def one_of_each(start: Start, make_peer: MakePeer, make_helper: MakeHelper) -> tuple[Daemon, Peer, Helper]:
    """Start a daemon with one peer and one helper, and wait until both are there and ribd knows the session.

    The peer counts itself established before peerd and ribd do; until then nothing waits for the session.
    """
    peer, helper = make_peer(), make_helper("p")
    daemon = start(helper.configuration() + neighbor(peer, "api { processes [ p ]; }"))
    peer.wait(lambda: len(peer.established().ends_of_rib) == 2, PATIENCE, "the End-of-RIB of both families")
    helper.say("version\n")
    helper.answers(2)
    return daemon, peer, helper


# Groups


def test_nothing_of_a_group_is_sent_before_its_end_and_then_all_of_it(
    start: Start, make_peer: MakePeer, make_helper: MakeHelper
) -> None:
    _, peer, helper = one_of_each(start, make_peer, make_helper)
    helper.say(announce(1))
    peer.has({route(1)})
    peer.quiet()
    began = time.monotonic()
    helper.say("group start\n" + "".join(map(announce, range(2, 1002))) + withdraw(1) + "peer * " + announce(5000))
    assert helper.answers(1004) == ["done"] * 1004
    peer.quiet()
    assert peer.session.updates_since(began) == []
    helper.say("group end\n")
    said, done = helper.answers(2)
    assert json.loads(said) == {"status": "group processed", "commands": 1002, "announced": 1001, "withdrawn": 1}
    assert done == "done"
    peer.has({*map(route, range(2, 1002)), route(5000)})


def test_an_error_in_a_group_undoes_the_whole_group(start: Start, make_peer: MakePeer, make_helper: MakeHelper) -> None:
    daemon, peer, helper = one_of_each(start, make_peer, make_helper)
    helper.say("group start\n" + announce(1) + "announce route nonsense\n" + announce(2) + "group end\n" + announce(3))
    assert helper.answers(6) == ["done", "done", "error", "done", "error", "done"]
    peer.has({route(3)})
    assert set(peer.session.announced) == {route(3)}
    daemon.logs("nothing of the group was done")


def test_a_group_whose_helper_dies_is_never_carried_out(
    start: Start, make_peer: MakePeer, make_helper: MakeHelper
) -> None:
    _, peer, helper = one_of_each(start, make_peer, make_helper)
    helper.say("group start\n" + announce(1))
    assert helper.answers(2) == ["done", "done"]
    pid = helper.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    helper.restarted(pid)
    helper.say(announce(2) + "group end\n")
    assert helper.answers(2) == ["done", "error"]
    peer.has({route(2)})


def test_a_group_on_one_line_works_over_the_pipe_and_the_control_socket(
    start: Start, make_peer: MakePeer, make_helper: MakeHelper
) -> None:
    daemon, peer, helper = one_of_each(start, make_peer, make_helper)
    line = f"peer * group {announce(1).strip()} ; {announce(2).strip()} ; {withdraw(1).strip()}"
    helper.say(line + "\n")
    said, done = helper.answers(2)
    assert json.loads(said) == {"status": "group processed", "announced": 2, "withdrawn": 1}
    assert done == "done"
    peer.has({route(2)})
    daemon.ask("cli", line.replace("10.0.0.2", "10.0.0.3"))
    peer.has({route(2), route(3)})
    with pytest.raises(subprocess.CalledProcessError):
        daemon.ask("cli", f"peer * group {announce(7).strip()} ; announce route nonsense")
    peer.quiet()
    assert route(7) not in peer.session.announced
    text = f"group start\n{announce(8)}{announce(9)}group end\n"
    assert '"announced": 2' in daemon.ask("cli", text=text)
    peer.has({route(number) for number in (2, 3, 8, 9)})


# Sync


def test_session_sync_is_answered_when_the_peer_was_sent_what_was_acknowledged(
    start: Start, make_peer: MakePeer, make_helper: MakeHelper
) -> None:
    daemon, peer, helper = one_of_each(start, make_peer, make_helper)
    ribd = daemon.wait_for_programs("ribd")["ribd"]
    helper.say("".join(map(announce, range(20_000))) + "session sync\n")
    assert helper.answers(20_001) == ["done"] * 20_001
    # All is in the peer's socket: it needs nobody of ours any more.
    for pid in (ribd, daemon.wait_for_programs(f"peerd-{peer.address}")[f"peerd-{peer.address}"]):
        stop(pid)
    peer.has(set(map(route, range(20_000))))


def test_session_sync_fails_in_bounded_time_where_a_peer_reads_nothing(
    start: Start, make_peer: MakePeer, make_helper: MakeHelper
) -> None:
    daemon, peer, helper = one_of_each(start, make_peer, make_helper)
    peerd = daemon.wait_for_programs(f"peerd-{peer.address}")[f"peerd-{peer.address}"]
    stop(peerd)
    helper.say("session ack explain\n" + announce(1) + "session sync 1\n")
    assert helper.answers(4) == ["done", "done", f"error: not written after 1 s: {peer.address}", "error"]
    go_on(peerd)
    helper.say("session sync 20\n")
    assert helper.answers(1) == ["done"]
    peer.has({route(1)})
    peer.stop()
    daemon.logs("session down")
    helper.say(announce(2) + "session sync\n")
    assert helper.answers(2) == ["done", "done"]


def test_with_sync_on_every_answer_waits_for_the_wire(
    start: Start, make_peer: MakePeer, make_helper: MakeHelper
) -> None:
    daemon, peer, helper = one_of_each(start, make_peer, make_helper)
    peerd = daemon.wait_for_programs(f"peerd-{peer.address}")[f"peerd-{peer.address}"]
    helper.say("session sync enable\n" + announce(1))
    assert helper.answers(2) == ["done", "done"]
    stop(peerd)
    helper.say(announce(2))
    time.sleep(0.5)
    assert helper.heard() == []
    go_on(peerd)
    assert helper.answers(1) == ["done"]
    stop(peerd)
    helper.say("peer * " + announce(3, " async"))
    assert helper.answers(1) == ["done"]
    go_on(peerd)
    helper.say("session sync disable\n" + announce(4, " sync"))
    assert helper.answers(2) == ["done", "done"]
    assert "done" not in daemon.ask("cli", announce(5, " sync").strip())
    peer.has(set(map(route, range(1, 6))))


def test_session_sync_over_a_restart_of_ribd_waits_for_the_sessions(
    start: Start, make_peer: MakePeer, make_helper: MakeHelper
) -> None:
    daemon, peer, helper = one_of_each(start, make_peer, make_helper)
    peerd = daemon.wait_for_programs(f"peerd-{peer.address}")[f"peerd-{peer.address}"]
    stop(peerd)
    helper.say(announce(1))
    assert helper.answers(1) == ["done"]
    daemon.restarted("ribd", daemon.kill("ribd"))
    helper.say("session sync 20\n")
    time.sleep(0.5)
    assert helper.heard() == []
    go_on(peerd)
    assert helper.answers(1) == ["done"]
    peer.has({route(1)})


# Leases


def test_a_leased_route_is_withdrawn_unless_it_is_renewed_and_renewing_costs_no_update(
    start: Start, make_peer: MakePeer, make_helper: MakeHelper
) -> None:
    daemon, peer, helper = one_of_each(start, make_peer, make_helper)
    leased = [announce(number, f" ttl {LEASE}s") for number in (1, 2, 3)]
    helper.say("".join(leased) + announce(4))
    assert helper.answers(4) == ["done"] * 4
    peer.has(set(map(route, range(1, 5))))
    helper.say("show adj-rib out extensive\n")  # a program that asks would have to be started while the leases run
    *shown, _ = helper.answers(5)
    assert [line.rpartition(" ttl ")[2] in ("1", "2", "3") for line in shown] == [True, True, True, False]
    helper.say(announce(3))  # for good
    began = time.monotonic()
    while time.monotonic() < began + 2 * LEASE:
        helper.say(leased[1])
        time.sleep(0.3)
    peer.has({route(2), route(3), route(4)})
    assert peer.session.announced == {route(number): 1 for number in range(1, 5)}
    assert peer.session.withdrawn == {route(1): 1}
    peer.has({route(3), route(4)}, seconds=3 * LEASE)
    daemon.logs("leases ended")


def test_a_lease_ends_though_ribd_its_bridge_and_its_helper_were_killed(
    start: Start, make_peer: MakePeer, make_helper: MakeHelper
) -> None:
    daemon, peer, helper = one_of_each(start, make_peer, make_helper)
    helper.say(announce(1, f" ttl {LEASE}") + announce(2))
    peer.has({route(1), route(2)})
    ribd = daemon.kill("ribd")
    daemon.restarted("helper-p", daemon.kill("helper-p"))
    daemon.restarted("ribd", ribd)
    peer.has({route(2)}, seconds=10 + LEASE)
    daemon.restarted("ribd", daemon.kill("ribd"))
    daemon.ask("reload")
    peer.quiet()
    assert (peer.session.announced[route(1)], peer.session.withdrawn[route(1)]) == (1, 1)
    assert len(peer.sessions) == 1


@pytest.mark.parametrize(
    "command",
    [
        "announce attributes next-hop 192.0.2.1 ttl 2s nlri 198.51.100.0/24 203.0.113.0/24",
        "announce ipv4 unicast 198.51.100.0/24 next-hop 192.0.2.1 ttl 2s",
        "announce flow route { match { destination 198.51.100.1/32; } then { discard; } } ttl 2s",
        "announce flow route destination 198.51.100.1/32 discard ttl 2",
    ],
)
def test_every_form_of_announcement_takes_a_lease(
    command: str, start: Start, make_peer: MakePeer, make_helper: MakeHelper
) -> None:
    daemon, _, helper = one_of_each(start, make_peer, make_helper)
    helper.say(f"{command}\nshow adj-rib out extensive\n")
    done, *shown, last = helper.answers(3)
    assert (done, last) == ("done", "done")
    assert shown
    assert all(" ttl " in line for line in shown)
    wait_for(lambda: not daemon.ask("show", "adj-rib", "out").strip(), PATIENCE, "the lease to end")


# FlowSpec


def flow(number: int) -> str:
    """Return the command for a rule."""
    return f"announce flow route {{ match {{ destination {prefix(number)}; }} then {{ discard; }} }}\n"


def test_two_helpers_cannot_pass_the_limit_of_flowspec_rules_together(
    start: Start, make_peer: MakePeer, make_helper: MakeHelper
) -> None:
    families = (IPV4_UNICAST, IPV6_UNICAST, IPV4_FLOW)
    settings = SessionSettings(
        router_id=b"\x7f\0\0\x02", local_as=65002, peer_as=None, hold_time=90, families=families, route_refresh=True
    )
    peer, first, second = make_peer(settings=settings), make_helper("a"), make_helper("b")
    rule = "route { match { destination 192.0.2.1/32; } then { discard; } }"
    body = f"flow-limit 5; flow {{ {rule} }} api {{ processes [ a b ]; }}"
    section = neighbor(peer, body).replace("ipv6 unicast;", "ipv6 unicast; ipv4 flow;")
    daemon = start(first.configuration() + second.configuration() + section)
    peer.established()
    first.say("".join(map(flow, (1, 2, 3))))
    assert first.answers(3) == ["done"] * 3
    second.say("session ack explain\n" + flow(3) + announce(1) + flow(4) + flow(5) + announce(2))
    assert second.answers(7) == [
        "done",
        "done",
        "done",
        "done",
        f"error: neighbor {peer.address} has 5 FlowSpec rules and its flow-limit is 5: no room for 1 more",
        "error",
        "done",
    ]
    first.say(flow(6) + flow(1).replace("announce", "withdraw") + flow(6))
    assert first.answers(3) == ["error", "done", "done"]
    rules = peer.wait(
        lambda: [key for key in peer.session.table if key[0] == IPV4_FLOW][4:] or None, PATIENCE, "5 rules"
    )
    assert len(rules) == 1
    daemon.logs(f"neighbor {peer.address} has 5 FlowSpec rules and its flow-limit is 5")
    daemon.restarted("ribd", daemon.kill("ribd"))
    first.say(flow(9))
    assert first.answers(1) == ["error"]
    with pytest.raises(subprocess.CalledProcessError) as refused:
        daemon.ask("cli", flow(9).strip())
    assert "flow-limit is 5" in refused.value.stderr


def stop(pid: int) -> None:
    """Stop a process; what ends the test ends it, too."""
    os.kill(pid, signal.SIGSTOP)


def go_on(pid: int) -> None:
    """Let it go on."""
    os.kill(pid, signal.SIGCONT)


# Routes that a session cannot carry


def test_routes_of_a_family_that_was_not_negotiated_are_named_in_the_log(
    start: Start, make_peer: MakePeer, make_helper: MakeHelper
) -> None:
    daemon, peer, helper = one_of_each(start, make_peer, make_helper)
    helper.say("announce flow route destination 10.0.0.1/32 discard\n" + announce(1))
    assert helper.answers(2) == ["done", "done"]
    peer.has({route(1)})
    reason = f"routes withheld peer={peer.address} reason=ipv4 flow was not negotiated"
    daemon.logs(reason)


# The command line


def test_many_lines_of_the_command_line_need_few_descriptors(start: Start, make_peer: MakePeer) -> None:
    peer = make_peer()
    daemon = start(neighbor(peer))
    peer.established()
    limited = ["sh", "-c", 'ulimit -n 40; exec "$@"', "sh", *daemon.command("cli")]
    text = "".join(map(announce, range(1000))) + "announce foo\n" + announce(1000)
    done = subprocess.run(
        limited, input=text, capture_output=True, text=True, env=daemon.environment, timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "announce foo: unknown word" in done.stderr
    peer.has(set(map(route, range(1001))))


def test_on_a_terminal_the_command_line_has_a_prompt(start: Start, make_peer: MakePeer) -> None:
    peer = make_peer()
    daemon = start(neighbor(peer))
    peer.established()
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        daemon.command("cli"), stdin=theirs, stdout=theirs, stderr=theirs, env=daemon.environment, close_fds=True
    ) as process:
        os.close(theirs)
        os.write(ours, announce(1).encode() + b"announce foo\nquit\n")
        shown = b""
        with contextlib.suppress(OSError):  # the terminal is gone with the program
            while octets := os.read(ours, 4096):
                shown += octets
        os.close(ours)
        assert process.wait(PATIENCE) == 0
    lines = shown.decode().splitlines()
    assert lines.count("done") == 1
    assert any(line.startswith("Error: unknown word after 'announce' 'foo'") for line in lines)
    assert "bgpbus> quit" in shown.decode()
    peer.has({route(1)})
