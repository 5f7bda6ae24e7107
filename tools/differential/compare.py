"""What two speakers did, side by side."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec import Struct

from bgp.message import MessageType
from tools.differential.peer import Connection
from tools.differential.run import Case, Result

VOLATILE = ("time", "host", "pid", "ppid", "counter")
NAMES = {
    MessageType.OPEN: "OPEN",
    MessageType.UPDATE: "UPDATE",
    MessageType.NOTIFICATION: "NOTIFICATION",
    MessageType.ROUTE_REFRESH: "ROUTE-REFRESH",
    MessageType.OPERATIONAL: "OPERATIONAL",
}
ORDER, CONTENT, SESSIONS, ANSWERS = "order", "content", "sessions", "answers"


class Difference(Struct, frozen=True):
    """One difference: `theirs` is ExaBGP's."""

    case: str
    kind: str
    theirs: tuple[str, ...]
    ours: tuple[str, ...]

    def __str__(self) -> str:
        """Return some lines."""
        rows = [f"{self.case}: {self.kind}"]
        rows += [f"  exabgp {line}" for line in self.theirs[:12]]
        rows += [f"  bgpbus {line}" for line in self.ours[:12]]
        return "\n".join(rows)


def differences(cases: Iterable[Case], theirs: Result, ours: Result) -> Iterator[Difference]:
    """Compare what the peers were sent."""
    for case in cases:
        yield from _connections(case.name, theirs.connections[case.name], ours.connections[case.name])


def _connections(name: str, theirs: list[Connection], ours: list[Connection]) -> Iterator[Difference]:
    if len(theirs) != len(ours):
        yield Difference(name, SESSIONS, (f"{len(theirs)} connections",), (f"{len(ours)} connections",))
    for their, our in zip(theirs, ours, strict=False):
        left, right = [_text(each) for each in their.messages], [_text(each) for each in our.messages]
        if left == right:
            continue
        missing, added = Counter(left) - Counter(right), Counter(right) - Counter(left)
        if missing or added:
            yield Difference(name, CONTENT, tuple(missing.elements()), tuple(added.elements()))
        else:
            yield Difference(name, ORDER, tuple(left), tuple(right))


def _text(message: bytes) -> str:
    return f"{NAMES.get(message[18], message[18])} {message[19:].hex()}"


def answers(result: Result) -> list[tuple[str, list[str]]]:
    """Return each command with the lines that the helper read before the next one."""
    found: list[tuple[str, list[str]]] = [("", [])]
    for line in result.lines:
        if line.startswith("> "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def comparable(line: str) -> object:
    """Return a line of a helper without what differs between any two runs."""
    if line.startswith("shutdown"):
        return "shutdown"  # ExaBGP adds process ids
    if not line.startswith("{"):
        return line
    try:
        event = json.loads(line)
    except ValueError:
        return f"not JSON: {line}"
    for key in VOLATILE:
        event.pop(key, None)
    return json.dumps(event)


def answer_differences(theirs: Result, ours: Result) -> Iterator[Difference]:
    """Compare what the helpers read after each command."""
    for (command, their), (_, our) in zip(answers(theirs), answers(ours), strict=False):
        left = [str(comparable(line)) for line in their if line]
        right = [str(comparable(line)) for line in our if line]
        if left != right:
            yield Difference(command or "(before the first command)", ANSWERS, tuple(left), tuple(right))
