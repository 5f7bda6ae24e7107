"""The cap on FlowSpec rules: two clients cannot pass it together, and a request beyond it changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import ribd.server
from bgp.family import IPV4_FLOW, IPV6_FLOW, Family
from bus.schema import Applied, Apply, Enrol, Message, Refused
from tests.unit.rib_bench import UNICAST, Daemon, attributes, unicast


def rule(number: int) -> bytes:
    """Return the item of a rule that matches destination 10.0.0.N/32."""
    return bytes(4) + b"\x06\x01\x20\x0a\x00\x00" + bytes((number,))


class Clients(Daemon):
    """A daemon with several clients, each with numbers of its own."""

    def __init__(self, directory: Path, patch: pytest.MonkeyPatch) -> None:
        self.numbers: dict[str, int] = {}
        super().__init__(directory, patch)


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    daemon = Clients(tmp_path, monkeypatch)
    enrol(daemon, {"a": 3})
    yield daemon
    daemon.close()


def enrol(daemon: Clients, limits: dict[str, int]) -> None:
    daemon.sequence += 1
    daemon.request(Enrol("client", "epoch", daemon.sequence, ["a", "b"], limits))


def ask(
    daemon: Clients, *changes: tuple[int, list[int]], client: str = "one", family: Family = IPV4_FLOW, names: str = "a"
) -> Message:
    number = daemon.numbers[client] = daemon.numbers.get(client, 0) + 1
    rows = [
        [0, announce, *family, attributes(1), [rule(number) for number in numbers]] for announce, numbers in changes
    ]
    return daemon.request(Apply(client, "epoch", number, [names.split()], rows))[0]


def rules(daemon: Clients, name: str = "a") -> int:
    return sum(len(routes) for routes in daemon.state.rib.of[name].families.values())


def test_rules_up_to_the_limit_are_taken_and_one_more_changes_nothing(daemon: Clients) -> None:
    assert isinstance(ask(daemon, (1, [1, 2])), Applied)
    refused = ask(daemon, (1, [3, 4]), client="two")
    assert isinstance(refused, Refused)
    assert refused.reason == "neighbor a has 2 FlowSpec rules and its flow-limit is 3: no room for 2 more"
    assert rules(daemon) == 2
    assert isinstance(ask(daemon, (1, [3]), client="two"), Applied)
    assert isinstance(ask(daemon, (1, [4])), Refused)


def test_a_withdrawal_makes_room_also_in_the_same_request(daemon: Clients) -> None:
    ask(daemon, (1, [1, 2, 3]))
    assert isinstance(ask(daemon, (0, [1])), Applied)
    assert isinstance(ask(daemon, (1, [4])), Applied)
    assert isinstance(ask(daemon, (0, [4]), (1, [5])), Applied)
    assert isinstance(ask(daemon, (1, [6]), (0, [6])), Applied)
    assert rules(daemon) == 3


def test_a_rule_that_is_there_may_be_announced_again(daemon: Clients) -> None:
    ask(daemon, (1, [1, 2, 3]))
    assert isinstance(ask(daemon, (1, [1, 2, 3])), Applied)


def test_families_of_flowspec_count_together_and_other_routes_do_not(daemon: Clients) -> None:
    ask(daemon, (1, [1, 2, 3]))
    assert isinstance(ask(daemon, (1, [1]), family=IPV6_FLOW), Refused)
    daemon.apply(["a"], 1, UNICAST, 1, [unicast(1)])
    assert rules(daemon) == 4


def test_a_rule_for_several_neighbors_is_taken_by_all_or_none(daemon: Clients) -> None:
    ask(daemon, (1, [1, 2, 3]))
    assert isinstance(ask(daemon, (1, [4]), names="a b"), Refused)
    assert isinstance(ask(daemon, (1, [4]), names="b"), Applied)
    assert (rules(daemon, "a"), rules(daemon, "b")) == (3, 1)


def test_the_configuration_is_never_refused_but_counts(daemon: Clients) -> None:
    assert isinstance(ask(daemon, (1, [1, 2, 3, 4]), client="control"), Applied)
    assert isinstance(ask(daemon, (1, [5])), Refused)
    assert isinstance(ask(daemon, (0, [4]), (1, [6])), Applied)
    assert isinstance(ask(daemon, (0, [1, 2])), Applied)


def test_requests_of_one_turn_cannot_pass_it_together(daemon: Clients) -> None:
    for client in ("one", "two"):
        ask(daemon, (0, [99]), client=client)  # the first request of a life is carried out at once
    requests = [
        Apply(client, "epoch", 2, [["a"]], [[0, 1, *IPV4_FLOW, attributes(1), [rule(number), rule(number + 1)]]])
        for client, number in (("one", 1), ("two", 5))
    ]
    for request in requests:
        daemon.server.on_message(request.client.encode(), request, b"\x90")
    daemon.loop.turn()
    assert isinstance(daemon.server.sent[b"one"][0], Applied)
    assert isinstance(daemon.server.sent[b"two"][0], Refused)
    assert rules(daemon) == 2


def test_a_request_that_is_repeated_is_acknowledged_again(daemon: Clients) -> None:
    request = Apply("one", "e", 1, [["a"]], [[0, 1, *IPV4_FLOW, attributes(1), [rule(1), rule(2), rule(3)]]])
    assert daemon.request(request) == [Applied(1, "e")]
    assert daemon.request(request) == [Applied(1, "e")]


@pytest.mark.parametrize("compacted", [False, True])
def test_the_limit_is_still_there_after_a_death(daemon: Clients, compacted: bool) -> None:
    ask(daemon, (1, [1, 2, 3]))
    if compacted:
        daemon.rib._journal.start_over(daemon.state.snapshot())  # type: ignore[union-attr]
    daemon.start()
    assert isinstance(ask(daemon, (1, [4])), Refused)
    enrol(daemon, {})
    assert isinstance(ask(daemon, (1, [4])), Applied)


def test_rules_wait_until_the_limits_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = Clients(tmp_path, monkeypatch)
    row = [0, 1, *IPV4_FLOW, attributes(1), [rule(number) for number in range(4)]]
    assert daemon.say(b"early", Apply("early", "e", 1, [["a"]], [row], after_configuration=True)) == []
    assert daemon.request(Apply("free", "e", 1, [["b"]], [row])) == [Applied(1, "e")]
    enrol(daemon, {"a": 3})
    (refused,) = daemon.server.sent[b"early"]
    assert isinstance(refused, Refused)
    assert "flow-limit is 3" in refused.reason
    daemon.close()


def test_what_waits_for_the_limits_is_carried_out_in_the_order_of_its_clients_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Clients(tmp_path, monkeypatch)
    first, second = (
        [[0, announce, *IPV4_FLOW, attributes(1), [rule(number)]]] for announce, number in ((1, 1), (1, 2))
    )
    daemon.say(b"dead", Apply("one", "former", 1, [["a"]], first, after_configuration=True))
    assert daemon.say(b"alive", Apply("one", "present", 1, [["a"]], second)) == []
    enrol(daemon, {"a": 3})
    assert daemon.server.sent[b"alive"] == [Applied(1, "present")]
    assert daemon.request(Apply("one", "present", 2, [["a"]], second)) == [Applied(2, "present")]
    assert rules(daemon) == 2
    daemon.close()


def test_only_so_many_requests_wait_for_the_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ribd.server, "HELD", 2)
    daemon = Clients(tmp_path, monkeypatch)
    row = [0, 1, *IPV4_FLOW, attributes(1), [rule(1)]]
    answers = [
        daemon.say(client.encode(), Apply(client, "e", 1, [["a"]], [row], after_configuration=True))
        for client in ("1", "2", "3")
    ]
    assert answers[:2] == [[], []]
    assert isinstance(answers[2][0], Refused)
    daemon.close()


@pytest.mark.parametrize("limit", ["many", -1, True, None, 1.5])
def test_a_limit_that_is_no_number_is_refused(daemon: Clients, limit: object) -> None:
    daemon.sequence += 1
    request = Enrol("client", "epoch", daemon.sequence, ["a", "b"], {"a": limit})  # type: ignore[dict-item]
    assert isinstance(daemon.request(request)[0], Refused)
    assert isinstance(ask(daemon, (1, [1])), Applied)


def test_the_longest_rule_that_can_be_written_is_taken(daemon: Clients) -> None:
    longest = bytes(4) + b"\xff\xff" + bytes(0xFFF)
    for number, (item, answer) in enumerate(((longest, Applied), (longest + b"\0", Refused)), 1):
        rows = [[0, 1, *IPV4_FLOW, attributes(1), [item]]]
        assert isinstance(daemon.request(Apply("one", "epoch", number, [["a"]], rows))[0], answer)
