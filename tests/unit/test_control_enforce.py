"""The way of a configuration into force at ribd."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from apid.control.enforce import (
    ITEMS_PER_REQUEST,
    OCTETS_PER_REQUEST,
    Enforcer,
    parts,
    plan,
    put_in_place,
    read_applied,
    requests,
)
from bgp.attribute import Med
from bgp.family import IPV4_UNICAST
from bgp.route import decode_set
from bus.daemon import RunDirectory
from bus.schema import (
    ANNOUNCE,
    MESSAGE_LIMIT,
    REPLACE,
    REPLACE_FORM,
    WITHDRAW_FORM,
    Applied,
    AppliedConfiguration,
    Apply,
    Enrol,
    Message,
    Refused,
    SchemaError,
    pack,
    unpack,
)
from tests.unit.control_stage import CONFIGURATION, compiled, leave_pending

LOG = logging.getLogger("test")


def run_directory(path: Path) -> RunDirectory:
    run = RunDirectory(path)
    run.create()
    return run


def enforce(run: RunDirectory, fresh: bool = False) -> tuple[list[Any], list[str], Enforcer]:
    """Send everything; return what ribd got, the verdicts, and the enforcer."""
    sent: list[Message] = []
    verdicts: list[str] = []
    wanted = plan(run, fresh)
    assert wanted is not None
    enforcer = Enforcer(wanted, lambda message: sent.append(message) or True, LOG, verdicts.append)
    enforcer.start()
    return sent, verdicts, enforcer


def announced(sent: list[Any]) -> set[tuple[str, int]]:
    return {(name, change[1]) for m in sent if isinstance(m, Apply) for names in m.targets for name in names
            for change in m.changes}  # fmt: skip


def test_nothing_is_planned_without_a_configuration(tmp_path: Path) -> None:
    assert plan(run_directory(tmp_path)) is None


def test_routes_come_before_the_neighbors(tmp_path: Path) -> None:
    run = run_directory(tmp_path)
    leave_pending(run, compiled().applied)
    sent, _, _ = enforce(run)
    assert [type(message) for message in sent] == [Apply, Apply, Enrol]
    assert sent[-1].neighbors == ["127.0.0.12", "127.0.0.13"]
    assert announced(sent) == {("127.0.0.12", 1), ("127.0.0.13", 1)}


def test_ribd_is_told_which_neighbors_are_forgetful(tmp_path: Path) -> None:
    run = run_directory(tmp_path)
    leave_pending(run, replace(compiled().applied, forgetful=["127.0.0.13"]))
    assert enforce(run)[0][-1].forgetful == ["127.0.0.13"]


def test_a_fresh_start_forgets_what_ribd_still_holds(tmp_path: Path) -> None:
    run = run_directory(tmp_path)
    leave_pending(run, compiled().applied)
    sent, _, _ = enforce(run, fresh=True)
    assert isinstance(sent[0], Enrol)
    assert sent[0].neighbors == []
    assert sent[0].epoch != enforce(run)[0][0].epoch


def test_doing_it_again_after_a_death_numbers_equally(tmp_path: Path) -> None:
    run = run_directory(tmp_path)
    leave_pending(run, compiled().applied)
    assert enforce(run)[0] == enforce(run)[0]


def test_only_the_difference_is_sent_on_reload(tmp_path: Path) -> None:
    run = run_directory(tmp_path)
    leave_pending(run, compiled().applied)
    put_in_place(run, "")
    leave_pending(
        run, compiled(CONFIGURATION.replace("10.2.1.0/24 next-hop 192.0.2.9;", "10.2.2.0/24 next-hop self;")).applied
    )
    sent, _, _ = enforce(run)
    assert announced(sent) == {("127.0.0.13", 0), ("127.0.0.13", 1)}


def test_an_unchanged_configuration_only_repeats_who_the_neighbors_are(tmp_path: Path) -> None:
    run = run_directory(tmp_path)
    leave_pending(run, compiled().applied)
    put_in_place(run, "")
    leave_pending(run, compiled().applied)
    sent, _, _ = enforce(run)
    assert [type(message) for message in sent] == [Enrol]


def test_it_is_done_when_the_last_request_is_acknowledged(tmp_path: Path) -> None:
    run = run_directory(tmp_path)
    leave_pending(run, compiled().applied)
    sent, verdicts, enforcer = enforce(run)
    for message in sent[:-1]:
        enforcer.link.answered(Applied(message.sequence))
    assert verdicts == []
    enforcer.link.answered(Applied(sent[-1].sequence))
    assert verdicts == [""]


def test_a_refusal_is_the_verdict(tmp_path: Path) -> None:
    run = run_directory(tmp_path)
    leave_pending(run, compiled().applied)
    sent, verdicts, enforcer = enforce(run)
    enforcer.link.answered(Refused(sent[0].sequence, "disk full"))
    for message in sent[1:]:
        enforcer.link.answered(Applied(message.sequence))
    assert verdicts == ["disk full"]


def test_the_pending_configuration_becomes_the_applied_one(tmp_path: Path) -> None:
    run = run_directory(tmp_path)
    leave_pending(run, compiled().applied)
    put_in_place(run, "")
    put_in_place(run, "")
    assert read_applied(run.pending) is None
    applied = read_applied(run.applied)
    assert applied is not None
    assert replace(applied, revision="") == compiled().applied


def test_a_large_change_is_cut() -> None:
    items = [bytes(4) + b"\x20" + number.to_bytes(4, "big") for number in range(ITEMS_PER_REQUEST * 2 + 1)]
    cut = parts([(["n"], 1, *IPV4_UNICAST, b"", items)])
    assert [len(part[-1]) for part in cut] == [ITEMS_PER_REQUEST, ITEMS_PER_REQUEST, 1]
    assert [item for part in cut for item in part[-1]] == items


def test_large_changes_of_long_routes_fit_the_bus_too() -> None:
    items = [bytes(4) + number.to_bytes(1500, "big") for number in range(ITEMS_PER_REQUEST)]
    cut = parts([(["a"], 1, *IPV4_UNICAST, b"", items)])
    assert [item for part in cut for item in part[-1]] == items
    assert all(sum(map(len, part[-1])) <= OCTETS_PER_REQUEST for part in cut)
    for names, changes in requests(cut):
        assert len(pack(Apply("control", "e", 1, [names], changes))) < MESSAGE_LIMIT


def test_watchdogs_are_part_of_the_applied_configuration() -> None:
    applied = compiled().applied
    assert isinstance(applied, AppliedConfiguration)
    ((name, neighbors, changes),) = applied.watchdogs
    assert (name, neighbors, len(changes)) == ("dog", ["127.0.0.12"], 1)
    assert changes[0][3] not in [change[3] for _, routes in applied.routes for change in routes]


def test_a_configuration_may_be_larger_than_a_message_on_the_bus(tmp_path: Path) -> None:
    run = run_directory(tmp_path)
    items = [bytes(4) + number.to_bytes(4096, "big") for number in range(MESSAGE_LIMIT // 4096 + 1)]
    value = replace(compiled().applied, routes=[[["127.0.0.12"], [[1, 1, b"", items]]]])
    leave_pending(run, value)
    assert run.pending.stat().st_size > MESSAGE_LIMIT
    read = read_applied(run.pending)
    assert read is not None
    assert read.routes == value.routes
    with pytest.raises(SchemaError, match="larger than"):
        unpack(run.pending.read_bytes())


def test_changes_of_the_same_neighbors_share_requests_of_a_bounded_size() -> None:
    sets = [number.to_bytes(100, "big") for number in range(10_000)]
    changes = [(["a"], 1, 1, 1, octets, [bytes(8)]) for octets in sets] + [(["b"], 0, 1, 1, b"", [bytes(8)])]
    made = list(requests(changes))
    assert [change for _, together in made for change in together] == [[0, *change] for _, *change in changes]
    assert [names for names, _ in made] == [["a"]] * (len(made) - 1) + [["b"]]
    assert 4 <= len(made) - 1 <= 6
    assert all(sum(len(change[4]) + 8 for change in together) <= OCTETS_PER_REQUEST for _, together in made)


def changes_after(run: RunDirectory, text: str) -> list[tuple[int, bytes, list[bytes]]]:
    """Return what ribd is told when this follows the sample configuration."""
    leave_pending(run, compiled().applied)
    put_in_place(run, "")
    leave_pending(run, compiled(text).applied)
    sent, _, _ = enforce(run)
    return [(change[1], change[4], change[5]) for m in sent if isinstance(m, Apply) for change in m.changes]


WATCHED = bytes(4) + b"\x18\x0a\x03\x00"
WATCHED_LINE = "route 10.3.0.0/24 next-hop 192.0.2.9 watchdog dog withdraw;"


def test_what_a_watchdog_may_have_announced_is_withdrawn_with_its_line(tmp_path: Path) -> None:
    ((announce, attributes, items),) = changes_after(run_directory(tmp_path), CONFIGURATION.replace(WATCHED_LINE, ""))
    assert (announce, bool(attributes), items) == (WITHDRAW_FORM, True, [WATCHED])


@pytest.mark.parametrize("begins", ["", " withdraw"])
def test_another_form_of_what_a_watchdog_controls_takes_the_place_of_one_that_is_announced(
    tmp_path: Path, begins: str
) -> None:
    text = CONFIGURATION.replace(WATCHED_LINE, f"route 10.3.0.0/24 next-hop 192.0.2.9 med 7 watchdog dog{begins};")
    ((announce, attributes, items),) = changes_after(run_directory(tmp_path), text)
    assert (announce, bool(attributes), items) == (REPLACE, True, [WATCHED])


def test_another_form_of_one_of_several_lines_takes_the_place_of_the_former_one(tmp_path: Path) -> None:
    plain = "route 10.3.0.0/24 next-hop 192.0.2.9 med 3;"
    run = run_directory(tmp_path)
    leave_pending(run, compiled(CONFIGURATION.replace(WATCHED_LINE, plain + WATCHED_LINE)).applied)
    put_in_place(run, "")
    another = "route 10.3.0.0/24 next-hop 192.0.2.9 med 7 watchdog dog withdraw;"
    leave_pending(run, compiled(CONFIGURATION.replace(WATCHED_LINE, plain + another)).applied)
    sent, _, _ = enforce(run)
    ((_, announce, _, _, form, items, former),) = [change for m in sent if isinstance(m, Apply) for change in m.changes]
    assert (announce, items) == (REPLACE_FORM, [WATCHED])
    assert decode_set(form)[0][Med.CODE] == Med(7)
    assert Med.CODE not in decode_set(former)[0]


def test_a_route_that_passes_to_another_watchdog_stays_as_it_is(tmp_path: Path) -> None:
    assert changes_after(run_directory(tmp_path), CONFIGURATION.replace("dog dog", "dog cat")) == []


def test_a_route_that_no_watchdog_controls_any_more_is_announced(tmp_path: Path) -> None:
    text = CONFIGURATION.replace("watchdog dog withdraw", "")
    ((announce, attributes, items),) = changes_after(run_directory(tmp_path), text)
    assert (announce, bool(attributes), items) == (ANNOUNCE, True, [WATCHED])
