"""The table of `bgpbus show neighbor summary`: every neighbor, up or not."""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta
from typing import Any

from apid.cli.ask import ask_json
from apid.cli.table import table
from bus.daemon import RunDirectory

HEAD = ["neighbor", "AS", "state", "up for", "in", "out"]
UNKNOWN = "-"


def summary(run: RunDirectory, words: tuple[str, ...]) -> list[str]:
    """Ask for neighbors, or for those that the words select, and lay them out.

    What ended a session last, or keeps it down, stands below its line, where there is room for all of it.
    """
    neighbors: list[dict[str, Any]] = ask_json(run, " ".join(("show neighbor", *words, "json")))
    times = Counter(neighbor["peer"]["address"] for neighbor in neighbors)
    head, *rows = table(HEAD, [_row(neighbor, times[neighbor["peer"]["address"]] > 1) for neighbor in neighbors])
    lines = [head]
    for neighbor, row in zip(neighbors, rows, strict=True):
        lines.append(row)
        if neighbor["last-error"]:
            lines.append(f"    {_ago(neighbor['last-error-time'])}{neighbor['last-error']}")
    return lines


def _ago(when: float | None) -> str:
    return "" if when is None else f"{timedelta(seconds=int(time.time() - when))} ago: "


def _row(neighbor: dict[str, Any], tell_apart: bool) -> list[str]:
    peer, prefixes = neighbor["peer"], neighbor["prefixes"]
    up = neighbor["state"] == "up"
    announced = prefixes["announced"]
    return [
        f"{peer['address']} from {neighbor['local']['address']}" if tell_apart else peer["address"],
        UNKNOWN if peer["as"] is None else str(peer["as"]),
        "shut" if neighbor["shut"] else neighbor["fsm"].lower(),
        str(timedelta(seconds=neighbor["duration"])) if up else UNKNOWN,
        str(prefixes["received"]) if up and prefixes["received"] is not None else UNKNOWN,
        UNKNOWN if announced is None else str(announced),
    ]
