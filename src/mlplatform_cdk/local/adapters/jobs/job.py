"""What every SageMaker job has in common: a request that stays as it came, a state, a thread that moves it on."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from moto.core.utils import utcnow

from mlplatform_cdk.local import roles, settings
from mlplatform_cdk.local.adapters import events
from mlplatform_cdk.local.adapters.jobs.container import Container
from mlplatform_cdk.local.images import ImageNotHere
from mlplatform_cdk.local.log_shipping import LogShipper
from mlplatform_cdk.local.role_storage import RoleStorage, StorageError, storage_of

if TYPE_CHECKING:
    from datetime import datetime

    from mlplatform_cdk.local.adapters.sagemaker_api import Request, Scope
    from mlplatform_cdk.local.process import Child

POLL_SECONDS = 0.05
SHIP_SECONDS = 1.0
STOP_GRACE_SECONDS = 120.0
ONE_DAY = 86400

_LOGGER = logging.getLogger(__name__)


class JobFailed(Exception):
    """Ends a job as Failed; the sentence is its FailureReason."""


class Job(ABC):
    """One job, from its creation on; moto's own lists and searches read its attributes.

    :param scope: the account and region of the job.
    :param request: the Create request, kept for Describe.
    """

    KIND: ClassVar[str]  # Training, Processing or Transform
    ARN_KIND: ClassVar[str]

    def __init__(self, scope: Scope, request: Request) -> None:
        self.scope = scope
        self.tags: list[dict[str, str]] = request.pop("Tags", None) or []
        self.request = request
        self.name: str = request[f"{self.KIND}JobName"]
        self.arn = scope.arn(self.ARN_KIND, self.name)
        self.status = "InProgress"
        self.failure_reason: str | None = None
        self.creation_time = self.last_modified_time = utcnow()
        self.start_time: datetime | None = None
        self.end_time: datetime | None = None
        self._stop = threading.Event()

    def __getattr__(self, name: str) -> Any:
        """What moto's lists read, such as ``training_job_name``, ``training_job_status`` and ``training_end_time``."""
        kind = self.KIND.lower()
        of_moto = {f"{kind}_job_name": "name", f"{kind}_job_status": "status", f"{kind}_end_time": "end_time"}
        if name in of_moto:
            return getattr(self, of_moto[name])
        raise AttributeError(name)

    @abstractmethod
    def work(self, storage: RoleStorage, container: Container) -> str:
        """Do the job and answer its final status; raise ``JobFailed`` or ``StorageError`` for Failed."""

    @property
    @abstractmethod
    def role_arn(self) -> str:
        """Under which role the job works."""

    @property
    def longest_run(self) -> float:
        """Seconds after which SageMaker stops the job."""
        return float((self.request.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds", ONE_DAY))

    def describe(self) -> dict[str, Any]:
        """The answer of Describe."""
        answer = self.request | {
            f"{self.KIND}JobArn": self.arn,
            f"{self.KIND}JobStatus": self.status,
            "CreationTime": self.creation_time,
            "LastModifiedTime": self.last_modified_time,
            f"{self.KIND}StartTime": self.start_time,
            f"{self.KIND}EndTime": self.end_time,
            "FailureReason": self.failure_reason,
        }
        return {name: value for name, value in answer.items() if value is not None}

    def gen_response_object(self) -> dict[str, Any]:
        """The answer of moto's Search."""
        return self.describe() | {"Tags": self.tags}

    def begin(self) -> None:
        """Start working on a thread of the job's own."""
        self.announce()
        threading.Thread(target=self._run, name=f"{self.ARN_KIND}/{self.name}", daemon=True).start()

    def stop(self) -> None:
        """Ask the job to end; what is still working stops within SageMaker's two minutes."""
        if self.status == "InProgress":
            self._stop.set()
            self.move("Stopping")

    def move(self, status: str, failure_reason: str | None = None) -> None:
        """Change the state, and tell EventBridge."""
        self.failure_reason = failure_reason
        self.last_modified_time = utcnow()
        if status in {"Completed", "Failed", "Stopped"}:
            self.end_time = self.last_modified_time
        self.status = status
        self.announce()

    def announce(self) -> None:
        """Send the state to EventBridge."""
        detail = self.describe() | {"Tags": {tag["Key"]: tag["Value"] for tag in self.tags}}
        events.emit(self.scope, f"SageMaker {self.KIND} Job State Change", self.arn, detail)

    def credentials(self) -> dict[str, str]:
        """The role's, for the program."""
        return roles.credentials_for(self.scope.account, self.scope.region, self.role_arn, "SageMaker")

    def watch(self, child: Child, container: Container) -> tuple[int, str]:
        """Follow the program to its end: its exit code, and ``ended``, ``stopped`` or ``too long``."""
        group = f"/aws/sagemaker/{self.KIND}Jobs"
        shipper = LogShipper(
            self.scope.account, self.scope.region, group, f"{self.name}/{container.stream}", container.log_file
        )
        started = shipped = time.monotonic()
        outcome = "ended"
        while (code := child.wait(POLL_SECONDS)) is None:
            now = time.monotonic()
            if self._stop.is_set() or now - started > self.longest_run:
                outcome = "stopped" if self._stop.is_set() else "too long"
                code = child.stop(STOP_GRACE_SECONDS)
                break
            if now - shipped > SHIP_SECONDS:
                shipper.ship()
                shipped = now
        child.stop()
        shipper.ship(last=True)
        return code, outcome

    def _run(self) -> None:
        container: Container | None = None
        try:
            folder = settings.current().state_dir / "sagemaker" / self.scope.region / self.ARN_KIND / self.name
            container = Container(folder)
            storage = storage_of(self.scope.region, self.role_arn)
            self.move(self.work(storage, container))
        except JobFailed as failure:
            self.move("Failed", str(failure))
        except (StorageError, ImageNotHere) as failure:
            self.move("Failed", f"ClientError: {failure}")
        except Exception:
            _LOGGER.exception("%s job %s", self.KIND, self.name)
            self.move("Failed", "InternalServerError: We encountered an internal error. Please try again.")
        finally:
            if container is not None:
                container.discard()
