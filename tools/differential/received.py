"""The same UPDATEs to both speakers: the JSON that their helpers read must be the same.

Behind each message stands a marker, a route to 203.0.N.M with a number in its MED, so that events are found although
a message may have none. What follows the message that ended a session is not compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from bgp.message import MessageType, build
from tools.differential.compare import ANSWERS, Difference
from tools.differential.generate import ALL
from tools.differential.peer import Say
from tools.differential.run import Case, Result

SESSION = 40  # messages for each neighbor
MARKER = "203.0."
API = "receive { parsed; update; }"
NEIGHBOR = f"capability {{ aigp enable; }}\n{ALL}"
# ORIGIN, AS_PATH, NEXT_HOP, LOCAL_PREF of the marker; its MED follows.
_ATTRIBUTES = bytes.fromhex("40010100 400200 400304c0000201 40050400000064 800404")


def received_cases(messages: Sequence[bytes]) -> list[Case]:
    """Return neighbors whose peers send the messages, each with its marker."""
    made = []
    for start in range(0, len(messages), SESSION):
        octets = b"".join(
            message + _marker(start + place) for place, message in enumerate(messages[start : start + SESSION])
        )
        # The helper waits with the first neighbor, so that the messages of all have come.
        wait = () if start else ("@sleep 4",)
        made.append(Case(f"received {start}", NEIGHBOR, wait, says=(Say(1.0, octets),), api=API))
    return made


def _marker(number: int) -> bytes:
    attributes = _ATTRIBUTES + number.to_bytes(4, "big")
    prefix = bytes((32, 203, 0)) + (number & 0xFFFF).to_bytes(2, "big")
    return build(MessageType.UPDATE, bytes(2) + len(attributes).to_bytes(2, "big") + attributes + prefix)


def received_differences(messages: Sequence[bytes], theirs: Result, ours: Result) -> Iterator[Difference]:
    """Compare the events of each message; those of ExaBGP that are not JSON are its own defect."""
    left, right = _events(theirs.lines), _events(ours.lines)
    for number, message in enumerate(messages):
        their = left.get(number)
        if their is not None and None not in their and their != right.get(number):
            our = right.get(number, [])
            yield Difference(message.hex(), ANSWERS, tuple(map(json.dumps, their)), tuple(map(json.dumps, our)))


def received_count(result: Result) -> int:
    """Return how many messages a speaker has told its helper about."""
    return len(_events(result.lines))


def _events(lines: Sequence[str]) -> dict[int, list[object]]:
    """Return the events of each message by its number; None stands for one that is not JSON."""
    found: dict[int, list[object]] = {}
    waiting: dict[str, list[object]] = {}
    for line in lines:
        peer = line.partition('"peer": "')[2].partition('"')[0]
        if '"type": "update"' not in line:
            continue
        events = waiting.setdefault(peer, [])
        try:
            said = json.loads(line)["neighbor"]["message"]
        except ValueError:
            events.append(None)
            continue
        if MARKER in line:
            found[said["update"]["attribute"]["med"]] = events
            waiting[peer] = []
        else:
            events.append(said)
    return found
