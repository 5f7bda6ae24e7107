"""Commands and their answers, the presence of helpers, and connections that the listener passes on."""

from __future__ import annotations

from typing import Any

from bus.schema.codec import Message, message


@message(30, "bridge | command line | runner → control")
class Command(Message, frozen=True):
    """Carry out one line of the command language, with the rights of `client` (empty: all neighbors).

    epoch: of a client that repeats, under the same number, a command that control died over; it uses a number once.
    """

    request: int
    client: str
    line: str
    epoch: str = ""


@message(31, "control → bridge | command line | runner")
class Answer(Message, frozen=True):
    """Lines of an answer; the last part says `final`, and whether the command failed and why.

    unfinished: the last of these lines is continued by the first line of the next part.
    """

    request: int
    lines: list[str]
    final: bool
    error: str
    unfinished: bool = False


@message(32, "control → bridge | peerd")
class Reconfigure(Message, frozen=True):
    """Your settings file has changed: read it again."""

    reason: str


@message(33, "bridge → control")
class Present(Message, frozen=True):
    """A bridge is there: its helper's name and state (for `helpers`), sent at connection and on request."""

    helper: str
    epoch: str
    state: dict[str, Any]


@message(34, "runner → control → bridge")
class Signalled(Message, frozen=True):
    """The foreground process got signal `code`; the command that it stands for follows."""

    code: int


@message(40, "listener → peerd, over a UNIX socket with the accepted TCP socket attached (SCM_RIGHTS)")
class Incoming(Message, frozen=True):
    """A TCP connection for `neighbor`; the descriptor travels beside this message."""

    neighbor: str
    peer_address: str
    local_address: str
