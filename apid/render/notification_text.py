"""What events say of a NOTIFICATION's data."""

from __future__ import annotations

from apid.render.values import hex_text, words_text
from bgp.notification import ADMINISTRATIVE_RESET, ADMINISTRATIVE_SHUTDOWN, CEASE, Notification

COMMUNICATIONS = (ADMINISTRATIVE_SHUTDOWN, ADMINISTRATIVE_RESET)


def said(notification: Notification, received: bool) -> tuple[str, str]:
    """Return data as hex, and as text.

    Of a received shutdown communication both are a description of it, so that `data` is not what was on the
    wire: helpers have always been told so, and the wire's octets are in the packet's event.
    """
    data = notification.data
    if received and data and notification.code == CEASE and notification.subcode in COMMUNICATIONS:
        text = communication_text(data)
        return hex_text(text.encode()), text
    return hex_text(data), words_text(data)


def communication_text(data: bytes) -> str:
    """Describe a shutdown communication (RFC 9003), whatever its octets are."""
    length, rest = data[0], data[1:]
    if not length:
        return "empty Shutdown Communication."
    if length > len(rest):
        return f"invalid Shutdown Communication (buffer underrun) length : {length} [{hex_text(rest)}]"
    octets, trailing = rest[:length], rest[length:]
    try:
        words = octets.decode("utf-8")
    except UnicodeDecodeError:
        return f"invalid Shutdown Communication (invalid UTF-8) length : {length} [{hex_text(octets)}]"
    words = words.replace("\r", " ").replace("\n", " ")
    text = f'Shutdown Communication: "{words}"'
    return f"{text}, trailing data: {hex_text(trailing)}" if trailing else text
