#!/usr/bin/env python3
"""Say what comes as a form over HTTP: http_front.py PORT [ADDRESS].

curl --form-string 'command=announce route 198.51.100.0/24 next-hop self' http://127.0.0.1:5000/
curl -d 'commands=announce route 198.51.100.0/24 next-hop self;announce route 203.0.113.0/24 next-hop self' …

Who can reach the port can announce anything: keep it on a loopback address, or behind something that asks who it is.
"""

import sys
import threading
from email.message import Message
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

LONGEST = 1 << 20  # octets of a request
saying = threading.Lock()


def form(headers, body):
    """Return the fields of a form, in either of the two ways in which clients send them."""
    kind = Message()
    kind["content-type"] = headers.get("content-type", "")
    if kind.get_content_type() != "multipart/form-data":
        return {name: values[0] for name, values in parse_qs(body.decode(), separator="&").items()}
    whole = BytesParser().parsebytes(f"content-type: {headers['content-type']}\r\n\r\n".encode() + body)
    parts = whole.get_payload()
    return {part.get_param("name", header="content-disposition"): part.get_payload() for part in parts}


class Front(BaseHTTPRequestHandler):
    """Answers `OK` once the commands are said; whether they were carried out, the daemon's log knows."""

    def do_POST(self):
        """Take `command`, or several in `commands`, between semicolons."""
        length = int(self.headers.get("content-length", 0))
        fields = form(self.headers, self.rfile.read(min(length, LONGEST)))
        commands = fields["commands"].split(";") if "commands" in fields else [fields.get("command", "")]
        lines = [line for line in (" ".join(command.split()) for command in commands) if line]
        with saying:
            sys.stdout.write("".join(f"{line}\n" for line in lines))
            sys.stdout.flush()
        self.send_response(200 if lines else 400)
        self.end_headers()
        self.wfile.write(b"OK\n" if lines else b"'command' or 'commands' expected\n")

    def log_message(self, pattern, *values):
        """Log nothing: stderr is for what is wrong."""


def main():
    """Serve until the daemon closes our stdin; its answers are read, and left."""
    server = ThreadingHTTPServer((sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1", int(sys.argv[1])), Front)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for _answer in sys.stdin:
        pass


if __name__ == "__main__":
    main()
