"""Neighbors that commands create, delete, shut and open: what is compiled changes for them and for nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from apid.amend import create, delete, enable, restore, shut
from apid.compile import SHARD, SHARD_ABOVE
from apid.control.section import section
from apid.grammar.words import GrammarError
from apid.live import Created, Live, Shut, Wanted, forget_all_but_kept, placed, read_compiled, read_live, write_live
from apid.load import Former, LoadError
from apid.programs import write_files
from bgp.family import IPV4_UNICAST
from bus.daemon import RunDirectory
from tests.unit.control_stage import CONFIGURATION, compiled

FIRST, NEW = "127.0.0.12", "127.0.0.14"
WORDS = "router-id 10.0.0.1 local-address 127.0.0.11 local-as 65001 peer-as 65004"


@pytest.fixture
def wanted() -> Wanted:
    return Wanted(compiled(), Live())


def text(more: str = "", peer: str = NEW, client: str = "") -> str:
    return section(peer, f"{WORDS} {more}".split(), client)


def session(wanted: Wanted, name: str = NEW) -> dict[str, Any]:
    (found,) = (each for peerd in wanted.compiled.peerds.values() for each in peerd.sessions if each["name"] == name)
    return found


def bindings(wanted: Wanted, helper: str = "p") -> dict[str, dict[str, Any]]:
    return {each["neighbor"]: each for each in wanted.compiled.helpers[helper].helper["bindings"]}


def test_a_created_neighbor_is_there_beside_the_others_which_are_as_they_were(wanted: Wanted) -> None:
    made = create(wanted, text(), False)
    assert made.compiled.applied.neighbors == [*wanted.compiled.applied.neighbors, NEW]
    assert {name: made.compiled.peerds[name] for name in wanted.compiled.peerds} == wanted.compiled.peerds
    assert made.compiled.helpers == wanted.compiled.helpers
    assert made.compiled.applied.routes == wanted.compiled.applied.routes
    assert made.compiled.applied.generation != wanted.compiled.applied.generation
    assert made.live.created[NEW] == Created(text(), False)


def test_what_was_created_and_deleted_leaves_no_trace(wanted: Wanted) -> None:
    assert delete(create(wanted, text("api p listen 1179"), True), [NEW]).compiled.peerds == wanted.compiled.peerds
    assert delete(create(wanted, text("api p"), True), [NEW]) == wanted


def test_a_helper_hears_of_a_created_neighbor_what_it_hears_of_its_first_one(wanted: Wanted) -> None:
    made = create(wanted, text("api p"), False)
    first, new = bindings(made)[FIRST], bindings(made)[NEW]
    assert (new["received"], new["received_parsed"], new["program"]) == (first["received"], True, f"peerd-{NEW}")
    assert session(made)["helpers"] == ["p"]
    silent = Wanted(compiled("process q { run /bin/cat; neighbor-changes; }"), Live())
    assert bindings(create(silent, text("api q"), False), "q")[NEW]["state"]


def test_the_helper_that_creates_a_neighbor_gets_it_where_no_other_is_named(wanted: Wanted) -> None:
    assert NEW in bindings(create(wanted, text(client="p"), False))
    assert NEW not in bindings(create(wanted, text(), False))


def test_routes_and_watchdogs_of_a_deleted_neighbor_go_with_it(wanted: Wanted) -> None:
    left = delete(wanted, [FIRST]).compiled
    assert left.applied.neighbors == ["127.0.0.13"]
    assert [names for names, _ in left.applied.routes] == [["127.0.0.13"]]
    assert left.applied.watchdogs == []
    assert left.helpers["p"].helper["bindings"] == []
    assert left.applied.programs == ["peerd-127.0.0.13", "helper-p"]


def test_a_neighbor_is_shut_and_enabled_without_another_change(wanted: Wanted) -> None:
    closed = shut(wanted, [FIRST, "192.0.2.99"], Shut("noon", True))
    assert session(closed, FIRST)["shut"] == "noon"
    assert session(closed, "127.0.0.13")["shut"] is None
    assert closed.live.shut == {FIRST: Shut("noon", True)}
    assert enable(closed, [FIRST]) == wanted


def test_a_new_neighbor_shares_a_process_where_there_are_many() -> None:
    base = compiled(
        "".join(
            f"neighbor 127.0.1.{n} {{ router-id 1.1.1.1; local-as 1; peer-as 2; }}\n" for n in range(SHARD_ABOVE + 1)
        )
    )
    made = create(Wanted(base, Live()), text(), False).compiled
    assert len(made.applied.neighbors) == SHARD_ABOVE + 2
    assert all(name.startswith(SHARD) for name in made.peerds)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ("hold-time 2", "in 'hold-time 2'"),
        ("api nobody", "'nobody'"),
        ("family-allowed ipv4-unicorn", "'unicorn'"),
        ("capability x", "unknown directive 'capability'"),
        ("hold-tmie 3", "did you mean 'hold-time'"),
        ("api", "'api' needs a value"),
        ("family-allowed unicast", "not 'unicast'"),
    ],
)
def test_what_is_wrong_is_named(wanted: Wanted, more: str, reason: str) -> None:
    with pytest.raises((LoadError, GrammarError)) as error:
        create(wanted, text(more), False)
    assert reason in str(error.value)


def _named(wanted: Wanted, name: str) -> Wanted:
    """Have one neighbor, of this name."""
    applied = replace(wanted.compiled.applied, neighbors=[name])
    return replace(wanted, compiled=replace(wanted.compiled, applied=applied))


def test_a_neighbor_that_is_there_cannot_be_created_nor_one_that_is_not_be_deleted(wanted: Wanted) -> None:
    with pytest.raises(LoadError, match="exists already"):
        create(wanted, text(peer=FIRST), False)
    with pytest.raises(LoadError, match="exists already"):
        create(_named(wanted, f"{FIRST}~0123abcd"), text(peer=FIRST), False)
    with pytest.raises(LoadError, match="no such neighbor"):
        delete(wanted, [NEW])


def test_words_become_the_sections_that_they_belong_to(wanted: Wanted) -> None:
    words = 'family-allowed ipv4-unicast graceful-restart 60 passive description a"}b\\ md5-password s;}'
    made = session(create(wanted, text(words), False))
    assert made["protocol"]["families"] == (IPV4_UNICAST,)
    assert made["protocol"]["graceful_restart"] == 60
    assert made["passive"]
    assert made["md5_password"] == b"s;}"


def test_what_is_kept_is_restored_and_what_cannot_be_is_told_and_kept(wanted: Wanted) -> None:
    live = shut(
        create(create(wanted, text("api p"), True), text(peer="127.0.0.15"), False), [FIRST], Shut("", True)
    ).live
    again, problems = restore(compiled(), live.kept())
    assert again.compiled.applied.neighbors == [*wanted.compiled.applied.neighbors, NEW]
    assert session(again, FIRST)["shut"] == ""
    assert problems == []
    other, problems = restore(compiled(CONFIGURATION.replace("process p", "process q").replace("[ p ]", "[ q ]")), live)
    assert NEW not in other.compiled.applied.neighbors
    assert NEW in other.live.created
    assert "'p'" in problems[0]
    assert NEW not in delete(other, [], [NEW]).live.created


def test_a_neighbor_that_is_kept_stays_shut_even_where_it_is_left_out_for_a_while(wanted: Wanted) -> None:
    live = shut(create(wanted, text("api p"), True), [NEW], Shut("noon", True)).live
    without, _ = restore(compiled(CONFIGURATION.replace("process p", "process q").replace("[ p ]", "[ q ]")), live)
    assert NEW not in without.compiled.applied.neighbors
    again, _ = restore(compiled(), without.live)
    assert session(again)["shut"] == "noon"


def test_a_neighbor_that_is_kept_stays_in_its_process_however_many_others_come(wanted: Wanted) -> None:
    live = create(wanted, text(), True).live
    peers = (f"127.0.1.{number}" for number in range(SHARD_ABOVE))
    more = "".join(CONFIGURATION[CONFIGURATION.rindex("neighbor") :].replace("127.0.0.13", peer) for peer in peers)
    where = f"peerd-{NEW}"
    again, problems = restore(compiled(CONFIGURATION + more), live, Former(programs={NEW: where}))
    assert problems == []
    assert NEW in [each["name"] for each in again.compiled.peerds[where].sessions]


def test_a_neighbor_that_is_kept_does_not_get_the_name_of_one_that_goes_until_that_is_gone(wanted: Wanted) -> None:
    """It was left out while the configuration had two neighbors of its address, which now go at once."""
    live = create(wanted, text(), True).live
    identities = create(wanted, text(), True).compiled.applied.identities
    again, problems = restore(compiled(), live, Former({NEW: "a", f"{NEW}~bbbbbbbb": "b"}))
    assert NEW not in again.compiled.applied.neighbors
    assert NEW in again.live.created
    assert problems[0].endswith(f"is left out: others have the address {NEW} until this is in force")
    for former in ({}, {NEW: "a"}, {NEW: identities[NEW], f"{NEW}~bbbbbbbb": "b"}):
        again, problems = restore(compiled(), live, Former(former))
        assert NEW in again.compiled.applied.neighbors
        assert problems == []


def test_it_is_known_who_has_a_name_as_long_as_it_is_there(wanted: Wanted) -> None:
    made = create(wanted, text(), False)
    assert list(made.compiled.applied.identities) == made.compiled.applied.neighbors
    left = delete(made, [FIRST])
    assert list(left.compiled.applied.identities) == left.compiled.applied.neighbors


def test_it_is_read_back_as_it_was_written(tmp_path: Path, wanted: Wanted) -> None:
    run = RunDirectory(tmp_path)
    run.create()
    made = shut(create(wanted, text("api p listen 1179"), True), [FIRST], Shut("noon", False))
    made = replace(made, live=replace(made.live, identities=made.compiled.applied.identities))
    write_files(run, made.compiled, run.settings, run.programs)
    write_live(run.live, made.live)
    assert read_compiled(run, made.compiled.applied).applied == made.compiled.applied
    assert read_live(run.live) == made.live
    assert placed(run) == {name: f"peerd-{name}" for name in made.compiled.applied.neighbors}
    forget_all_but_kept(run.live)
    assert read_live(run.live) == Live(made.live.created, {}, identities=made.live.identities)
    forget_all_but_kept(tmp_path / "none")
    run.live.write_bytes(b"damaged")
    with pytest.raises(LoadError, match="damaged"):
        read_live(run.live)
    forget_all_but_kept(run.live)
    assert run.live.read_bytes() == b"damaged"


def test_a_created_neighbor_may_be_forgetful_and_ribd_is_told_no_more_of_a_deleted_one(wanted: Wanted) -> None:
    made = create(wanted, text("adj-rib-out false"), False)
    assert made.compiled.applied.forgetful == [NEW]
    assert create(made, text("adj-rib-out false", "127.0.0.15"), False).compiled.applied.forgetful == [
        NEW,
        "127.0.0.15",
    ]
    assert delete(made, [NEW]).compiled.applied.forgetful == []
