"""The pictures of the benchmark show what was measured."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools.bench.plot import Axis, draw, growth

SVG = "{http://www.w3.org/2000/svg}"


def test_ten_times_as_much_is_the_same_distance_everywhere() -> None:
    axis = Axis.over([3, 2000], 0, 400)
    assert axis.ticks() == [1, 10, 100, 1000, 10000]
    assert [axis.place(tick) for tick in axis.ticks()] == pytest.approx([0, 100, 200, 300, 400])


def test_linear_growth_lies_on_the_dashed_line() -> None:
    root = ElementTree.fromstring(draw("title <1>", "x", "y", {"line": [(10, 2), (100, 20), (1000, 200)]}))
    measured, dashed = [
        [tuple(map(float, point.split(","))) for point in (line.get("points") or "").split()]
        for line in root.iter(f"{SVG}polyline")
        if line.get("stroke") != "#ddd"
    ]
    (x1, y1), (x2, y2) = dashed
    slopes = [(y - y1) / (x - x1) for x, y in measured if x != x1]
    assert slopes == pytest.approx([(y2 - y1) / (x2 - x1)] * len(slopes), rel=0.01)
    assert len(list(root.iter(f"{SVG}circle"))) == 3


def test_only_what_was_measured_more_than_once_is_drawn(tmp_path: Path) -> None:
    values = {"growth: routes: 10": (10, 0.1), "growth: routes: 100": (100, 1.0), "growth: neighbors up: 1": (1, 2.0)}
    written = growth({**values, "announce": (100, 5.0)}, tmp_path)
    assert [path.name for path in written] == ["growth-routes.svg"]
    assert len(re.findall("<circle", written[0].read_text())) == 2
