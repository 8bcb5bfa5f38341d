"""Structured logs: one JSON object a line on standard output, each carrying the run id.

Lambda's JSON log format takes such lines as they are, and so do the log streams of SageMaker's containers.
"""

import json
import logging
import os
import sys
from contextlib import nullcontext
from datetime import UTC, datetime

_ROOT = "mlplatform"
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_bound: dict[str, object] = {}


def logger(name: str) -> logging.Logger:
    """A standard logger that writes JSON; ``extra={"rows": 3}`` adds fields to the line.

    :param name: who speaks, such as ``"train"``.
    """
    root = logging.getLogger(_ROOT)
    if not root.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(JsonFormatter())
        root.addHandler(handler)
        root.setLevel(os.environ.get("LOG_LEVEL", "INFO").upper())
        root.propagate = False
    return root.getChild(name)


def bind(**fields: object) -> None:
    """Let every later line of this process carry ``fields``, such as ``run_id``; ``None`` takes a field off again."""
    _bound.update(fields)


def write(line: str) -> None:
    """Put ``line``, which ends with a newline, between the log's lines: whole, whatever other threads write."""
    logger(__name__)
    handler = logging.getLogger(_ROOT).handlers[0]
    with handler.lock or nullcontext():
        sys.stdout.write(line)
        sys.stdout.flush()


class JsonFormatter(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Render ``record``; its extra fields stand beside the message."""
        line: dict[str, object] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "run_id": os.environ.get("RUN_ID"),
            **_bound,
            **{name: value for name, value in vars(record).items() if name not in _PLAIN},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps({name: value for name, value in line.items() if value is not None}, default=str)
