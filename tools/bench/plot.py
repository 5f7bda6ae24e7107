"""Draw what grows as SVG, on logarithmic axes. Written out by hand: three pictures are not worth a dependency."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from msgspec import Struct

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 50, 50
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd")
TEXT = 'font-family="sans-serif" font-size="12" fill="#333"'

Points = Sequence[tuple[float, float]]


class Axis(Struct, frozen=True):
    """A logarithmic axis from one power of ten to another, over some pixels."""

    low: int
    high: int
    start: float
    end: float

    @classmethod
    def over(cls, values: Iterable[float], start: float, end: float) -> Axis:
        """Make an axis that holds the values."""
        logs = [math.log10(value) for value in values]
        low = math.floor(min(logs))
        return cls(low, max(low + 1, math.ceil(max(logs))), start, end)

    def place(self, value: float) -> float:
        """Return where a value is."""
        return self.start + (math.log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return the powers of ten."""
        return [10.0**power for power in range(self.low, self.high + 1)]


def draw(title: str, x_label: str, y_label: str, lines: Mapping[str, Points]) -> str:
    """Return an SVG of the lines by name, with a dashed one through each's last point that grows exactly linearly."""
    points = [point for line in lines.values() for point in line]
    across = Axis.over((x for x, _ in points), LEFT, WIDTH - RIGHT)
    up = Axis.over((y for _, y in points), HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(WIDTH / 2, 20, title, "middle"),
        _text(WIDTH / 2, HEIGHT - 10, x_label, "middle"),
        _text(LEFT, TOP - 12, y_label, "middle"),
    ]
    for tick in across.ticks():
        x = across.place(tick)
        parts += [
            _line([(x, TOP), (x, HEIGHT - BOTTOM)], "#ddd"),
            _text(x, HEIGHT - BOTTOM + 18, f"{tick:,g}", "middle"),
        ]
    for tick in up.ticks():
        y = up.place(tick)
        parts += [_line([(LEFT, y), (WIDTH - RIGHT, y)], "#ddd"), _text(LEFT - 8, y + 4, f"{tick:,g}", "end")]
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        placed = [(across.place(x), up.place(y)) for x, y in line]
        parts.append(_line(placed, colour, 2))
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in placed]
        parts.append(_text(LEFT + 12, TOP + 16 + 16 * number, name, "start", colour))
        parts.append(_linear(across, up, line[-1], colour))
    return "\n".join([*parts, "</svg>\n"])


def _linear(across: Axis, up: Axis, last: tuple[float, float], colour: str) -> str:
    """Return the dashed line through a point along which twice the work takes twice as much, as far as it fits."""
    x, y = last
    lowest = max(10.0**across.low, x * 10.0**up.low / y)
    ends = [(across.place(lowest), up.place(y * lowest / x)), (across.place(x), up.place(y))]
    return _line(ends, colour, 1, 'stroke-dasharray="4 4"')


def _line(points: Points, colour: str, width: int = 1, more: str = "") -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" {more}/>'


def _text(x: float, y: float, words: str, anchor: str, colour: str = "#333") -> str:
    style = TEXT.replace("#333", colour)
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {style}>{escape(words)}</text>'


def growth(values: Mapping[str, tuple[int, float]], directory: Path) -> list[Path]:
    """Draw the results of the workloads of `growth`, {name: (count, value)}, into a directory; return the files."""

    def line(what: str) -> Points:
        return sorted(point for name, point in values.items() if name.startswith(f"growth: {what}:") and point[1] > 0)

    up, have_all = "from the start until all are up", "until all have all"
    pictures = {
        "growth-routes": ("Announce by pipe until the peer has all", "routes", "s", {"time": line("routes")}),
        "growth-neighbors": (
            "1,000 routes to each neighbor",
            "neighbors",
            "s",
            {up: line("neighbors up"), have_all: line("neighbors have all")},
        ),
        "growth-memory": (
            "Memory of all processes (PSS), 1,000 routes",
            "neighbors",
            "MiB",
            {"memory": line("memory, neighbors")},
        ),
    }
    written = []
    for name, (title, x_label, y_label, lines) in pictures.items():
        if drawn := {label: points for label, points in lines.items() if len(points) > 1}:
            path = directory / f"{name}.svg"
            path.write_text(draw(title, x_label, y_label, drawn))
            written.append(path)
    return written
