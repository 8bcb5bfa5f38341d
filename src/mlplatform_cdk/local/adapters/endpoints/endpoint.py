"""A live endpoint: its states as SageMaker moves through them, the silent rollback of a failed update among them."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from moto.core.utils import utcnow
from moto.sagemaker.models import FakeEndpoint

from mlplatform_cdk.local.adapters import events
from mlplatform_cdk.local.adapters.endpoints.capture import Capture
from mlplatform_cdk.local.adapters.endpoints.fleet import Deployment, Fleet
from mlplatform_cdk.local.adapters.endpoints.guardrails import Guardrails, RolledBack, refuse_scaled
from mlplatform_cdk.local.adapters.endpoints.server import ServerFailed
from mlplatform_cdk.local.adapters.sagemaker_api import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlplatform_cdk.local.adapters.sagemaker_api import Request, Scope

_EVENT_STATUS = {"InService": "IN_SERVICE"}
_LOGGER = logging.getLogger(__name__)


class LiveEndpoint(FakeEndpoint):
    """moto's endpoint with servers behind it.

    :param scope: the account and region.
    :param request: CreateEndpoint's.
    :param config: the endpoint configuration that it names.
    """

    def __init__(self, scope: Scope, request: Request, config: Request) -> None:
        super().__init__(
            account_id=scope.account,
            region_name=scope.region,
            endpoint_name=request["EndpointName"],
            endpoint_config_name=request["EndpointConfigName"],
            production_variants=[],
            data_capture_config={},
            tags=request.get("Tags") or [],
        )
        self.scope = scope
        self.fleet: Fleet = {}
        self.capture: Capture | None = None
        self._config = config
        self._deployment: Deployment | None = None
        self._pending: dict[str, Any] | None = None
        self._changing = threading.Lock()
        self._working = threading.Lock()
        self.endpoint_status = "Creating"

    def describe(self) -> dict[str, Any]:
        """The answer of DescribeEndpoint."""
        answer: dict[str, Any] = {
            "EndpointName": self.endpoint_name,
            "EndpointArn": self.arn,
            "EndpointConfigName": self.endpoint_config_name,
            "EndpointStatus": self.endpoint_status,
            "CreationTime": self.creation_time,
            "LastModifiedTime": self.last_modified_time,
            "ProductionVariants": self._summaries(shadow=False) or None,
            "ShadowProductionVariants": self._summaries(shadow=True) or None,
            "FailureReason": self.failure_reason,
            "PendingDeploymentSummary": self._pending,
            "AsyncInferenceConfig": self._config.get("AsyncInferenceConfig"),
        }
        capture = self._config.get("DataCaptureConfig")
        if capture:
            answer["DataCaptureConfig"] = {
                "EnableCapture": capture.get("EnableCapture", False),
                "CaptureStatus": "Started" if capture.get("EnableCapture") else "Stopped",
                "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
                "DestinationS3Uri": capture["DestinationS3Uri"],
                "KmsKeyId": capture.get("KmsKeyId", ""),
            }
        return {name: value for name, value in answer.items() if value is not None}

    def _summaries(self, *, shadow: bool) -> list[dict[str, Any]]:
        return [variant.summary() for variant in self.fleet.values() if variant.shadow is shadow]

    def gen_response_object(self) -> dict[str, Any]:
        """The answer of moto's Search."""
        return self.describe() | {"Tags": self.tags}

    def create(self) -> None:
        """Bring the first fleet up."""
        self._move("Creating")
        self._in_background(self._first)

    def update(self, config: Request, *, retain: bool, excluded: set[str], deployment: Request | None = None) -> None:
        """Bring another configuration up beside the live one, then swap; a failure leaves the live one in service.

        :param config: the new endpoint configuration.
        :param retain: RetainAllVariantProperties.
        :param excluded: the properties that are not retained after all.
        :param deployment: DeploymentConfig; default: none.
        """
        refuse_scaled(self.scope, self.endpoint_name, self._config, config)
        guardrails = Guardrails.of(deployment)
        self._claim("update")
        weights = {name: variant.weight for name, variant in self.fleet.items()}
        counts = {name: variant.count for name, variant in self.fleet.items()}
        kept_weights = weights if retain and "DesiredWeight" not in excluded else {}
        kept_counts = counts if retain and "DesiredInstanceCount" not in excluded else {}
        if retain and "DataCaptureConfig" not in excluded:
            config = config | {"DataCaptureConfig": self._config.get("DataCaptureConfig")}
        self._pending = {"EndpointConfigName": config["EndpointConfigName"], "StartTime": utcnow()}
        self._move("Updating")
        self._in_background(lambda: self._swap(config, kept_weights, kept_counts, guardrails))

    def shift(self, desired: list[dict[str, Any]]) -> None:
        """Change weights and instance counts of the live variants."""
        unknown = [entry["VariantName"] for entry in desired if entry["VariantName"] not in self.fleet]
        if unknown:
            raise ValidationError(
                f'The variant name(s) "{", ".join(unknown)}" is/are not present within endpoint configuration '
                f'"{self.endpoint_config_name}".'
            )
        self._claim("update")
        self._move("Updating")
        self._in_background(lambda: self._set(desired))

    def delete(self, forget: Callable[[], None]) -> None:
        """Stop all servers, then ``forget`` the endpoint."""
        self._move("Deleting")
        deployment = self._deployment
        if deployment is not None:
            deployment.cancel()
        self._in_background(lambda: self._end(forget))

    def _claim(self, verb: str) -> None:
        """Let one change at a time begin, and only on an endpoint in service."""
        with self._changing:
            if self.endpoint_status == "Failed":
                raise ValidationError(f'Cannot {verb} failed endpoint "{self.arn}".')
            if self.endpoint_status != "InService":
                raise ValidationError(f'Cannot {verb} in-progress endpoint "{self.arn}".')
            self.endpoint_status = "Updating"

    def _first(self) -> None:
        try:
            self._bring_up(self._config, {}, {}, Guardrails())
        except ServerFailed as failure:
            if self.endpoint_status != "Deleting":
                self._move("Failed", str(failure))
        else:
            if self.endpoint_status != "Deleting":
                self._move("InService")

    def _swap(self, config: Request, weights: dict[str, float], counts: dict[str, int], guardrails: Guardrails) -> None:
        reason = None
        try:
            self._bring_up(config, weights, counts, guardrails)
        except (ServerFailed, RolledBack) as failure:
            reason = str(failure)
            _LOGGER.warning("update of endpoint %s rolled back: %s", self.endpoint_name, failure)
        if self.endpoint_status != "Deleting":
            self._pending = None
            # In service again after a failed update, and the reason stays until the next one, as in EndpointMetadata:
            # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_EndpointMetadata.html
            self._move("InService", reason)

    def _bring_up(
        self, config: Request, weights: dict[str, float], counts: dict[str, int], guardrails: Guardrails
    ) -> None:
        """Start the fleet of ``config``, put it in the place of the live one, and back where an alarm goes off."""
        self._deployment = Deployment(self.scope, self.endpoint_name, config, self.fleet)
        try:
            fleet = self._deployment.run(weights, counts)
        finally:
            self._deployment = None
        before = (self.fleet, self.capture, self._config)
        capture = Capture.of(self.scope, self.endpoint_name, config.get("DataCaptureConfig"))
        self._put(fleet, capture, config)
        try:
            guardrails.hold(self.scope, lambda: self.endpoint_status == "Deleting")
        except RolledBack:
            self._put(*before)
            _stop(fleet, capture, kept=before[0])
            raise
        _stop(before[0], before[1], kept=fleet)

    def _put(self, fleet: Fleet, capture: Capture | None, config: Request) -> None:
        self.fleet, self.capture = fleet, capture
        self._config, self.endpoint_config_name = config, config["EndpointConfigName"]

    def _set(self, desired: list[dict[str, Any]]) -> None:
        for entry in desired:
            variant = self.fleet[entry["VariantName"]]
            if entry.get("DesiredWeight") is not None:
                variant.weight = float(entry["DesiredWeight"])
            if entry.get("DesiredInstanceCount") is not None:
                variant.count = int(entry["DesiredInstanceCount"])
        self._move("InService")

    def _end(self, forget: Callable[[], None]) -> None:
        fleet, self.fleet = self.fleet, {}
        for variant in fleet.values():
            variant.server.stop()
        if self.capture is not None:
            self.capture.close()
        forget()

    def _in_background(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                with self._working:
                    work()
            except Exception:
                _LOGGER.exception("endpoint %s", self.endpoint_name)
                self._move("Failed", "InternalServerError: We encountered an internal error. Please try again.")

        threading.Thread(target=run, name=f"endpoint/{self.endpoint_name}", daemon=True).start()

    def _move(self, status: str, failure_reason: str | None = None) -> None:
        self.failure_reason = failure_reason
        self.last_modified_time = utcnow()
        self.endpoint_status = status
        tags = {tag["Key"]: tag["Value"] for tag in self.tags}
        shown = {"EndpointStatus": _EVENT_STATUS.get(status, status.upper()), "Tags": tags}
        events.emit(self.scope, "SageMaker Endpoint State Change", self.arn, self.describe() | shown)


def _stop(fleet: Fleet, capture: Capture | None, *, kept: Fleet) -> None:
    """End the servers of ``fleet`` that are in ``kept`` no more."""
    servers = {id(variant.server) for variant in kept.values()}
    for variant in fleet.values():
        if id(variant.server) not in servers:
            variant.server.traffic.close()
            variant.server.stop()
    if capture is not None:
        capture.close()
