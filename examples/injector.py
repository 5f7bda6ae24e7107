#!/usr/bin/env python3
"""Routes as resources over HTTP: injector.py PORT [ADDRESS].

curl -X PUT -d '{"next-hop": "192.0.2.1", "community": ["65001:666"]}' http://127.0.0.1:5001/routes/198.51.100.0/24
curl http://127.0.0.1:5001/routes
curl -X DELETE http://127.0.0.1:5001/routes/198.51.100.0/24

201 and 204 mean that the daemon said `done`, 422 that it said `error`, 504 that it said nothing.
"""

import ipaddress
import json
import sys
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE = 10.0  # seconds for an answer
ATTRIBUTES = ("med", "local-preference", "community", "large-community", "as-path")


class Daemon:
    """Commands out, answers in: they come in the order of the commands."""

    def __init__(self):
        self._lock = threading.Lock()
        self._asked = deque()

    def ask(self, command):
        """Say a command; return whether it was done, None where no answer came."""
        answered, answer = threading.Event(), []
        with self._lock:
            self._asked.append((answered, answer))
            print(command, flush=True)
        return answer[0] if answered.wait(PATIENCE) else None

    def read(self):
        """Hand out answers until the daemon ends."""
        for line in sys.stdin:
            if line.strip() in ("done", "error"):
                answered, answer = self._asked.popleft()
                answer.append(line.strip() == "done")
                answered.set()


daemon = Daemon()
routes = {}


def words(values):
    """Return the words of a route's attributes."""
    said = ["next-hop", str(ipaddress.ip_address(values["next-hop"]))] if "next-hop" in values else ["next-hop", "self"]
    for name in ATTRIBUTES:
        if name in values:
            value = values[name]
            said += [name, f"[ {' '.join(map(str, value))} ]" if isinstance(value, list) else str(value)]
    return " ".join(said)


class Injector(BaseHTTPRequestHandler):
    """One resource for each prefix."""

    def _prefix(self):
        return str(ipaddress.ip_network(self.path.removeprefix("/routes/")))

    def _answer(self, status, value=None):
        self.send_response(status)
        self.end_headers()
        if value is not None:
            self.wfile.write(json.dumps(value).encode() + b"\n")

    def _ask(self, command, status):
        done = daemon.ask(command)
        self._answer(504 if done is None else status if done else 422)
        return done

    def do_GET(self):
        """Say what is announced."""
        self._answer(200, routes)

    def do_PUT(self):
        """Announce a route."""
        try:
            prefix = self._prefix()
            values = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
            command = " ".join(f"announce route {prefix} {words(values)}".split())
        except (ValueError, TypeError, KeyError) as error:
            self._answer(400, {"error": str(error)})
            return
        if self._ask(command, 201):
            routes[prefix] = values

    def do_DELETE(self):
        """Withdraw a route."""
        try:
            prefix = self._prefix()
        except ValueError as error:
            self._answer(400, {"error": str(error)})
            return
        if self._ask(f"withdraw route {prefix}", 204):
            routes.pop(prefix, None)

    def log_message(self, pattern, *values):
        """Log nothing."""


def main():
    """Serve until the daemon closes our stdin."""
    server = ThreadingHTTPServer((sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1", int(sys.argv[1])), Injector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    daemon.read()


if __name__ == "__main__":
    main()
