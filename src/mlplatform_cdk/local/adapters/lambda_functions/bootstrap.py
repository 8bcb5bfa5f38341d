"""The Lambda runtime of a rehearsal: loads one handler and answers one request after another.

Runs as a file under ``python -I -S``, with the deployed asset on the path and boto3 beside it, so that an asset which
leans on anything else fails here as it would in AWS. Standard library only. See ``processes``.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import json
import logging
import os
import struct
import sys
import time
import traceback
from datetime import UTC, datetime
from typing import Any, BinaryIO

# What AWS's Python runtime brings along: boto3 and its dependencies.
RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
END_OF_LOG = "\x1e"
HEADER = struct.Struct(">I")


class RuntimePackages:
    """Finds the packages of AWS's runtime in their folder, and nothing else that lies there."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def find_spec(
        self, name: str, path: object = None, _target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Python's hook: where the module ``name`` is."""
        if path is not None or name not in RUNTIME_PACKAGES:
            return None
        return importlib.machinery.PathFinder.find_spec(name, [self.folder])


class Context:
    """The second argument of a handler, as AWS documents it."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.aws_request_id: str = request["request_id"]
        self.invoked_function_arn: str = request["arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = request.get("client_context")
        self._deadline = time.monotonic() + request["seconds"]

    def get_remaining_time_in_millis(self) -> int:
        """What is left until the time-out."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


class LogFormatter(logging.Formatter):
    """A record as AWS's runtime writes it: text, or JSON where the function asks for it."""

    request_id = ""

    def format(self, record: logging.LogRecord) -> str:
        """Render ``record``."""
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        if os.environ.get("AWS_LAMBDA_LOG_FORMAT") != "JSON":
            return f"[{record.levelname}]\t{moment}\t{self.request_id}\t{super().format(record)}"
        line: dict[str, Any] = {
            "timestamp": moment,
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": self.request_id,
        }
        if record.exc_info:
            line["stackTrace"] = self.formatException(record.exc_info).splitlines()
        return json.dumps(line)


def main() -> None:
    """Answer requests until the embedded AWS goes away."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)  # what the handler prints is its log
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    formatter = _set_up_logging()
    broken: Failure | None = None
    handler: Any = None
    try:
        handler = _load(os.environ["_HANDLER"])
    except Failure as failure:
        broken = failure
    _write(answers, {"ready": True})
    while (request := _read(requests)) is not None:
        formatter.request_id = request["request_id"]
        if broken is not None:
            _write_end(answers, {"error": broken.details | {"requestId": request["request_id"]}})
            sys.exit(0)  # the next request gets a new process, which loads again
        try:
            answer = _call(handler, request)
        except Failure as failure:
            answer = {"error": failure.details}
        _write_end(answers, answer)


class Failure(Exception):
    """What the caller is told when there is no answer."""

    def __init__(self, details: dict[str, Any]) -> None:
        super().__init__(details["errorMessage"])
        self.details = details


def _set_up_logging() -> LogFormatter:
    formatter = LogFormatter()
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.getLogger().addHandler(handler)
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        logging.getLogger().setLevel(os.environ.get("AWS_LAMBDA_LOG_LEVEL", "INFO"))
    return formatter


def _load(handler: str) -> Any:
    module_name, _, function_name = handler.rpartition(".")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as missing:
        message = f"Unable to import module '{module_name}': {missing}"
        raise Failure(_failure("Runtime.ImportModuleError", message)) from missing
    except Exception as broken:
        raise Failure(_details(broken)) from broken
    try:
        return getattr(module, function_name)
    except AttributeError as missing:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        raise Failure(_failure("Runtime.HandlerNotFound", message)) from missing


def _call(handler: Any, request: dict[str, Any]) -> dict[str, Any]:
    try:
        answer = handler(json.loads(request["event"]), Context(request))
    except Exception as broken:
        logging.getLogger().exception("%s", type(broken).__name__)
        raise Failure(_details(broken, request["request_id"])) from broken
    try:
        return {"payload": json.dumps(answer)}
    except (TypeError, ValueError) as unserializable:
        message = f"Unable to marshal response: {unserializable}"
        raise Failure(_failure("Runtime.MarshalError", message, request["request_id"])) from unserializable


def _failure(kind: str, message: str, request_id: str = "") -> dict[str, Any]:
    sys.stdout.write(f"[ERROR] {kind}: {message}\n")
    return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": []}


def _details(broken: BaseException, request_id: str = "") -> dict[str, Any]:
    frames = traceback.extract_tb(broken.__traceback__)
    return {
        "errorMessage": str(broken),
        "errorType": type(broken).__name__,
        "requestId": request_id,
        "stackTrace": traceback.format_list([frame for frame in frames if frame.filename != __file__]),
    }


def _read(stream: BinaryIO) -> dict[str, Any] | None:
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    request: dict[str, Any] = json.loads(stream.read(*HEADER.unpack(header)))
    return request


def _write_end(stream: BinaryIO, answer: dict[str, Any]) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(2, f"{END_OF_LOG}\n".encode())  # the log of this request ends here
    _write(stream, answer)


def _write(stream: BinaryIO, answer: dict[str, Any]) -> None:
    body = json.dumps(answer).encode()
    stream.write(HEADER.pack(len(body)) + body)
    stream.flush()


if __name__ == "__main__":
    sys.meta_path.append(RuntimePackages(sys.argv[1]))
    main()
