"""SageMaker's side of the world: one endpoint, whose updates take effect when the test says so, and how."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlplatform_cdk.release.blue_green.runtime.state import Live, Target, Variant
from mlplatform_cdk.runtimekit import scalable_targets

MOST = 4  # instances of a variant


class Refused(Exception):
    """What SageMaker says to a request that it does not take, as boto3 raises it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.response = {"Error": {"Code": "ValidationException", "Message": message}}


@dataclass
class Fleet:
    """A variant in service."""

    model: str
    package: str
    weight: float
    count: int
    definition: Mapping[str, Any]
    tested: bool = False


@dataclass
class Endpoint:
    """The endpoint, its configurations and models, and what the registry says of versions."""

    configurations: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    fleet: dict[str, Fleet] = field(default_factory=dict)
    configuration: str = ""
    status: str = ""
    pending: str = ""
    approvals: dict[int, str] = field(default_factory=dict)
    scales: dict[str, bool] = field(default_factory=dict)
    load: int = 1
    retains: bool = False
    made: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def settle(self, *, well: bool) -> None:
        """An update of the endpoint ends; one that fails leaves everything as it was, and says nothing."""
        if self.status == "Deleting":
            self.status, self.fleet, self.configuration, self.load = "", {}, "", 1
        elif self.pending and (well or not self.fleet):
            self._bring_up(self.pending)
            self.status = "InService"
        elif self.status == "Updating":
            self.status = "InService"
        self.pending = ""

    def _bring_up(self, name: str) -> None:
        """The fleets of a configuration; what is retained is so by the variant's name, whatever model it had."""
        fleet = {}
        for one in self.configurations[name]:
            before = self.fleet.get(one["VariantName"])
            kept = before if self.retains else None
            fleet[one["VariantName"]] = Fleet(
                model=one["ModelName"],
                package=self.models[one["ModelName"]],
                weight=kept.weight if kept else one["InitialVariantWeight"],
                count=kept.count if kept else one["InitialInstanceCount"],
                definition=one,
                tested=before is not None and before.model == one["ModelName"] and before.tested,
            )
        self.fleet, self.configuration = fleet, name

    def create_model(self, **parameters: Any) -> None:
        if parameters["ModelName"] in self.models:
            raise Refused("Cannot create already existing model")
        self.made[parameters["ModelName"]] = copy.deepcopy(parameters)
        self.models[parameters["ModelName"]] = parameters["PrimaryContainer"]["Environment"]["MODEL_PACKAGE_ARN"]

    def create_endpoint_config(self, **parameters: Any) -> None:
        if parameters["EndpointConfigName"] in self.configurations:
            raise Refused("Cannot create already existing endpoint configuration")
        self.made[parameters["EndpointConfigName"]] = copy.deepcopy(parameters)
        self.configurations[parameters["EndpointConfigName"]] = copy.deepcopy(parameters["ProductionVariants"])

    def create_endpoint(self, **parameters: Any) -> None:
        if self.status:
            raise Refused("Cannot create already existing endpoint")
        self.status, self.pending, self.retains = "Creating", parameters["EndpointConfigName"], False
        self.configuration = self.pending

    def update_endpoint(self, **parameters: Any) -> None:
        self._must_be_in_service()
        name = parameters["EndpointConfigName"]
        assert name in self.configurations, f"an update to {name}, which was never made"
        stays = {one["VariantName"] for one in self.configurations[parameters["EndpointConfigName"]]}
        if going := {*self.scales} & {*self.fleet} - stays:
            raise Refused(f"{going} must be deregistered from scaling first")
        self.status, self.pending = "Updating", parameters["EndpointConfigName"]
        self.retains = parameters["RetainAllVariantProperties"]

    def update_endpoint_weights_and_capacities(self, **parameters: Any) -> None:
        self._must_be_in_service()
        for one in parameters["DesiredWeightsAndCapacities"]:
            if one["VariantName"] not in self.fleet:
                raise Refused(f"Could not find variant {one['VariantName']}")
        for one in parameters["DesiredWeightsAndCapacities"]:
            fleet = self.fleet[one["VariantName"]]
            fleet.weight = one["DesiredWeight"]
            fleet.count = one.get("DesiredInstanceCount", fleet.count)

    def delete_endpoint(self, **_parameters: Any) -> None:
        if not self.status:
            raise Refused("Could not find endpoint")
        self.status, self.pending = "Deleting", ""

    def update_model_package(self, **parameters: Any) -> None:
        number = int(parameters["ModelPackageArn"].rsplit("/", 1)[1])
        self.approvals[number] = parameters["ModelApprovalStatus"]

    def register_scalable_target(self, **parameters: Any) -> None:
        self.scales[parameters["ResourceId"].rsplit("/", 1)[-1]] = not any(parameters["SuspendedState"].values())

    def describe_scalable_targets(self, **parameters: Any) -> dict[str, Any]:
        ids = [one for one in parameters["ResourceIds"] if one.rsplit("/", 1)[-1] in self.scales]
        return {"ScalableTargets": [{"ResourceId": one, "ScalableTargetARN": one} for one in ids]}

    def list_tags_for_resource(self, **named: str) -> dict[str, Any]:
        return {"Tags": {scalable_targets.OWNER_TAG: named["ResourceARN"].split("/")[1]}}

    def put_scaling_policy(self, **parameters: Any) -> None:
        assert parameters["ResourceId"].rsplit("/", 1)[-1] in self.scales, "a policy of nothing"

    def targets(self) -> tuple[Target, ...]:
        """What scales, or is held still."""
        return tuple(Target(variant=one, minimum=1, maximum=MOST, suspended=not on) for one, on in self.scales.items())

    def hold(self, targets: Sequence[Mapping[str, Any]]) -> None:
        self.scales |= {one["variant"]: False for one in targets}

    def let_scale(self, targets: Sequence[Mapping[str, Any]]) -> None:
        self.scales |= {one["variant"]: True for one in targets}

    def targets_go(self, targets: Sequence[Mapping[str, Any]]) -> None:
        for one in targets:
            self.scales.pop(one["variant"], None)

    def scale(self) -> None:
        """The load grows, and what scales has an instance more; the endpoint takes no other change meanwhile."""
        for name, one in self.fleet.items():
            if self.scales.get(name) and one.weight > 0 and self.status == "InService" and one.count < MOST:
                one.count += 1
                self.status, self.load = "Updating", max(self.load, one.count)

    def _must_be_in_service(self) -> None:
        if self.status != "InService":
            raise Refused(f"Cannot update in-progress endpoint, got {self.status or 'none'}")

    def describe_model(self, *, ModelName: str) -> Mapping[str, Any]:  # noqa: N803 - boto3's name
        return self.made[ModelName]

    def describe_endpoint_config(self, *, EndpointConfigName: str) -> Mapping[str, Any]:  # noqa: N803 - boto3's name
        return self.made[EndpointConfigName]

    def describe_endpoint(self, **_name: str) -> dict[str, Any]:
        variants = [
            {"VariantName": name, "DesiredWeight": one.weight, "DesiredInstanceCount": one.count}
            for name, one in self.fleet.items()
        ]
        pending = {"PendingDeploymentSummary": {"EndpointConfigName": self.pending}} if self.pending else {}
        known = {"EndpointConfigName": self.configuration, "ProductionVariants": variants}
        return {"EndpointStatus": self.status, **known, **pending}

    def read(self) -> Live:
        """The endpoint, as the steps read it: its variants are known while it is in service."""
        if self.status != "InService":
            return Live(status=self.status, configuration=self.configuration)
        variants = tuple(
            Variant(
                name=name,
                model=one.model,
                package_arn=one.package,
                weight=one.weight,
                instances=one.count,
                definition=one.definition,
            )
            for name, one in self.fleet.items()
        )
        return Live(status=self.status, configuration=self.configuration, variants=variants, targets=self.targets())
