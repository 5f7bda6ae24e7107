"""Every command that reaches control, carried out with daemons that only take notes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from apid.control import daemon, watchdogs
from apid.control.commands import OWN, carry_out
from apid.control.watchdogs import Watchdogs
from apid.grammar.command import COMMANDS
from bgp.family import IPV4_UNICAST
from bgp.message import MessageType
from bus.schema import ANNOUNCE, WITHDRAW_ANNOUNCED, WITHDRAW_FORM, RoutePage, SessionReply
from bus.settings import write_settings
from tests.unit.control_stage import CONFIGURATION, Stage, compiled

STATUS = {"state": "down", "fsm": "ACTIVE", "since": 0.0, "context": b"", "sent": {}, "received": {}, "prefixes": [],
          "last_error": "refused", "last_error_at": 1000.0}  # fmt: skip
FIRST, SECOND = "127.0.0.12", "127.0.0.13"


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = Stage(tmp_path)
    monkeypatch.setattr(daemon, "restart", lambda run, helpers: None)
    made.replies["status"] = lambda name, _: SessionReply(1, name, "", dict(STATUS))
    return made


def play(stage: Stage, line: str, client: str = "") -> tuple[list[str], str]:
    return stage.play(carry_out(stage.context, client, line))


ROUTE = "route 10.9.0.0/24 next-hop 192.0.2.1"


def test_a_line_that_is_no_command_fails_with_a_reason(stage: Stage) -> None:
    assert play(stage, "frobnicate") == ([], "unknown command 'frobnicate'")


@pytest.mark.parametrize("request_", ["", "{", "[]", "{}", '{"files": 1, "summary": true}', "[" * 100_000])
def test_a_request_for_differences_that_is_none_fails_with_a_reason(stage: Stage, request_: str) -> None:
    lines, error = play(stage, f"diff {request_}")
    assert lines == []
    assert error.startswith("diff: not a request: ")


def test_a_helper_that_is_not_configured_is_refused(stage: Stage) -> None:
    assert play(stage, "version", "nobody") == ([], "the helper 'nobody' is not configured")


def test_a_route_from_the_command_line_is_for_all_neighbors(stage: Stage) -> None:
    assert play(stage, f"announce {ROUTE}") == ([], "")
    ((targets, ((target, announce, afi, safi, _, items),)),) = stage.applied
    assert targets[target] == [FIRST, SECOND]
    assert (announce, afi, safi) == (1, *IPV4_UNICAST)
    assert items == [bytes(4) + bytes.fromhex("180a0900")]


def test_a_helper_commands_its_own_neighbors_only(stage: Stage) -> None:
    assert play(stage, f"announce {ROUTE}", "p") == ([], "")
    assert stage.applied[0][0] == [[FIRST]]
    lines, error = play(stage, f"neighbor {SECOND} announce {ROUTE}", "p")
    assert (lines, error) == ([], f"no neighbor matches the selector: there is {FIRST}")


def test_a_refusal_of_ribd_is_the_error(stage: Stage) -> None:
    stage.refusal = "the journal cannot be written"
    assert play(stage, f"announce {ROUTE}")[1] == "the journal cannot be written"


def test_next_hop_self_must_be_of_the_routes_family(stage: Stage) -> None:
    _, error = play(stage, "announce route 2001:db8::/32 next-hop self")
    assert error.startswith("next-hop self cannot be used: the route is ipv6, the local address of neighbor 127.0.0.12")
    assert stage.applied == []


def test_a_group_is_one_request(stage: Stage) -> None:
    lines, error = play(stage, f"peer {FIRST} group announce {ROUTE} ; withdraw route 10.8.0.0/24")
    assert error == ""
    assert json.loads(lines[0]) == {"status": "group processed", "announced": 1, "withdrawn": 1}
    ((targets, changes),) = stage.applied
    assert targets == [[FIRST]]
    assert [change[1] for change in changes] == [1, 0]


def test_a_group_with_one_wrong_member_changes_nothing(stage: Stage) -> None:
    _, error = play(stage, "peer * group announce route 10.0.0.0/24 next-hop self ; announce route ::/0 next-hop self")
    assert "next-hop self" in error
    assert stage.applied == []


@pytest.mark.parametrize("announce", [True, False])
def test_a_watchdog_of_the_configuration_announces_and_withdraws_its_routes(stage: Stage, announce: bool) -> None:
    assert play(stage, f"{'announce' if announce else 'withdraw'} watchdog dog") == ([], "")
    ((targets, ((_, announced, *_, items),)),) = stage.applied
    assert targets == [[FIRST]]
    assert announced == (1 if announce else 2)  # what was never announced is not withdrawn
    assert items == [bytes(4) + bytes.fromhex("180a0300")]


def test_a_watchdog_that_nobody_knows_controls_nothing(stage: Stage) -> None:
    assert play(stage, "announce watchdog cat") == ([], "")
    assert stage.applied == []


def test_a_watchdog_without_name_is_called_like_the_helper(tmp_path: Path) -> None:
    stage = Stage(tmp_path, CONFIGURATION.replace("watchdog dog", "watchdog p"))
    assert play(stage, "announce watchdog", "p") == ([], "")
    assert len(stage.applied) == 1
    assert play(stage, "announce watchdog")[1] == "the name of a watchdog is expected"


def test_a_route_that_is_announced_with_a_watchdog_is_found_again_after_a_death(stage: Stage) -> None:
    play(stage, f"announce {ROUTE} watchdog api withdraw")
    assert stage.applied == []  # it begins withdrawn
    stage.context.watchdogs = Watchdogs(stage.run.path / "watchdogs", lambda: None)
    play(stage, f"neighbor {SECOND} announce watchdog api")
    ((targets, _),) = stage.applied
    assert targets == [[SECOND]]
    play(stage, "withdraw route 10.9.0.0/24 watchdog api")
    stage.applied.clear()
    play(stage, "announce watchdog api")
    assert stage.applied == []


def reread(stage: Stage) -> Watchdogs:
    """Return what control would know after its death."""
    return Watchdogs(stage.run.path / "watchdogs", lambda: None)


def test_routes_that_are_put_under_a_watchdog_one_by_one_are_not_all_written_each_time(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    write = os.write
    monkeypatch.setattr(
        os, "write", lambda descriptor, octets: written.append(len(octets)) or write(descriptor, octets)
    )
    wholes = []
    monkeypatch.setattr(
        watchdogs, "write_settings", lambda path, value: wholes.append(path) or write_settings(path, value)
    )
    count = 2000
    for number in range(count):
        route = f"route 10.{number >> 8}.{number & 255}.0/24 next-hop 192.0.2.1"
        assert play(stage, f"announce {route} watchdog api withdraw") == ([], "")
        if number % 2:
            assert play(stage, f"withdraw {route} watchdog api") == ([], "")
        if number % 100 == 0:
            assert reread(stage)._announced == stage.watchdogs._announced
    assert len(wholes) < 8
    assert sum(written) < count * 300
    assert reread(stage)._announced == stage.watchdogs._announced
    assert len(stage.watchdogs._announced["api"]) == count  # half of them, of two neighbors each


def test_a_disk_that_is_full_costs_the_answer_and_nothing_else(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    play(stage, f"announce {ROUTE} watchdog api withdraw")
    write = os.write

    def full(descriptor: int, octets: bytes) -> int:
        return write(descriptor, octets[:5])

    monkeypatch.setattr(os, "write", full)
    _, error = play(stage, "announce route 10.9.1.0/24 next-hop 192.0.2.1 watchdog api withdraw")
    assert error.startswith("carried out, but the routes of watchdogs cannot be kept")
    assert len(reread(stage)._announced["api"]) == 2  # what was half written does not count
    monkeypatch.setattr(os, "write", write)
    stage.context.watchdogs = reread(stage)
    play(stage, "announce route 10.9.2.0/24 next-hop 192.0.2.1 watchdog api withdraw")
    assert reread(stage)._announced == stage.context.watchdogs._announced


def test_a_command_whose_routes_the_bus_cannot_carry_is_refused(stage: Stage) -> None:
    lines, error = play(stage, "announce route 2001:db8::/108 next-hop 2001:db8::1 split /128")
    assert (lines, stage.applied) == ([], [])
    assert error.endswith("more than the bus carries")
    assert play(stage, "announce route 2001:db8::/112 next-hop 2001:db8::1 split /128") == ([], "")
    (((*_, items),),) = (changes for _, changes in stage.applied)
    assert len(items) == 1 << 16


def test_neighbors_whose_watchdog_has_the_same_routes_are_addressed_together(stage: Stage) -> None:
    play(stage, f"announce {ROUTE} watchdog api withdraw")
    play(stage, "announce route 10.9.1.0/24 next-hop 192.0.2.1 watchdog api withdraw")
    assert play(stage, "announce watchdog api") == ([], "")
    ((targets, ((*_, items),)),) = stage.applied
    assert targets == [[FIRST, SECOND]]
    assert [item[4:].hex() for item in items] == ["180a0900", "180a0901"]


def applied_now(stage: Stage, line: str) -> list[tuple[list[str], int, int]]:
    """Carry out a command; return whom each change was for, its kind and how many routes it has."""
    stage.applied.clear()
    assert play(stage, line) == ([], "")
    return [(targets[0], change[1], len(change[-1])) for targets, (change,) in stage.applied]


def test_a_watchdog_withdraws_a_route_that_another_one_has_too_only_from_its_own_line(stage: Stage) -> None:
    play(stage, f"announce {ROUTE} watchdog api withdraw")
    play(stage, "announce route 10.9.1.0/24 next-hop 192.0.2.1 watchdog api withdraw")
    play(stage, f"neighbor {SECOND} announce {ROUTE} med 5 watchdog other withdraw")
    assert applied_now(stage, "withdraw watchdog api") == [
        ([FIRST], WITHDRAW_ANNOUNCED, 2),
        ([SECOND], WITHDRAW_ANNOUNCED, 1),
        ([SECOND], WITHDRAW_FORM, 1),
    ]


def test_a_watchdog_that_is_announced_again_leaves_what_was_announced_since_to_the_other(stage: Stage) -> None:
    play(stage, "announce route 10.3.0.0/24 next-hop 192.0.2.1 watchdog api withdraw")
    play(stage, "announce route 10.9.1.0/24 next-hop 192.0.2.1 watchdog api withdraw")
    for line, change in (
        ("announce watchdog api", ([FIRST, SECOND], ANNOUNCE, 2)),
        ("announce watchdog dog", ([FIRST], ANNOUNCE, 1)),
        ("announce watchdog dog", ([FIRST], ANNOUNCE, 1)),
        ("withdraw watchdog dog", ([FIRST], WITHDRAW_FORM, 1)),
        ("announce watchdog api", ([FIRST, SECOND], ANNOUNCE, 2)),
    ):
        assert applied_now(stage, line) == [change]
    play(stage, "announce watchdog dog")
    again = [([FIRST], ANNOUNCE, 1), ([SECOND], ANNOUNCE, 2)]
    assert applied_now(stage, "announce watchdog api") == again
    stage.watchdogs.keep([SECOND])
    stage.watchdogs.keep([FIRST, SECOND])
    assert stage.watchdogs._rivals._order.keys() == {SECOND}


def test_the_lines_of_a_new_configuration_count_at_once(stage: Stage) -> None:
    assert applied_now(stage, "withdraw watchdog dog") == [([FIRST], WITHDRAW_ANNOUNCED, 1)]
    line = "route 10.3.0.0/24 next-hop 192.0.2.9 watchdog dog withdraw;"
    stage.compiled = compiled(CONFIGURATION.replace(line, f"route 10.3.0.0/24 next-hop 192.0.2.9 med 5; {line}"))
    assert applied_now(stage, "withdraw watchdog dog") == [([FIRST], WITHDRAW_FORM, 1)]


def test_of_watchdogs_that_nobody_knows_nothing_is_kept(stage: Stage) -> None:
    for number in range(10):
        play(stage, f"announce watchdog cat{number}")
    assert stage.watchdogs._rivals._order == {}


def test_a_neighbor_that_is_gone_leaves_nothing_to_a_watchdog(stage: Stage) -> None:
    play(stage, f"announce {ROUTE} watchdog api withdraw")
    play(stage, f"neighbor {SECOND} announce {ROUTE} watchdog other withdraw")
    stage.watchdogs.keep([FIRST])
    for known in (stage.watchdogs, reread(stage)):
        assert [names for names, _ in known.find("api", {FIRST, SECOND})] == [[FIRST]]
        assert known.find("other", {FIRST, SECOND}) == []


def test_clear_out_withdraws_at_ribd_and_clear_in_forgets_at_the_sessions(stage: Stage) -> None:
    assert play(stage, "clear adj-rib out") == ([], "")
    assert stage.cleared == [[FIRST, SECOND]]
    assert play(stage, f"neighbor {FIRST} clear adj-rib in") == ([], "")
    assert stage.asked == [(FIRST, "clear-in", [])]


@pytest.mark.parametrize(
    ("line", "action", "arguments"),
    [
        ("announce eor ipv6 unicast", "eor", ["2", "1"]),
        ("announce eor", "eor", ["1", "1"]),
        ("announce route-refresh ipv4 unicast", "refresh", ["1", "1"]),
        ("announce refresh ipv4 flow", "refresh", ["1", "133"]),
        ("flush adj-rib out", "resend", []),
        ("rib flush out", "resend", []),
        ("neighbor * teardown 4", "teardown", ["4"]),
    ],
)
def test_commands_about_sessions_reach_every_session(
    stage: Stage, line: str, action: str, arguments: list[str]
) -> None:
    assert play(stage, line) == ([], "")
    assert stage.asked == [(FIRST, action, arguments), (SECOND, action, arguments)]


def test_teardown_without_a_selector_does_nothing(stage: Stage) -> None:
    assert play(stage, "teardown 4") == ([], "")
    assert stage.asked == []


def test_one_session_that_acts_is_enough(stage: Stage) -> None:
    stage.replies["eor"] = lambda name, _: SessionReply(1, name, "" if name == FIRST else "down", {})
    assert play(stage, "announce eor")[1] == ""
    assert play(stage, f"neighbor {SECOND} announce eor")[1] == f"{SECOND}: down"
    stage.replies["eor"] = lambda name, _: None
    assert play(stage, "announce eor")[1] == f"{FIRST}: no answer; {SECOND}: no answer"


def test_an_operational_message_carries_each_sessions_identifier(stage: Stage) -> None:
    assert play(stage, "announce operational rpcq afi ipv4 safi unicast sequence 7") == ([], "")
    message = bytes.fromhex(stage.asked[0][2][0])
    assert message[18] == MessageType.OPERATIONAL
    assert message[-8:] == bytes((10, 0, 0, 1, 0, 0, 0, 7))


def test_reload_fails_with_the_reason_of_the_configuration(stage: Stage) -> None:
    assert play(stage, "reload") == (["reload in progress"], "")
    stage.reload_error = "f:1:1: wrong"
    assert play(stage, "reload")[1] == "f:1:1: wrong"


def test_restart_tears_every_session_down_after_a_reload_that_worked(stage: Stage) -> None:
    stage.reload_error = "wrong"
    assert play(stage, "restart")[1] == "wrong"
    assert stage.asked == []
    stage.reload_error = ""
    assert play(stage, "restart") == (["restart in progress"], "")
    assert [(name, action) for name, action, _ in stage.asked] == [(FIRST, "teardown"), (SECOND, "teardown")]


def test_shutdown_says_so_first(stage: Stage) -> None:
    assert play(stage, "shutdown") == (["shutdown in progress"], "")
    assert stage.was_shut_down


def test_version_is_what_helpers_expect(stage: Stage) -> None:
    lines, _ = play(stage, "version")
    assert lines[0].startswith("exabgp 5.0.0 bgpbus ")
    assert json.loads(play(stage, "version json")[0][0])["application"] == "bgpbus"


def test_status_lists_every_session_even_without_an_answer(stage: Stage) -> None:
    stage.replies["status"] = lambda name, _: SessionReply(1, name, "", dict(STATUS)) if name == FIRST else None
    ((line,), error) = play(stage, "status")
    assert error == ""
    assert json.loads(line)["peers"] == {FIRST: "ACTIVE", SECOND: "UNKNOWN"}


def test_peer_list_has_what_release_6_prints(stage: Stage) -> None:
    ((line,), _) = play(stage, "peer list")
    assert json.loads(line)[0] == {"peer-address": FIRST, "peer-as": 65002, "state": "ACTIVE"}


def test_queue_status_sums_what_waits(stage: Stage) -> None:
    stage.helper_states = {"p": {"answers": 3, "memory": 10, "spool": 5}}
    assert json.loads(play(stage, "system queue-status")[0][0]) == {"p": {"items": 3, "bytes": 15}}


def test_helpers_whose_bridge_is_away_are_listed(stage: Stage) -> None:
    assert json.loads(play(stage, "helpers")[0][0]) == {"p": {}}


def test_our_own_commands_are_not_for_helpers(stage: Stage) -> None:
    for line in OWN:
        assert play(stage, line, "p")[1] != ""


ARGUMENTS: dict[str, str] = {
    "teardown": "4",
    "announce route-refresh": "ipv4 unicast",
    "announce refresh": "ipv4 unicast",
    "announce operational": "asm afi ipv4 safi unicast advisory hello",
    "announce watchdog": "dog",
    "withdraw watchdog": "dog",
    "session sync": "enable",
    "show neighbor": "summary",
    "peer show": "summary",
    "peer create": "127.0.0.14 router-id 10.0.0.1 local-address 127.0.0.11 local-as 65001 peer-as 65004",
    "create neighbor": "127.0.0.14 router-id 10.0.0.1 local-address 127.0.0.11 local-as 65001 peer-as 65004 keep",
    "peer delete": FIRST,
    "delete neighbor": f"{FIRST} peer-as 65002",
}
SELECTED = {"enable"}
FAILING = {"crash", "system crash", "group start", "group end"}


ROUTES = ("announce", "withdraw")
ROWS = [row for row in COMMANDS if row.name in ARGUMENTS or row.name.split()[0] not in ROUTES]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_command_is_carried_out(stage: Stage, row: Any) -> None:
    stage.pages = [RoutePage(1, FIRST, -1, [])]
    selector = f"neighbor {FIRST} " if row.name in SELECTED else ""
    _, error = play(stage, f"{selector}{row.name} {ARGUMENTS.get(row.name, '')}")
    assert bool(error) == (row.name in FAILING)
