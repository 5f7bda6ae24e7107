"""The attributes of plain UPDATEs (`bgp.update.Update.plain`), rendered from their octets one by one.

peerd has judged such an UPDATE, and each of its attributes means what it means by itself. In a full table nearly every
UPDATE has a new set of attributes, but only two or three that are new.
"""

from __future__ import annotations

from collections.abc import Callable

from apid.render.remembered import Remembered
from apid.render.routes import next_hops
from bgp.attribute.next_hop import NextHop
from bgp.attribute.registry import ATTRIBUTES, Attribute
from bgp.attribute.walk import walk
from bgp.message import HEADER_LENGTH
from bgp.negotiated import Negotiated

ATTRIBUTES_AT = HEADER_LENGTH + 4  # after the lengths of the withdrawn routes, of which there are none, and of these


def plain_fields(message: bytes) -> tuple[bytes, bytes]:
    """Return the path attributes of a plain UPDATE, and its NLRI field."""
    stop = ATTRIBUTES_AT + (message[ATTRIBUTES_AT - 2] << 8 | message[ATTRIBUTES_AT - 1])
    return message[ATTRIBUTES_AT:stop], message[stop:]


class AttributeTexts:
    """The texts of single attributes in one session. `render` returns that of one, or nothing."""

    __slots__ = ("_known", "_negotiated", "_render")

    def __init__(self, render: Callable[[Attribute], str], negotiated: Negotiated) -> None:
        self._render, self._negotiated = render, negotiated
        self._known = Remembered[str]()

    def of(self, octets: bytes) -> tuple[list[str], str]:
        """Return the texts of attributes in the order of their codes, and their next hop."""
        known, hop, last = self._known, "", 0
        texts: list[str] = []
        for _, code, start, value, stop in walk(octets):
            whole = octets[start:stop]
            text = known.get(whole)
            if text is None:
                text = self._text(code, octets[value:stop])
                known.keep(whole, text, len(text))
            if code == NextHop.CODE:
                hop = text
            elif text:
                texts.append(text)
            if code < last:
                return self.of(
                    b"".join(
                        whole
                        for _, whole in sorted((code, octets[start:stop]) for _, code, start, _, stop in walk(octets))
                    )
                )
            last = code
        return texts, hop

    def _text(self, code: int, data: bytes) -> str:
        if code == NextHop.CODE:
            return next_hops(data)[0]
        return self._render(ATTRIBUTES[code].attribute.decode(data, self._negotiated))
