"""All targets by name: how an input is made, and what is done with it.

An input is octets, so that a finding is a name and octets. What a target must choose, it takes from their beginning.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from msgspec import Struct

from tools.fuzz import messages, octets, sessions, texts
from tools.fuzz.corpus import Corpus


class Target(Struct, frozen=True):
    """`check` raises nothing unless there is a finding; `share` is how often it runs beside the others.

    passes: how often `check` goes through its input, so that each pass has the time that one may take. large: a word
    that makes an input say more than its length tells, so that its time is not judged.
    """

    check: Callable[[bytes], None]
    make: Callable[[Random, Corpus], bytes]
    share: int = 1
    passes: int = 1
    large: bytes | None = None


TARGETS: dict[str, Target] = {
    "attribute": Target(octets.check_attribute, octets.make_attribute, 4, passes=4),
    "nlri": Target(octets.check_nlri, octets.make_nlri, 4, passes=8),
    "capability": Target(octets.check_capability, octets.make_capability),
    "set": Target(octets.check_set, octets.make_set, 2, passes=4),
    "update": Target(messages.check_update, messages.make_update, 6, passes=12),
    "open": Target(messages.check_open, messages.make_open, 2, passes=8),
    "message": Target(messages.check_message, messages.make_message, 2, passes=8),
    "framer": Target(messages.check_framer, messages.make_framer, passes=3),
    "peer": Target(sessions.check_peer, sessions.make_peer, 2, passes=2),
    "command": Target(texts.check_command, texts.make_command, 3, passes=4, large=b"split"),
    "configuration": Target(texts.check_configuration, texts.make_configuration, passes=2, large=b"split"),
}
