"""Where one embedded AWS lives and whom it plays: shared by the server process and by those who talk to it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
STATE_FILE = "server.json"
DEFAULT_ACCOUNT = "123456789012"
DEFAULT_REGION = "us-east-1"
SETTINGS_VARIABLE = "MLPLATFORM_LOCAL_SETTINGS"
_FOREIGN = ("AWS_", "BOTO", "MOTO_", "CDK_")


class NoEmbeddedAws(RuntimeError):
    """No embedded AWS is set up in this process or lives in this folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One embedded AWS.

    :param state_dir: the folder that holds all that the server and its children write.
    :param port: the port on 127.0.0.1; default: 0, a free one that the server picks when it starts.
    :param account: the account that it plays; default: 123456789012.
    :param region: the region of clients that name none; default: us-east-1.
    :param clock_factor: how many seconds one second of a Wait state, a delay, a retry or the time-out of a task that
        waits for its token takes; default: 1, real time.
    :param longest_wait_s: the most real seconds that one of them takes, such as a Wait of days; default: no limit.
    :param longest_answer_s: the same for a task that waits for its token, since people answer in real time;
        default: ``longest_wait_s``.
    """

    state_dir: Path
    port: int = 0
    account: str = DEFAULT_ACCOUNT
    region: str = DEFAULT_REGION
    clock_factor: float = 1.0
    longest_wait_s: float | None = None
    longest_answer_s: float | None = None

    def __post_init__(self) -> None:
        if self.clock_factor <= 0:
            raise ValueError(f"clock_factor must be above 0, got {self.clock_factor}; 1 is real time")
        for name in ("longest_wait_s", "longest_answer_s"):
            limit = getattr(self, name)
            if limit is not None and limit <= 0:
                raise ValueError(f"{name} must be above 0 seconds, got {limit}; None is no limit")

    @property
    def endpoint_url(self) -> str:
        """The address for boto3, the AWS CLI and the cdk CLI (by name: S3 reads buckets out of numeric hosts)."""
        return f"http://localhost:{self.port}"

    def to_json(self) -> str:
        """These settings as text, for another process."""
        return json.dumps(asdict(self) | {"state_dir": str(self.state_dir)})

    @staticmethod
    def from_json(text: str) -> Settings:
        """The settings that ``to_json`` wrote."""
        values: dict[str, Any] = json.loads(text)
        return Settings(**(values | {"state_dir": Path(values["state_dir"])}))

    def with_port(self, port: int) -> Settings:
        """The same embedded AWS, now that its port is known."""
        return replace(self, port=port)


_current: Settings | None = None


def use(settings: Settings) -> None:
    """Make ``settings`` those of this process."""
    global _current  # noqa: PLW0603 -- one embedded AWS per process, set once when it starts
    _current = settings


def current() -> Settings:
    """The settings of the embedded AWS that this process is, or was started by."""
    if _current is not None:
        return _current
    text = os.environ.get(SETTINGS_VARIABLE)
    if text is None:
        raise NoEmbeddedAws("this process belongs to no embedded AWS; start one with mlplatform local up")
    return Settings.from_json(text)


def client_environment(settings: Settings) -> dict[str, str]:
    """This process's environment with every AWS setting replaced: calls can reach the embedded AWS, and no other."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return kept | {
        "AWS_ENDPOINT_URL": settings.endpoint_url,
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_ACCESS_KEY_ID": settings.account,
        "AWS_SECRET_ACCESS_KEY": "embedded",  # the administrator's key is made up: nothing checks it
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
