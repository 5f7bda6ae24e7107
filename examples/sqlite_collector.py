#!/usr/bin/env python3
"""Keep the routes that peers announce in a database: sqlite_collector.py FILE.

The table `routes` has what is announced now: peer, family, prefix, path identifier, next hop, attributes as JSON.
"""

import json
import os
import sqlite3
import sys

TABLE = """CREATE TABLE IF NOT EXISTS routes (
    peer TEXT, family TEXT, prefix TEXT, path TEXT, next_hop TEXT, attributes TEXT, time REAL,
    PRIMARY KEY (peer, family, prefix, path)
)"""


def name_of(route):
    """Return the prefix of a route, or all of one that has none, such as a flow."""
    return route.get("nlri") or json.dumps(route, sort_keys=True)


def apply(database, event):
    """Carry out one event."""
    neighbor = event.get("neighbor")
    if neighbor is None:
        return  # of the daemon itself: it ends, or events were lost
    peer = neighbor["address"]["peer"]
    if event["type"] == "state" and neighbor["state"] == "down":
        database.execute("DELETE FROM routes WHERE peer = ?", (peer,))
    update = neighbor["message"].get("update", {}) if event["type"] == "update" else {}
    for family, routes in update.get("withdraw", {}).items():
        for route in routes:
            database.execute(
                "DELETE FROM routes WHERE peer = ? AND family = ? AND prefix = ? AND path = ?",
                (peer, family, name_of(route), route.get("path-information", "")),
            )
    attributes = json.dumps(update.get("attribute", {}))
    for family, next_hops in update.get("announce", {}).items():
        for next_hop, routes in next_hops.items():
            for route in routes:
                path = route.get("path-information", "")
                row = (peer, family, name_of(route), path, next_hop, attributes, event["time"])
                database.execute("INSERT OR REPLACE INTO routes VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def opened(path):
    """Open the database, without routes: sessions begin anew with us. End where that cannot be, and say why."""
    try:
        database = sqlite3.connect(path)
        database.execute(TABLE)
        database.execute("DELETE FROM routes")
        database.commit()
    except sqlite3.Error as error:
        sys.exit(f"{path} cannot be written by uid {os.getuid()}: {error}")
    return database


def main():
    """Take what is there at once, and commit that: a full table is not a transaction for each route."""
    database = opened(sys.argv[1])
    rest = b""
    while octets := os.read(0, 1 << 20):
        *lines, rest = (rest + octets).split(b"\n")
        for line in lines:
            if line.startswith(b"{"):
                apply(database, json.loads(line))
        database.commit()


if __name__ == "__main__":
    main()
