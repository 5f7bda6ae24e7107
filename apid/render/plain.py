"""The attributes of plain UPDATEs (`bgp.update.Update.plain`), rendered from their octets one by one.

peerd has judged such an UPDATE, and each of its attributes means what it means by itself. In a full table nearly every
UPDATE has a new set of attributes, but only two or three that are new.
"""

from __future__ import annotations

from collections.abc import Callable

from apid.memory import Memory
from apid.render.routes import next_hops
from bgp.attribute.next_hop import NextHop
from bgp.attribute.registry import EXTENDED_LENGTH
from bgp.attribute.walk import walk
from bgp.message import HEADER_LENGTH

REMEMBERED_OCTETS = 16 * 1024 * 1024  # of texts, and of what they were rendered from, for each session
ATTRIBUTES_AT = HEADER_LENGTH + 4  # after the lengths of the withdrawn routes, of which there are none, and of these


def plain_fields(message: bytes) -> tuple[bytes, bytes]:
    """Return the path attributes of a plain UPDATE, and its NLRI field."""
    stop = ATTRIBUTES_AT + (message[ATTRIBUTES_AT - 2] << 8 | message[ATTRIBUTES_AT - 1])
    return message[ATTRIBUTES_AT:stop], message[stop:]


class AttributeTexts:
    """The texts of single attributes in one session. `render` returns that of a code and a value, or nothing."""

    __slots__ = ("_known", "_render")

    def __init__(self, render: Callable[[int, bytes], str]) -> None:
        self._render = render
        self._known = Memory[bytes, str](REMEMBERED_OCTETS)

    def of(self, octets: bytes) -> tuple[list[str], str]:
        """Return the texts of attributes in the order of their codes, and their next hop."""
        known, hop, last = self._known.known, "", 0
        texts: list[str] = []
        start, end = 0, len(octets)
        while start < end:  # as `walk` does, of which peerd has found that it meets no fault
            code = octets[start + 1]
            if octets[start] & EXTENDED_LENGTH:
                value = start + 4
                stop = value + (octets[start + 2] << 8 | octets[start + 3])
            else:
                value = start + 3
                stop = value + octets[start + 2]
            if code < last:
                return self.of(_ordered(octets))
            whole = octets[start:stop]
            text = known.get(whole)
            if text is None:
                data = octets[value:stop]
                text = next_hops(data)[0] if code == NextHop.CODE else self._render(code, data)
                self._known.keep(whole, text, stop - start + len(text))
            if code == NextHop.CODE:
                hop = text
            elif text:
                texts.append(text)
            start, last = stop, code
        return texts, hop


def _ordered(octets: bytes) -> bytes:
    """Put attributes into the order of their codes."""
    return b"".join(
        whole for _, whole in sorted((code, octets[start:stop]) for _, code, start, _, stop in walk(octets))
    )
