"""What `bgpbus run` works out before it starts anything."""

from __future__ import annotations

import pytest

from apid.config.options import LogOptions
from apid.log_destination import LINE_OCTETS, Destination, Log
from apid.run import until_minutes


class Kept(Destination):
    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def write(self, lines: list[bytes]) -> None:
        self.lines += lines


@pytest.mark.parametrize(
    ("minutes", "now", "seconds"), [(0, 1000.0, 0), (1, 60.0, 0), (1, 61.0, 59), (5, 723.5, 176.5), (60, 3599.0, 1)]
)
def test_a_delay_lasts_until_the_clock_reaches_a_multiple(minutes: int, now: float, seconds: float) -> None:
    assert until_minutes(minutes, now) == seconds


STAMP = b"2026-11-22 08:00:00,123 "


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (LogOptions(), [0, 1, 2, 3]),
        (LogOptions(network=False), [1, 2, 3]),
        (LogOptions(network=False, reactor=False), [1, 3]),
        (LogOptions(network=False, all=True), [0, 1, 2, 3]),
        (LogOptions(enable=False), []),
    ],
)
def test_a_category_that_is_off_hides_lines_but_what_is_wrong(options: LogOptions, kept: list[int]) -> None:
    said = [b"peerd-x INFO up", b"peerd-x WARNING down", b"control INFO ready", b"no line of ours"]
    lines = [*(STAMP + line for line in said[:3]), said[3]]
    destination = Kept()
    log = Log(options, destination)
    octets = b"".join(line + b"\n" for line in lines)
    for place in range(0, len(octets), 7):
        log.write(octets[place : place + 7])
    assert destination.lines == [lines[number] for number in kept]


def test_a_short_line_has_no_time_and_one_without_end_is_cut() -> None:
    destination = Kept()
    log = Log(LogOptions(short=True), destination)
    log.write(STAMP + b"ribd INFO ready\n" + b"x" * (LINE_OCTETS + 1))
    assert destination.lines == [b"ribd INFO ready", b"x" * (LINE_OCTETS + 1)]
