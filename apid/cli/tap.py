"""`bgpbus tap`: events from the broker as JSON lines."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from apid.cli.errors import Failed
from bus.daemon import RunDirectory
from bus.schema import TOPICS, Event
from bus.transport import Subscriber

EPILOG = "Topics: " + "; ".join(f"{topic} ({text})" for topic, text in TOPICS.items())


@click.command(epilog=EPILOG)
@click.argument("topics", nargs=-1)
@click.option("-n", "--count", type=click.IntRange(min=1), help="End after so many events.")
@click.option("--seconds", type=click.FloatRange(min=0), help="End when nothing has come for so long.")
@click.pass_obj
def tap(run: RunDirectory, topics: tuple[str, ...], count: int | None, seconds: float | None) -> None:
    """Print events as they happen, one JSON object on each line; octets are hexadecimal digits.

    A gap in the sequence numbers of one publisher and epoch shows what was missed.

    \b
    bgpbus tap                          everything
    bgpbus tap state/ notification/     sessions that come and go
    bgpbus tap update/192.0.2.1
    """
    if not run.events.exists():
        raise Failed(f"bgpbus is not running in {run.path} (there is no {run.events})")
    subscriber = Subscriber(run.events, list(topics))
    try:
        while count is None or count > 0:
            event = subscriber.next(seconds)
            if event is None:
                return
            sys.stdout.write(event_line(event) + "\n")
            sys.stdout.flush()
            count = None if count is None else count - 1
    except KeyboardInterrupt:
        return
    finally:
        subscriber.close()


def event_line(event: Event) -> str:
    """Render an event."""
    return json.dumps(
        {
            "topic": event.topic,
            "publisher": event.publisher,
            "epoch": event.epoch,
            "sequence": event.sequence,
            "time": event.time,
            "data": _plain(event.data),
        }
    )


def _plain(value: Any) -> Any:
    """Turn octets into digits, at any depth."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value
