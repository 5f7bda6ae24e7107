"""What a helper reads: whole lines in order, bounded memory and disk, and an honest count of what was lost."""

from __future__ import annotations

import errno
import os
import random
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import apid.bridge.output
from apid.bridge.output import Output, Spool


def notice(count: int) -> bytes:
    return f"lost {count}\n".encode()


def read_all(output: Output, pieces: random.Random | None = None) -> bytes:
    """Read to the end, in pieces of any size."""
    found = b""
    for _ in range(1_000_000):
        chunk = output.next_chunk()
        if not chunk:
            return found
        count = pieces.randint(0, len(chunk)) if pieces else len(chunk)
        output.written(count)
        found += chunk[:count]
    raise AssertionError("chunks without end")


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Output:
    """Return a queue with little room: 100 octets in memory, 200 in files of 50 or a little more, chunks of 16."""
    monkeypatch.setattr(apid.bridge.output, "SPOOL_FILE", 50)
    monkeypatch.setattr(apid.bridge.output, "CHUNK", 16)
    return Output(tmp_path, notice, 100, 200)


def test_answers_come_before_events(tmp_path: Path) -> None:
    output = Output(tmp_path, notice)
    output.event([b"event 1\n", b"event 2\n"])
    output.answer(b"done\n", 2)
    output.answer(b"error\n")
    assert read_all(output) == b"done\ndone\nerror\nevent 1\nevent 2\n"
    assert not output


def test_a_million_answers_take_no_room_and_are_all_given(tmp_path: Path) -> None:
    output = Output(tmp_path, notice)
    for _ in range(1000):
        output.answer(b"done\n", 1000)
    assert output.waiting["answers"] == 1_000_000
    assert output.waiting["memory"] < 200
    assert not output.answers_full
    assert read_all(output) == b"done\n" * 1_000_000
    assert output.waiting == {"answers": 0, "memory": 0, "spool": 0, "lost": 0}


def test_answers_take_no_more_memory_than_is_counted(tmp_path: Path) -> None:
    lines = [[b"done\n", b"error\n"][number % 2] for number in range(20_000)]
    lines += [b"line %d\n" % number for number in range(20_000)]
    output = Output(tmp_path, notice)
    tracemalloc.start()
    for line in lines:
        output.answer(bytes(bytearray(line)))
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert taken < output.waiting["memory"] < 2 * taken
    assert read_all(output) == b"".join(lines)
    assert output.waiting["memory"] == 0


def test_answers_that_are_not_read_ask_their_source_to_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apid.bridge.output, "ANSWER_LIMIT", 2000)
    output = Output(tmp_path, notice)
    for number in range(20):
        output.answer(f"line {number:2}\n".encode())
    assert output.answers_full
    read_all(output)
    assert not output.answers_full


def test_an_answer_does_not_cut_an_event_that_was_begun(tmp_path: Path) -> None:
    output = Output(tmp_path, notice)
    output.event([b"a long event\n"])
    assert output.next_chunk() == b"a long event\n"
    output.written(6)
    output.answer(b"done\n")
    assert read_all(output) == b" event\ndone\n"


def test_an_answer_does_not_cut_an_event_that_the_spool_cut(small: Output) -> None:
    lines = [b"%3d " % number + b"x" * 25 + b"\n" for number in range(8)]
    small.event(lines)
    assert small.waiting["spool"] > 0
    found, number = b"", 0
    while chunk := small.next_chunk():
        found += chunk
        small.written(len(chunk))
        if b"x" in chunk:
            number += 1
            small.answer(b"answer %d\n" % number)
    whole = found.split(b"\n")
    assert [line + b"\n" for line in whole if b"x" in line] == lines
    assert all(line.startswith(b"answer ") or line + b"\n" in lines for line in whole if line)


