"""From the checked configuration to what every process is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from apid.compile import SHARD_ABOVE, SHARDS, Compiled, changes_of, compile_configuration, helper_program
from apid.config.load import load_text
from apid.config.options import Environment
from bgp.settings_wire import settings_from_wire
from bus.schema import pack, unpack
from bus.settings import ApiBinding, read_helper, read_listener, read_peerd, write_settings

UPDATE = 1 << 2


def compiled(text: str, **variables: str) -> Compiled:
    environment = Environment()
    return compile_configuration(load_text(text, variables), environment, "bgpbus/1.2.3")


def neighbor(address: str, body: str = "", peer_as: int = 65002) -> str:
    return (
        f"neighbor {address} {{ router-id 10.0.0.1; local-address 127.0.0.1; local-as 65001; peer-as {peer_as};"
        f" family {{ ipv4 unicast; }} {body} }}\n"
    )


def bindings(result: Compiled, helper: str) -> list[ApiBinding]:
    return [ApiBinding.from_wire(each) for each in result.helpers[helper].helper["bindings"]]


def session(result: Compiled, program: str) -> dict[str, Any]:
    [found] = result.peerds[program].sessions
    return found


def test_every_neighbor_has_a_process_of_its_own() -> None:
    result = compiled(neighbor("192.0.2.1") + neighbor("192.0.2.2"))
    assert result.programs == ["peerd-192.0.2.1", "peerd-192.0.2.2"]
    assert session(result, "peerd-192.0.2.2")["peer_address"] == "192.0.2.2"


def test_many_neighbors_share_a_fixed_number_of_processes_and_stay_where_they_are() -> None:
    few = [f"10.0.0.{number}" for number in range(1, SHARD_ABOVE + 1)]
    assert len(compiled("".join(map(neighbor, few))).peerds) == SHARD_ABOVE
    many = [f"10.0.0.{number}" for number in range(1, 101)]
    places = {
        each["name"]: program
        for program, settings in compiled("".join(map(neighbor, many))).peerds.items()
        for each in settings.sessions
    }
    assert len(set(places.values())) == SHARDS
    fewer = {
        each["name"]: program
        for program, settings in compiled("".join(map(neighbor, many[10:]))).peerds.items()
        for each in settings.sessions
    }
    assert all(places[name] == program for name, program in fewer.items())


def test_settings_survive_their_files(tmp_path: Path) -> None:
    text = "process p { run /bin/cat; encoder json; }\n" + neighbor(
        "127.0.0.2", "passive; listen 20999; md5-password secret; api { processes [ p ]; receive { parsed; update; } }"
    )
    result = compiled(text)
    for message in (*result.peerds.values(), *result.helpers.values(), result.applied):
        assert pack(unpack(pack(message))) == pack(message)
    write_settings(tmp_path / "peerd", result.peerds["peerd-127.0.0.2"])
    write_settings(tmp_path / "helper", result.helpers["p"])
    assert result.listener is not None
    write_settings(tmp_path / "listener", result.listener)
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())
    [configuration] = read_peerd(tmp_path / "peerd")
    assert configuration.md5_password == b"secret"
    assert settings_from_wire(configuration.protocol).passive
    helper, [binding] = read_helper(tmp_path / "helper")
    assert (helper.name, helper.run, binding.neighbor) == ("p", ["/bin/cat"], "127.0.0.2")
    endpoints, [expected] = read_listener(tmp_path / "listener")
    assert endpoints == [("127.0.0.1", 20999)]
    assert (expected.name, expected.program) == ("127.0.0.2", "peerd-127.0.0.2")


@pytest.mark.parametrize(
    ("process", "api", "received", "parsed", "state"),
    [
        ("", "receive { parsed; update; } neighbor-changes;", UPDATE, True, True),
        ("", "receive { packets; update; keepalive; }", UPDATE | 1 << 4, False, False),
        ("receive { parsed; update; }", "", UPDATE, True, False),
        ("receive { parsed; update; }", "neighbor-changes;", UPDATE, True, True),
        ("", "", 0, False, False),
    ],
)
def test_a_helper_is_told_what_it_or_the_neighbor_asks_for(
    process: str, api: str, received: int, parsed: bool, state: bool
) -> None:
    result = compiled(
        f"process p {{ run /bin/cat; encoder json; {process} }}\n"
        + neighbor("192.0.2.1", f"api {{ processes [ p ]; {api} }}")
    )
    [binding] = bindings(result, "p")
    assert (binding.received, binding.received_parsed, binding.state) == (received, parsed, state)


def test_two_api_blocks_of_a_neighbor_are_joined() -> None:
    result = compiled(
        "process p { run /bin/cat; encoder json; }\n"
        + neighbor(
            "192.0.2.1",
            "api one { processes [ p ]; receive { parsed; update; } } api two { processes [ p ]; neighbor-changes; }",
        )
    )
    [binding] = bindings(result, "p")
    assert (binding.received, binding.state, binding.peer_as) == (UPDATE, True, 65002)


def test_a_session_begins_with_the_helpers_that_subscribe_and_its_routes_wait_for_all_of_its_own() -> None:
    result = compiled(
        "".join(f"process {name} {{ run /bin/cat; encoder json; }}\n" for name in ("tells", "hears", "idle"))
        + neighbor(
            "192.0.2.1",
            "api a { processes [ tells ]; } api b { processes [ hears ]; receive { parsed; update; } }",
        )
    )
    assert session(result, "peerd-192.0.2.1")["helpers"] == ["hears"]
    assert session(result, "peerd-192.0.2.1")["speakers"] == ["tells", "hears"]


@pytest.mark.parametrize(
    ("directive", "dialect"),
    [("", "5.0.0"), ("json-version 4;", "4.0.1"), ("json-version 5;", "5.0.0"), ("json-version 6;", "6.0.0")],
)
def test_a_helper_reads_the_dialect_that_its_process_asks_for(directive: str, dialect: str) -> None:
    result = compiled(f"process h {{ run /bin/cat; encoder json; {directive} }}\n" + neighbor("192.0.2.1"))
    assert result.helpers["h"].helper["dialect"] == dialect


def test_a_helper_that_no_neighbor_names_has_no_neighbors() -> None:
    result = compiled("process p { run /bin/cat; encoder json; }\n" + neighbor("192.0.2.1"))
    assert bindings(result, "p") == []
    assert result.programs == ["peerd-192.0.2.1", "helper-p"]


def test_neighbors_with_the_same_routes_are_addressed_together() -> None:
    routes = "static { route 10.0.0.0/24 next-hop 192.0.2.9; route 10.1.0.0/24 next-hop 192.0.2.9; }"
    result = compiled(neighbor("192.0.2.1", routes) + neighbor("192.0.2.2") + neighbor("192.0.2.3", routes))
    [[names, changes]] = result.applied.routes
    assert names == ["192.0.2.1", "192.0.2.3"]
    [[afi, safi, _, items]] = changes
    assert (afi, safi, len(items)) == (1, 1, 2)


def test_equal_configurations_have_the_same_generation_and_others_have_not() -> None:
    one = neighbor("192.0.2.1")
    assert compiled(one).applied.generation == compiled(one).applied.generation
    others = {
        compiled(text).applied.generation
        for text in (
            one,
            neighbor("192.0.2.2"),
            neighbor("192.0.2.1", peer_as=65003),
            neighbor("192.0.2.1", "hold-time 30;"),
            neighbor("192.0.2.1", "static { route 10.0.0.0/24 next-hop 192.0.2.9; }"),
            neighbor("192.0.2.1", "static { route 10.0.0.0/24 next-hop 192.0.2.8; }"),
            "process p { run /bin/cat; encoder json; }\n" + one,
        )
    }
    assert len(others) == 7


def test_no_listener_where_nobody_listens() -> None:
    assert compiled(neighbor("192.0.2.1")).listener is None


@pytest.mark.parametrize("name", ["a b", "a/b", "a_b", "a.b", "é", "e", "x" * 60, "x" * 61])
def test_a_helper_s_program_has_a_name_that_files_and_supervisor_take(name: str) -> None:
    program = helper_program(name)
    assert program.isascii()
    assert not set(program) & set(" /:\\")
    assert len(program) < 80


def test_no_two_helpers_share_a_program() -> None:
    names = ["a b", "a/b", "a_b", "a.b", "é", "_", "x" * 60, "x" * 61]
    assert len({helper_program(name) for name in names}) == len(names)
    assert helper_program("watchdog-1") == "helper-watchdog-1"


def test_routes_are_grouped_by_their_attributes_in_order() -> None:
    configuration = load_text(
        neighbor(
            "192.0.2.1",
            "static { route 10.0.0.0/24 next-hop 192.0.2.9; route 10.1.0.0/24 next-hop 192.0.2.8;"
            " route 10.2.0.0/24 next-hop 192.0.2.9; }",
        ),
        {},
    )
    changes = changes_of(configuration.neighbors[0].routes)
    assert [len(items) for *_, items in changes] == [2, 1]


def test_ribd_is_told_which_neighbors_keep_nothing_that_was_sent() -> None:
    result = compiled(neighbor("127.0.0.2", "adj-rib-out false;") + neighbor("127.0.0.3"))
    assert result.applied.forgetful == ["127.0.0.2"]
    assert [session(result, f"peerd-127.0.0.{n}")["adj_rib_out"] for n in (2, 3)] == [False, True]
