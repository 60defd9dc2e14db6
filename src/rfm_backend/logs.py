"""Logs: lines for a person in development, JSON in production; each with its request's number.

In:  what modules say through `logging`.
Out: lines on standard error.

What always holds: no line is written with a body, a header or a password in it: nobody hands one in.
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
        }
        if number := request_id.get():
            told["request_id"] = number
        if record.exc_info:
            told["trace"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


def set_up_logs(*, as_json: bool) -> None:
    """Send every log line to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    plain = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S")
    handler.setFormatter(_AsJson() if as_json else plain)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for chatty in ("alembic", "waitress.queue", "werkzeug"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
