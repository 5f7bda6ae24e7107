"""Jobs: side by side, in parts, and nobody waits for an asker that does not read."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from apid.control.jobs import MOST_JOBS, PART_OCTETS, PATIENCE, Jobs, failing, saying
from bus.schema import pack
from tests.unit.control_stage import Askers, StillLoop

LOG = logging.getLogger("test")


def stage() -> tuple[StillLoop, Askers, Jobs]:
    loop, askers = StillLoop(), Askers()
    return loop, askers, Jobs(loop, askers.deliver, LOG)  # type: ignore[arg-type]


def table(lines: int) -> Any:
    for number in range(lines):
        yield [f"line {number:07}"]
    return ""


def test_an_answer_ends_with_a_final_part() -> None:
    loop, askers, jobs = stage()
    jobs.start(b"a", 7, saying("one", "two"))
    loop.run()
    (answer,) = askers.answers[b"a"]
    assert (answer.request, answer.lines, answer.final, answer.error) == (7, ["one", "two"], True, "")
    assert len(jobs) == 0


def test_an_error_is_in_the_final_part() -> None:
    loop, askers, jobs = stage()
    jobs.start(b"a", 1, failing("no"))
    loop.run()
    assert askers.answers[b"a"][-1].error == "no"


def test_a_long_answer_comes_in_parts_of_a_bounded_size() -> None:
    loop, askers, jobs = stage()
    jobs.start(b"a", 1, table(10_000))
    loop.run()
    parts = askers.answers[b"a"]
    assert len(parts) > 10
    assert all(sum(map(len, part.lines)) <= PART_OCTETS + 100 for part in parts)
    assert askers.lines(b"a") == [f"line {number:07}" for number in range(10_000)]
    assert [part.final for part in parts] == [False] * (len(parts) - 1) + [True]


LONG = "".join(f"{number:07}" for number in range(100_000))


@pytest.mark.parametrize(
    "lines",
    [
        [LONG],
        [LONG, LONG],
        ["short", LONG, "short"],
        [LONG[:PART_OCTETS]],
        [LONG[: PART_OCTETS + 1], ""],
        [LONG[: 2 * PART_OCTETS], LONG[: PART_OCTETS - 1], "", ""],
        [""] * (3 * PART_OCTETS),
        ["\U0001f98a" * PART_OCTETS * 3],
    ],
    ids=len,
)
@pytest.mark.parametrize("together", [False, True])
def test_lines_of_any_length_travel_in_small_messages_and_come_as_they_were(lines: list[str], together: bool) -> None:
    loop, askers, jobs = stage()

    def job() -> Any:
        yield from [lines] if together else [[line] for line in lines]
        return "x" * 10_000_000

    jobs.start(b"a", 1, job())
    askers.deaf.add(b"a")
    loop.run(until=PATIENCE / 2)
    askers.deaf.clear()
    loop.run()
    assert max(len(pack(answer)) for answer in askers.answers[b"a"]) < 100_000
    assert askers.lines(b"a") == lines
    assert [answer.final for answer in askers.answers[b"a"]].index(True) == len(askers.answers[b"a"]) - 1
    assert len(jobs) == 0


def test_an_asker_that_does_not_read_suspends_only_its_own_job() -> None:
    loop, askers, jobs = stage()
    askers.deaf.add(b"slow")
    jobs.start(b"slow", 1, table(10_000))
    jobs.start(b"quick", 1, table(10_000))
    loop.run(until=PATIENCE / 2)
    assert askers.answers[b"quick"][-1].final
    assert len(jobs) == 1
    askers.deaf.clear()
    loop.run()
    assert len(askers.lines(b"slow")) == 10_000
    assert askers.answers[b"slow"][-1].final


def test_an_asker_that_takes_nothing_for_long_is_told_the_end_when_it_reads_again() -> None:
    loop, askers, jobs = stage()
    askers.deaf.add(b"slow")
    jobs.start(b"slow", 1, table(10_000))
    loop.run(until=10 * PATIENCE)
    assert len(jobs) == 1
    askers.deaf.clear()
    loop.run()
    (answer,) = askers.answers[b"slow"]
    assert (answer.lines, answer.final, answer.error) == ([], True, "the answer was not read in time")
    assert len(jobs) == 0


def test_an_asker_that_is_gone_is_given_up_at_once() -> None:
    loop, askers, jobs = stage()
    askers.gone.add(b"gone")
    jobs.start(b"gone", 1, table(10_000))
    loop.run()
    assert len(jobs) == 0
    assert loop.now() < 1


def test_steps_that_call_back_at_once_do_not_make_the_stack_grow() -> None:
    loop, askers, jobs = stage()

    def counting() -> Any:
        total = 0
        for number in range(20_000):
            total += yield lambda resume, number=number: resume(number)
        return str(total)

    jobs.start(b"a", 1, counting())
    loop.run()
    assert askers.answers[b"a"][-1].error == str(sum(range(20_000)))


def test_a_step_that_calls_back_twice_resumes_its_job_once() -> None:
    loop, askers, jobs = stage()

    def asking() -> Any:
        first = yield lambda resume: (resume("first"), resume("again"))
        second = yield lambda resume: resume("second")
        return f"{first} {second}"

    jobs.start(b"a", 1, asking())
    loop.run()
    assert askers.answers[b"a"][-1].error == "first second"


def test_too_many_jobs_are_refused() -> None:
    loop, askers, jobs = stage()

    def waiting() -> Any:
        yield lambda resume: None
        return ""

    for _ in range(MOST_JOBS):
        jobs.start(b"a", 1, waiting())
    jobs.start(b"b", 2, saying("hello"))
    loop.run()
    (answer,) = askers.answers[b"b"]
    assert answer.final
    assert "already" in answer.error
