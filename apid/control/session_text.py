"""Neighbors as text, for `show neighbor summary` and `show neighbor extensive`."""

from __future__ import annotations

import time
from datetime import timedelta

from apid.control.session_view import SessionView, totalled
from bgp.wire import address_text


def summary_lines(views: list[SessionView]) -> list[str]:
    """Render `show neighbor summary`."""
    lines = ["Peer            AS        up/down state       |     #sent     #recvd"]
    for view in views:
        peer_as = view.known.settings.peer_as if view.received_open is None else view.received_open.real_asn
        lines.append(
            f"{view.known.address:<15} {peer_as if peer_as is not None else 'auto':<7} "
            f"{view.time_text if view.up else 'down':>9} {view.state.lower():<12} "
            f"{view.sent.get('update', 0):>10} {view.received.get('update', 0):>10}"
        )
    return lines


def extensive_lines(view: SessionView) -> list[str]:
    """Render one neighbor of `show neighbor extensive`."""
    settings, received = view.known.settings, view.received_open
    peer_as = settings.peer_as if received is None else received.real_asn
    lines = [f"Neighbor {view.known.address}", "", _head("Session", "Local")]
    lines.append(_row("local", view.local_address))
    lines.append(_row("state", view.state))
    lines.append(_row("up for" if view.up else "down for", view.time_text if view.up else "n/a"))
    if view.last_error:
        ago = f"{timedelta(seconds=int(time.time() - view.last_error_at))} ago: " if view.last_error_at else ""
        lines.append(f"   last error           {ago}{view.last_error}")
    lines += ["", _head("Setup", "Local", "Remote")]
    local_as = settings.local_as if view.negotiated is None else view.negotiated.local_as
    lines.append(_row("AS", _text(local_as, "auto"), _text(peer_as, "auto")))
    lines.append(
        _row("ID", address_text(settings.router_id), "n/a" if received is None else address_text(received.router_id))
    )
    lines.append(_row("hold-time", str(settings.hold_time), "n/a" if received is None else str(received.hold_time)))
    lines += ["", _head("Capability", "Local", "Remote")]
    peer = view.peer_capabilities
    lines += [_row(f"{name}:", _switch(on), _switch(peer[name])) for name, on in view.local_capabilities.items()]
    lines += ["", _head("Families", "Local", "Remote", "Add-Path")]
    lines += [
        _row(f"{family}:", "enabled", _switch(view.peer_has(family)), view.add_path(family)) for family in view.families
    ]
    if limits := view.limits():
        lines += ["", _head("Maximum Prefix", "Limit", "Received")]
        lines += [_row(f"{name}:", str(limit["maximum"]), str(limit["received"])) for name, limit in limits.items()]
    lines += ["", _head("Message Statistic", "Sent", "Received")]
    sent, got = totalled(view.sent), totalled(view.received)
    lines += [_row(f"{name}:", str(sent[name]), str(got[name])) for name in sent]
    return [*lines, ""]


def _head(*words: str) -> str:
    first, *rest = words
    return f"    {first:<19} " + " ".join(f"{word:>15}" for word in rest)


def _row(label: str, local: str, remote: str = "", last: str = "") -> str:
    return f"   {label:<20} {local:>15} {remote:>15} {last:<15}"


def _switch(value: bool | None) -> str:
    if value is None:
        return "n/a"
    return "enabled" if value else "disabled"


def _text(value: int | None, otherwise: str) -> str:
    return otherwise if value is None else str(value)