def test_events_beyond_memory_and_disk_are_dropped_counted_and_reported_in_their_place(small: Output) -> None:
    lines = [b"%03d-------\n" % number for number in range(60)]  # 11 octets each
    small.event(lines)
    kept = 10 + 18  # 110 octets in memory, 198 on disk
    assert small.waiting == {"answers": 0, "memory": 110, "spool": 198, "lost": 60 - kept}
    assert read_all(small) == b"".join(lines[:kept]) + notice(60 - kept)
    small.event([b"again\n"])
    assert read_all(small) == b"again\n"
    assert (small.lost, small.lost_total) == (0, 60 - kept)


def test_nothing_is_queued_behind_a_loss_before_the_helper_was_told_of_it(small: Output) -> None:
    small.event([b"%03d-------\n" % number for number in range(60)])
    lost = small.lost
    small.written(len(small.next_chunk()))
    small.event([b"late\n"])  # there would be room again
    assert small.lost == lost + 1
    assert b"late" not in read_all(small)


def test_what_a_feed_lost_is_reported_though_nothing_waits(tmp_path: Path) -> None:
    output = Output(tmp_path, notice)
    output.drop(7)
    assert output
    assert read_all(output) == notice(7)
    assert not output


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.just("event"), st.integers(1, 40))
        | st.tuples(st.just("answer"), st.integers(1, 3))
        | st.tuples(st.just("read"), st.integers(0, 60)),
        max_size=120,
    )
)
def test_whatever_the_helper_does_lines_are_whole_ordered_and_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(apid.bridge.output, "SPOOL_FILE", 40)
        patch.setattr(apid.bridge.output, "CHUNK", 16)
        output = Output(tmp_path_factory.getbasetemp(), notice, 60, 150)
        events, answers, found = 0, 0, b""
        for action, number in steps:
            if action == "event":
                output.event([b"e%d-" % events + b"x" * number + b"\n"])
                events += 1
            elif action == "answer":
                output.answer(b"a\n", number)
                answers += number
            else:
                count = min(number, len(output.next_chunk()))
                found += output.next_chunk()[:count]
                output.written(count)
        found += read_all(output)
    lines = found.decode().split("\n")[:-1]
    numbers = [int(line[1:].partition("-")[0]) for line in lines if line.startswith("e")]
    lost = sum(int(line.split()[1]) for line in lines if line.startswith("lost"))
    assert numbers == sorted(numbers)
    assert len(numbers) + lost == events
    assert sum(line == "a" for line in lines) == answers
    assert all(line == "a" or line.startswith("lost ") or line.rstrip("x").endswith("-") for line in lines)
    assert lost == output.lost_total


def test_a_spool_gives_back_files_that_were_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apid.bridge.output, "SPOOL_FILE", 100)
    spool = Spool(tmp_path)
    rng = random.Random(3)
    expected = found = b""
    for number in range(2000):
        line = b"%d\n" % number * rng.randint(1, 5)
        spool.push(line)
        expected += line
        if len(spool) > 300:
            found += spool.pull(rng.randint(1, 64))
        assert len(spool._files) <= len(spool) // 100 + 3
    while len(spool):
        found += spool.pull(64)
    assert found == expected
    assert spool.pull(64) == b""
    assert list(tmp_path.iterdir()) == []  # unlinked from the start


def test_a_full_disk_drops_the_line_and_leaves_no_half_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apid.bridge.output, "SPOOL_FILE", 10)
    spool = Spool(tmp_path)
    spool.push(b"first\n")
    write = os.pwrite

    def half(descriptor: int, octets: bytes, offset: int) -> int:
        if len(octets) < 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, octets[: len(octets) // 2], offset)

    monkeypatch.setattr(os, "pwrite", half)
    with pytest.raises(OSError, match="No space"):
        spool.push(b"a line that does not fit\n")
    monkeypatch.setattr(os, "pwrite", write)
    spool.push(b"second line\n")
    spool.push(b"third\n")
    found = b""
    while len(spool):
        found += spool.pull(7)
    assert found == b"first\nsecond line\nthird\n"


def test_a_run_directory_that_takes_no_file_loses_events_visibly(small: Output, tmp_path: Path) -> None:
    small._spool_directory = tmp_path / "missing"
    small.event([b"%03d-------\n" % number for number in range(12)])
    assert read_all(small).endswith(notice(2))
