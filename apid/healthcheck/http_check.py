"""Ask a web server for a page. It blocks; it runs in a child with a deadline. Imported only where it is used."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from apid.healthcheck.options import CheckOptions, OptionError

BODY_LIMIT = 1 << 20  # octets in which the text is looked for


def make(options: CheckOptions) -> Callable[[], str]:
    """Return the check; it returns "" or what went wrong. OptionError where the URL cannot be asked for."""
    try:
        url = urlsplit(options.http)
        port = url.port
    except ValueError as error:
        raise OptionError(f"--http '{options.http}': {error}") from error
    if url.scheme not in ("http", "https") or not url.hostname:
        raise OptionError(f"--http '{options.http}' is not http://HOST[:PORT]/PATH or https://HOST[:PORT]/PATH")
    if url.username is not None:
        raise OptionError("--http with a user name is not supported: use --cmd")
    host, path = url.hostname, (url.path or "/") + (f"?{url.query}" if url.query else "")
    if not path.isascii() or not path.isprintable() or " " in path:
        raise OptionError(f"--http '{options.http}' has characters that must be percent-encoded")

    def connect() -> HTTPConnection:
        if url.scheme == "http":
            return HTTPConnection(host, port, timeout=options.timeout or None)
        context = ssl.create_default_context()
        if options.http_insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return HTTPSConnection(host, port, timeout=options.timeout or None, context=context)

    def check() -> str:
        connection = connect()
        try:
            connection.request("GET", path, headers={"User-Agent": "bgpbus-healthcheck", "Connection": "close"})
            response = connection.getresponse()
            if not any(response.status in codes for codes in options.http_status):
                return f"{options.http}: status {response.status} {response.reason}"
            if options.http_body and options.http_body.encode() not in response.read(BODY_LIMIT):
                return f"{options.http}: status {response.status}, but no '{options.http_body}' in the body"
        except (OSError, UnicodeError, HTTPException) as error:  # UnicodeError: a host name that cannot be one
            return f"{options.http}: {error or type(error).__name__}"
        finally:
            connection.close()
        return ""

    return check
