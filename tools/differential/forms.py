"""Every word of the grammar in many forms, those that are wrong too: `forms.txt`, a command on a line.

In a line `{p}` is an IPv4 prefix of its own, `{6}` an IPv6 one, `{h}` an address and `{n}` a number, so that what
a peer is sent tells which line it comes from. Forms that docs/compatibility.md explains are not there.
"""

from __future__ import annotations

from pathlib import Path

from tools.differential.generate import ALL
from tools.differential.run import Case

FORMS = Path(__file__).with_name("forms.txt")
NETWORKS = 250  # numbers of the third octet that are used
NEIGHBOR = f"group-updates false;\ncapability {{ aigp enable; }}\n{ALL}"


def form_commands(step: int = 1, first: int = 0) -> tuple[str, ...]:
    """Return the lines of the file, or every `step`th of them from the line `first` on."""
    lines = FORMS.read_text().splitlines()
    return tuple(_own(lines[number], number) for number in range(first, len(lines), step))


def form_case(step: int = 1, first: int = 0) -> Case:
    """Return a neighbor to which these commands are given."""
    return Case("forms", NEIGHBOR, form_commands(step, first))


def _own(line: str, number: int) -> str:
    """Put numbers of its own into a line."""
    high, low = divmod(number, NETWORKS)
    own = {"{p}": f"10.{high}.{low}.0/24", "{6}": f"2001:db8:{high:x}:{low:x}::/64", "{h}": f"10.{high}.{low}.1"}
    for place, text in (own | {"{n}": str(number)}).items():
        line = line.replace(place, text)
    return line
