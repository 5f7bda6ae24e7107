#!/usr/bin/env python3
"""A helper: it prints commands on stdout, reads answers and events on stdin, and talks to people on stderr."""

import json
import sys


def say(text):
    """Tell people something: stderr goes to the log."""
    print(text, file=sys.stderr, flush=True)


def update(peer, message):
    """Tell what a neighbor announces and withdraws."""
    for family, next_hops in message.get("announce", {}).items():
        for next_hop, routes in next_hops.items():
            for route in routes:
                say(f"received {route['nlri']} ({family}) next-hop {next_hop} from {peer}")
    for family, routes in message.get("withdraw", {}).items():
        for route in routes:
            say(f"withdrawn {route['nlri']} ({family}) by {peer}")


command = "announce route 198.51.100.0/24 next-hop self med 10 community [ 65001:1 ]"
say(f"command: {command}")
print(command, flush=True)

for line in sys.stdin:
    if not line.startswith("{"):
        say(f"answer: {line.strip()}")  # `done` or `error`, one for each command
        continue
    event = json.loads(line)
    neighbor = event.get("neighbor", {})
    if event["type"] == "state":
        say(f"session with {neighbor['address']['peer']} is {neighbor['state']}")
    elif event["type"] == "update":
        update(neighbor["address"]["peer"], neighbor["message"].get("update", {}))
