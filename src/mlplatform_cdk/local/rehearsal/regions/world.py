"""The deployed app: its regions with their model, and their probes, which run as their schedule would have it."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from mlplatform_cdk.local.administrator import Administrator
from mlplatform_cdk.local.rehearsal import target
from mlplatform_cdk.local.rehearsal.people import LONGEST_SECONDS, NothingHappened, People, until
from mlplatform_cdk.local.rehearsal.regions.names import AT_REST

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from mlplatform_cdk.local.rehearsal.faults import Fault
    from mlplatform_cdk.local.settings import Settings

MINUTE_S = 60.0
SETTLES_S = 180.0
_TABLE = "VERDICT_TABLE"


@dataclass(slots=True)
class Region:
    """One region of the deployed app.

    :param name: such as ``eu-west-1``.
    :param settings: of the embedded AWS, with this region.
    """

    name: str
    settings: Settings
    aws: Administrator = field(init=False)
    probe: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.settings = replace(self.settings, region=self.name)
        self.aws = Administrator(self.settings)
        pages = self.aws.client("lambda").get_paginator("list_functions").paginate()
        found = [one for page in pages for one in page["Functions"]]
        self.probe = next(one for one in found if _TABLE in one.get("Environment", {}).get("Variables", {}))

    @property
    def variables(self) -> dict[str, str]:
        """The settings of the probe's function."""
        return dict(self.probe["Environment"]["Variables"])

    def release(self, version: Fault) -> tuple[People, str]:
        """Register a version, approve it, and give its release: who looks, and the execution."""
        (found,) = target.find(self.aws)
        people = People(self.aws, found)
        return people, people.approve(people.register(version))

    def compress(self, names_at: Mapping[str, str], factor: float) -> float:
        """Tell the probe where names answer here, and how fast time goes: the seconds between its rounds."""
        before = self.variables
        interval = float(before["INTERVAL_S"]) * factor
        after = before | {
            "NAMES_AT": json.dumps(dict(names_at)),
            "INTERVAL_S": f"{interval:g}",
            "SETTLES_S": f"{SETTLES_S * factor:g}",
        }
        self.aws.client("lambda").update_function_configuration(
            FunctionName=self.probe["FunctionName"], Environment={"Variables": after}
        )
        return interval

    def look_once(self) -> None:
        """Let a run of the probe begin, as its schedule does every minute."""
        self.aws.client("lambda").invoke(FunctionName=self.probe["FunctionName"], InvocationType="Event", Payload=b"{}")

    def row(self) -> Mapping[str, Any]:
        """The verdict's row; empty: there is none."""
        key = {"endpoint": {"S": self.variables["ENDPOINT_NAME"]}}
        found: Mapping[str, Any] = (
            self.aws.client("dynamodb").get_item(TableName=self.variables[_TABLE], Key=key).get("Item", {})
        )
        return found

    def version(self) -> str:
        """Which version the probe has seen last; empty: it does not know."""
        return str(self.row().get("version", {}).get("S", ""))

    def instances(self) -> int:
        """How many instances answer callers."""
        found = self.aws.client("sagemaker").describe_endpoint(EndpointName=self.variables["ENDPOINT_NAME"])
        return sum(int(one["CurrentInstanceCount"]) for one in found["ProductionVariants"] if one["CurrentWeight"] > 0)

    def shrink(self) -> None:
        """Let the endpoint have the instances that it has at rest: to scale in takes a quarter of an hour."""
        sagemaker, name = self.aws.client("sagemaker"), self.variables["ENDPOINT_NAME"]
        variants = sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
        if all(one["CurrentInstanceCount"] <= AT_REST for one in variants):
            return
        wanted = [{"VariantName": one["VariantName"], "DesiredInstanceCount": AT_REST} for one in variants]
        sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=wanted)
        until(lambda: self.instances() == AT_REST or None, "a region's endpoint at rest")

    def forget(self) -> None:
        """Let the region begin as one that has never left: the rule remembers each leaving for an hour and more."""
        key = {"endpoint": {"S": self.variables["ENDPOINT_NAME"]}}
        self.aws.client("dynamodb").delete_item(TableName=self.variables[_TABLE], Key=key)


def release_everywhere(regions: list[Region], version: Fault) -> None:
    """Let all regions serve a version, each by its own release machine."""
    started = [one.release(version) for one in regions]
    for people, execution in started:

        def ended(people: People = people, execution: str = execution) -> str | None:
            status: str = people.execution(execution)["status"]
            return None if status == "RUNNING" else status

        if until(ended, "the end of a region's release", seconds=LONGEST_SECONDS) != "SUCCEEDED":
            raise NothingHappened(f"a region's model was not released: {people.execution(execution).get('cause')}")


class Schedules:
    """Begins a run of every region's probe each minute, for the block: nobody else keeps schedules here.

    :param regions: whose probes.
    :param factor: how many seconds a second takes.
    """

    def __init__(self, regions: list[Region], factor: float) -> None:
        self._regions, self._every = regions, MINUTE_S * factor
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="schedules", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End; a run that has begun goes on until its time is over."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        for one in self._regions:
            one.look_once()
        while not self._over.wait(self._every):
            for one in self._regions:
                one.look_once()
