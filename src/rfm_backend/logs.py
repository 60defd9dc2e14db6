"""Logs: lines for a person in development, JSON in production; each with its request's number.

In:  what modules say through `logging`.
Out: lines on standard error.

What always holds
    * no line is written with a body, a header or a password in it: nobody hands one in;
    * a line is one line: what a stranger sent is escaped, so that nothing he sends looks like another.
"""

import contextvars
import datetime as dt
import json
import logging
import sys
from typing import Final

request_id: Final[contextvars.ContextVar[str]] = contextvars.ContextVar("request_id", default="")


class _AsJson(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line of JSON."""
        told = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if number := request_id.get():
            told["request_id"] = number
        if record.exc_info:
            told["trace"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


class _AsText(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's own name
        """Return a record for a person, what it tells beside its message after that."""
        told = "".join(f" {name}={value!r}" for name, value in _fields(record).items())
        line = super().formatMessage(record) + told
        return line.replace("\r", "\\r").replace("\n", "\\n")


def _fields(record: logging.LogRecord) -> dict[str, object]:
    """Return what ``extra={"fields": ...}`` told beside the message."""
    fields: dict[str, object] = getattr(record, "fields", {})
    return fields


def set_up_logs(*, as_json: bool) -> None:
    """Send every log line to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    plain = _AsText("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S")
    handler.setFormatter(_AsJson() if as_json else plain)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for chatty in ("alembic", "waitress.queue", "werkzeug"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
