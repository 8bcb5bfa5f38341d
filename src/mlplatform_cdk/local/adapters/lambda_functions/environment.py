"""What a function finds around it: its unpacked asset, AWS's variables, its role's credentials, its log group."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
import uuid
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mlplatform_cdk.local import roles, settings

if TYPE_CHECKING:
    from moto.awslambda.models import LambdaFunction

SERVICE = "lambda.amazonaws.com"
INHERITED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT")


def revision_of(function: LambdaFunction) -> str:
    """Changes with everything that a running process cannot take over."""
    parts = (
        function.code_sha_256,
        function.handler,
        function.role,
        function.environment_vars,
        function.memory_size,
        function.timeout,
        getattr(function, "logging_config", None),
    )
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()


def unpack(function: LambdaFunction) -> Path:
    """The folder that holds the function's asset; equal assets share one."""
    code = function.code_bytes
    folder = settings.current().state_dir / "lambda" / hashlib.sha256(code).hexdigest()[:32]
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=folder.parent))
        with zipfile.ZipFile(io.BytesIO(code)) as archive:
            archive.extractall(unfinished)
        try:
            unfinished.rename(folder)
        except OSError:  # another request was faster
            shutil.rmtree(unfinished)
    return folder


def variables(function: LambdaFunction, folder: Path) -> dict[str, str]:
    """The whole environment of the function's process."""
    logging_config = getattr(function, "logging_config", None) or {}
    session = roles.environment_for(
        function.account_id, function.region, function.role, function.function_name, service=SERVICE
    )
    version = str(function.version)
    moment = datetime.now(tz=UTC)
    reserved = {
        "_HANDLER": function.handler,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": log_group_of(function),
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{moment:%Y/%m/%d}/[{version}]{uuid.uuid4().hex}",
        "AWS_LAMBDA_LOG_FORMAT": logging_config.get("LogFormat", "Text"),
        "AWS_LAMBDA_LOG_LEVEL": logging_config.get("ApplicationLogLevel", "INFO"),
        "LAMBDA_TASK_ROOT": str(folder),
        "LAMBDA_RUNTIME_DIR": str(Path(__file__).parent),
        "TZ": ":UTC" if os.name == "posix" else "UTC",
    }
    own = {name: str(value) for name, value in function.environment_vars.items()}
    return inherited() | own | reserved | session


def inherited() -> dict[str, str]:
    """What a process of the embedded AWS has from this one."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


def log_group_of(function: LambdaFunction) -> str:
    """The log group that the function writes to."""
    logging_config = getattr(function, "logging_config", None) or {}
    return str(logging_config.get("LogGroup") or f"/aws/lambda/{function.function_name}")
