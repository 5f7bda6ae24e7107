"""The health check's state machine: what it prints, in which order, and when it looks again."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apid.healthcheck.machine import (
    Action,
    Announce,
    Changed,
    Event,
    Finish,
    Held,
    Machine,
    RunHooks,
    Settings,
    SetUpAddresses,
    State,
    TakeDownAddresses,
)

EVENTS = {
    "P": Event.PASSED,
    "F": Event.FAILED,
    "X": Event.DISABLED,
    "R": Event.REFUSED,
    "A": Event.AGAIN,
    "S": Event.STOP,
}
THREE = Settings(rise=3, fall=3)


def short(action: Action) -> str:
    match action:
        case Changed(_, new):
            return new.value
        case Announce(state):
            return f"print:{state.value}"
        case RunHooks(state):
            return f"hooks:{state.value}"
        case SetUpAddresses():
            return "add"
        case TakeDownAddresses():
            return "remove"
        case Held(until):
            return f"held:{until:g}"
        case Finish():
            return "finish"


def play(settings: Settings, history: str, step: float = 1.0) -> list[list[str]]:
    """Return what is done at each letter of a history, one letter each `step` seconds."""
    machine = Machine(settings, 0.0)
    return [[short(action) for action in machine.handle(EVENTS[letter], i * step)] for i, letter in enumerate(history)]


def trace(settings: Settings, history: str, hooks: bool = False) -> str:
    """Return a history with what followed each letter, without the hooks."""
    done = play(settings, history)
    return " ".join(
        word
        for letter, actions in zip(history, done, strict=True)
        for word in (letter, *(a for a in actions if hooks or not a.startswith("hooks")))
    )


# ExaBGP 5.0.15 went through the same states (rise and fall 3) and printed at the same results, with --debounce, but
# for its second `print:DOWN` in the third row: that was in force already.
@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ("PFPFFF", "P RISING F FALLING P RISING F FALLING F F DOWN print:DOWN"),
        ("PPFPPP", "P RISING P F FALLING P RISING P P UP print:UP"),
        ("FFFPFPFFF", "F FALLING F F DOWN print:DOWN P RISING F FALLING P RISING F FALLING F F DOWN"),
        ("PPPFPPP", "P RISING P P UP print:UP F FALLING P RISING P P UP"),
        ("PPPPP", "P RISING P P UP print:UP P P"),
        (
            "FFFPPFPFFPPP",
            "F FALLING F F DOWN print:DOWN P RISING P F FALLING P RISING F FALLING F P RISING P P UP print:UP",
        ),
    ],
)
def test_three_results_in_a_row_change_the_state(history: str, expected: str) -> None:
    assert trace(THREE, history) == expected


@pytest.mark.parametrize(
    ("rise", "fall", "history", "expected"),
    [
        (1, 1, "PFP", "P UP print:UP F DOWN print:DOWN P UP print:UP"),
        (0, 0, "PF", "P UP print:UP F DOWN print:DOWN"),
        (1, 2, "PFPFF", "P UP print:UP F FALLING P UP F FALLING F DOWN print:DOWN"),
        (2, 1, "FPP", "F DOWN print:DOWN P RISING P UP print:UP"),
    ],
)
def test_rise_and_fall_count_the_first_result(rise: int, fall: int, history: str, expected: str) -> None:
    assert trace(Settings(rise=rise, fall=fall), history) == expected


def test_the_disable_file_acts_at_once_and_its_end_begins_anew() -> None:
    expected = "P RISING X DISABLED print:DISABLED X P INIT RISING P P UP print:UP"
    assert trace(THREE, "PXXPPP") == expected


def test_repeat_prints_at_every_check_of_a_settled_state() -> None:
    settings = Settings(rise=2, fall=2, repeat=True)
    expected = (
        "P RISING P UP print:UP P print:UP F FALLING F DOWN print:DOWN F print:DOWN X DISABLED print:DISABLED "
        "X print:DISABLED"
    )
    assert trace(settings, "PPPFFFXX") == expected


def test_a_refused_announcement_is_printed_again_after_the_next_settled_check() -> None:
    assert trace(Settings(rise=1, fall=2), "PRPPRFPP") == "P UP print:UP R P print:UP P R F FALLING P UP print:UP P"


def test_the_last_announcement_is_printed_again_when_somebody_asks() -> None:
    assert trace(Settings(rise=1, fall=2), "APAFA") == "A P UP print:UP A print:UP F FALLING A print:UP"


@pytest.mark.parametrize("history", ["", "P", "PPP", "FFF", "X", "PF"])
def test_the_end_withdraws_from_every_state_and_then_nothing_happens(history: str) -> None:
    done = play(THREE, history + "SPFXRAS")[len(history) :]
    assert done == [["EXIT", "print:EXIT", "remove", "finish"], *[[]] * 6]


def test_interval_zero_ends_after_the_first_announcement_without_a_withdraw() -> None:
    once = Settings(rise=2, fall=2, interval=0)
    assert trace(once, "PPP") == "P RISING P UP print:UP END finish P"
    assert trace(once, "FFF") == "F FALLING F DOWN print:DOWN END finish F"
    assert trace(once, "X") == "X DISABLED print:DISABLED END finish"


def test_hooks_run_before_it_is_announced_and_after_it_is_withdrawn() -> None:
    assert trace(Settings(rise=1, fall=2), "PFFXP", hooks=True).split(" ") == [
        *("P", "UP", "hooks:UP", "print:UP"),
        *("F", "FALLING", "hooks:FALLING"),
        *("F", "DOWN", "print:DOWN", "hooks:DOWN"),
        *("X", "DISABLED", "print:DISABLED", "hooks:DISABLED"),
        *("P", "INIT", "UP", "hooks:INIT", "hooks:UP", "print:UP"),
    ]


def test_addresses_come_before_the_announcement_and_go_after_it() -> None:
    settings = Settings(rise=1, fall=1, dynamic_addresses=True)
    assert trace(settings, "PFXS").split(" ") == [
        *("P", "UP", "add", "print:UP"),
        *("F", "DOWN", "print:DOWN", "remove"),
        *("X", "DISABLED", "print:DISABLED", "remove"),
        *("S", "EXIT", "print:EXIT", "remove", "finish"),
    ]


def test_the_fast_interval_holds_while_the_state_is_about_to_change() -> None:
    machine = Machine(Settings(rise=2, fall=2, interval=10, fast_interval=1), 100.0)
    assert machine.next_check == 100.0
    waits = []
    for now, letter in enumerate("PPPFFXPF", start=200):
        machine.handle(EVENTS[letter], float(now))
        waits.append((letter, machine.state.value, machine.next_check - now))
    assert waits == [
        ("P", "RISING", 1),
        ("P", "UP", 10),
        ("P", "UP", 10),
        ("F", "FALLING", 1),
        ("F", "DOWN", 10),
        ("X", "DISABLED", 10),
        ("P", "RISING", 1),
        ("F", "FALLING", 1),
    ]


def test_too_many_changes_keep_it_down_until_the_period_is_over_and_say_so_once() -> None:
    settings = Settings(rise=1, fall=1, max_changes=2, period=10.0)
    expected = (
        "P UP print:UP F DOWN print:DOWN P RISING held:10 P P P P P P P P UP print:UP "
        "F DOWN print:DOWN P RISING held:20 F DOWN P RISING held:20"
    )
    assert trace(settings, "PFPPPPPPPPPFPFP") == expected


def test_going_down_is_never_held() -> None:
    settings = Settings(rise=1, fall=1, max_changes=1, period=1000.0)
    assert trace(settings, "PFX") == "P UP print:UP F DOWN print:DOWN X DISABLED print:DISABLED"


def test_coming_back_to_what_is_still_announced_is_no_change() -> None:
    settings = Settings(rise=1, fall=2, max_changes=1, period=1000.0)
    assert trace(settings, "PFPFP") == "P UP print:UP F FALLING P UP F FALLING P UP"


SETTINGS = st.builds(
    Settings,
    rise=st.integers(0, 4),
    fall=st.integers(0, 4),
    interval=st.sampled_from([0.0, 1.0, 5.0]),
    fast_interval=st.sampled_from([0.0, 0.5]),
    repeat=st.booleans(),
    dynamic_addresses=st.booleans(),
    max_changes=st.integers(0, 3),
    period=st.sampled_from([1.0, 7.0]),
)
HISTORY = st.text("PPPFFFXRAS", max_size=60)


@given(SETTINGS, HISTORY, st.sampled_from([0.5, 1.0, 3.0]))
def test_any_history_keeps_the_promises(settings: Settings, history: str, step: float) -> None:
    machine = Machine(settings, 0.0)
    passed = failed = 0
    printed: list[tuple[float, State]] = []
    for index, letter in enumerate(history):
        now = index * step
        passed = passed + 1 if letter == "P" else passed if letter in "RA" else 0
        failed = failed + 1 if letter == "F" else failed if letter in "RA" else 0
        before, was_announced, finished = machine.state, machine.announced, machine.finished
        actions = machine.handle(EVENTS[letter], now)
        assert not (finished and actions)
        assert machine.finished or machine.next_check >= 0
        for change in (action for action in actions if isinstance(action, Changed)):
            assert change.old is before
            before = change.new
        assert before is machine.state
        if finished:
            continue
        states = [action.state for action in actions if isinstance(action, Announce)]
        assert len(states) <= 1
        if State.UP in states and was_announced is not State.UP:
            assert passed >= settings.rise
        if State.DOWN in states and was_announced is not State.DOWN:
            assert failed >= settings.fall
        if letter == "F" and failed >= settings.fall:
            assert machine.state in (State.DOWN, State.END)
        if letter == "X":
            assert machine.announced is State.DISABLED
        for first, second in pairwise(actions):
            if isinstance(first, SetUpAddresses):
                assert second == Announce(State.UP)
            if isinstance(second, TakeDownAddresses):
                assert isinstance(first, Announce)
                assert first.state is not State.UP
        printed += [(now, state) for state in states]
    changes = [entry for i, entry in enumerate(printed) if i == 0 or printed[i - 1][1] is not entry[1]]
    if not settings.repeat and not set("RA") & set(history):
        assert changes == printed
    for index, (now, state) in enumerate(changes):
        if settings.max_changes and state is State.UP and index:
            recent = [when for when, _ in changes[:index] if when > now - settings.period]
            assert len(recent) < settings.max_changes
