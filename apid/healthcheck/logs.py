"""Log to stderr and to syslog, neither of which has to be there."""

from __future__ import annotations

import logging
import sys
import syslog

from apid.healthcheck.options import Logging, OptionError

FACILITIES = (
    *("auth", "authpriv", "cron", "daemon", "ftp", "kern", "lpr", "mail", "news", "syslog", "user", "uucp"),
    *(f"local{number}" for number in range(8)),
)
_CONTROL_CHARACTERS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
_PRIORITIES = {
    logging.DEBUG: syslog.LOG_DEBUG,
    logging.INFO: syslog.LOG_INFO,
    logging.WARNING: syslog.LOG_WARNING,
    logging.ERROR: syslog.LOG_ERR,
}


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return one line, whatever a check has written."""
        return super().format(record).translate(_CONTROL_CHARACTERS)


class _Syslog(logging.Handler):
    """By way of the C library, which copes with a /dev/log that is missing or comes back."""

    def emit(self, record: logging.LogRecord) -> None:
        syslog.syslog(_PRIORITIES.get(record.levelno, syslog.LOG_INFO), self.format(record))


def start_logging(options: Logging) -> logging.Logger:
    """Return the logger; OptionError for a facility that does not exist."""
    name = f"healthcheck-{options.name}" if options.name else "healthcheck"
    logger = logging.getLogger("bgpbus.healthcheck")
    logger.handlers.clear()
    logger.propagate = False
    logger.setLevel(logging.DEBUG if options.debug else logging.INFO)
    logging.raiseExceptions = False  # a stderr that nobody reads is no reason to fail
    if not options.silent:
        stderr = logging.StreamHandler(sys.stderr)
        stderr.setFormatter(_OneLine(f"%(levelname)s[{name}] %(message)s"))
        logger.addHandler(stderr)
    if options.facility:
        if options.facility not in FACILITIES:
            raise OptionError(f"--syslog-facility '{options.facility}' is not one of {', '.join(FACILITIES)}")
        syslog.openlog(name, syslog.LOG_PID, getattr(syslog, f"LOG_{options.facility.upper()}"))
        handler = _Syslog()
        handler.setFormatter(_OneLine("%(message)s"))
        logger.addHandler(handler)
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return logger
