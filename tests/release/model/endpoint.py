"""SageMaker's side of the world: one endpoint, whose updates take effect when the test says so, and how."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlplatform_cdk.release.blue_green.runtime.state import Live, Variant


class Refused(Exception):
    """What SageMaker says to a request that it does not take."""


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

    def settle(self, *, well: bool) -> None:
        """An update of the endpoint ends; one that fails leaves everything as it was, and says nothing."""
        if self.status == "Deleting":
            self.status, self.fleet, self.configuration = "", {}, ""
        elif self.pending and (well or not self.fleet):
            self._bring_up(self.pending)
            self.status = "InService"
        elif self.pending:
            self.status = "InService"
        self.pending = ""

    def _bring_up(self, name: str) -> None:
        fleet = {}
        for one in self.configurations[name]:
            before = self.fleet.get(one["VariantName"])
            same = before is not None and before.model == one["ModelName"]
            fleet[one["VariantName"]] = (
                before
                if same and before is not None
                else Fleet(
                    model=one["ModelName"],
                    package=self.models[one["ModelName"]],
                    weight=one["InitialVariantWeight"],
                    count=one["InitialInstanceCount"],
                    definition=one,
                )
            )
        self.fleet, self.configuration = fleet, name

    def _createModel(self, parameters: Mapping[str, Any]) -> None:  # noqa: N802 - the API's name
        self.models[parameters["ModelName"]] = parameters["PrimaryContainer"]["Environment"]["MODEL_PACKAGE_ARN"]

    def _createEndpointConfig(self, parameters: Mapping[str, Any]) -> None:  # noqa: N802 - the API's name
        if parameters["EndpointConfigName"] in self.configurations:
            raise Refused("Cannot create already existing endpoint configuration")
        self.configurations[parameters["EndpointConfigName"]] = copy.deepcopy(parameters["ProductionVariants"])

    def _createEndpoint(self, parameters: Mapping[str, Any]) -> None:  # noqa: N802 - the API's name
        if self.status:
            raise Refused("Cannot create already existing endpoint")
        self.status, self.pending = "Creating", parameters["EndpointConfigName"]
        self.configuration = self.pending

    def _updateEndpoint(self, parameters: Mapping[str, Any]) -> None:  # noqa: N802 - the API's name
        self._must_be_in_service()
        if parameters["EndpointConfigName"] not in self.configurations:
            raise Refused(f"Could not find endpoint configuration {parameters['EndpointConfigName']}")
        self.status, self.pending = "Updating", parameters["EndpointConfigName"]

    def _updateEndpointWeightsAndCapacities(self, parameters: Mapping[str, Any]) -> None:  # noqa: N802 - the API's name
        self._must_be_in_service()
        for one in parameters["DesiredWeightsAndCapacities"]:
            if one["VariantName"] not in self.fleet:
                raise Refused(f"Could not find variant {one['VariantName']}")
        for one in parameters["DesiredWeightsAndCapacities"]:
            fleet = self.fleet[one["VariantName"]]
            fleet.weight = one["DesiredWeight"]
            fleet.count = one.get("DesiredInstanceCount", fleet.count)

    def _deleteEndpoint(self, _parameters: Mapping[str, Any]) -> None:  # noqa: N802 - the API's name
        if not self.status:
            raise Refused("Could not find endpoint")
        self.status, self.pending = "Deleting", ""

    def _updateModelPackage(self, parameters: Mapping[str, Any]) -> None:  # noqa: N802 - the API's name
        number = int(parameters["ModelPackageArn"].rsplit("/", 1)[1])
        self.approvals[number] = parameters["ModelApprovalStatus"]

    def _must_be_in_service(self) -> None:
        if self.status != "InService":
            raise Refused(f"Cannot update in-progress endpoint, got {self.status or 'none'}")

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
        return Live(status=self.status, configuration=self.configuration, variants=variants)
