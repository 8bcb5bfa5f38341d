"""The deployed platform as its users see it: plain boto3 against the embedded AWS, found through SSM parameters."""

import csv
import io
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from mlplatform_cdk.cli.demo.report import ModelReport, PredictionReport, StepFailed

_METRIC = "metric_"
_DEPTH = 4  # of /app/environment/room/what, split at its first three slashes


@dataclass(frozen=True, slots=True)
class DeployedDataset:
    """Where in the lake the pipeline looks, and which column it predicts."""

    prefix: str
    label_column: str


class DeployedPlatform:
    """One environment of the platform.

    :param endpoint_url: where the AWS lives that it is deployed to.
    :param region: its region.
    :param account: its account, which is also the administrator's made-up key.
    :param environment: the environment's name, as in ``dev``.
    """

    def __init__(self, *, endpoint_url: str, region: str, account: str, environment: str) -> None:
        self._session = boto3.Session(aws_access_key_id=account, aws_secret_access_key=account, region_name=region)
        self._endpoint_url = endpoint_url
        self._parameters = self._read_parameters(environment)

    def client(self, service: str) -> Any:
        """A boto3 client, like any that a user of AWS makes."""
        return self._session.client(service, endpoint_url=self._endpoint_url)

    def parameter(self, name: str) -> str:
        """What a stack published, as ``data/lake-bucket``."""
        if name not in self._parameters:
            known = ", ".join(sorted(self._parameters))
            raise StepFailed(
                "what the stacks publish",
                f"the demo needs /<app>/<environment>/{name} among the SSM parameters, as an app of mlplatform "
                f"init has it, got {known or 'none'}; rehearse another app with mlplatform local up",
            )
        return self._parameters[name]

    def dataset(self) -> DeployedDataset:
        """What the retraining pipeline trains on, read from what is deployed: any app may be rehearsed."""
        machine = self.client("stepfunctions").describe_state_machine(
            stateMachineArn=self.parameter("training/pipeline-arn")
        )
        states = json.loads(machine["definition"])["States"].values()
        parameters = [state.get("Parameters", {}) for state in states]
        labels = [one["Environment"]["LABEL_COLUMN"] for one in parameters if "LABEL_COLUMN" in _environment(one)]
        functions = {one["FunctionName"] for one in parameters if "FunctionName" in one}
        pages = self.client("lambda").get_paginator("list_functions").paginate()
        uris = [
            function["Environment"]["Variables"]["DATASET_URI"]
            for page in pages
            for function in page["Functions"]
            if function["FunctionArn"] in functions
            and "DATASET_URI" in function.get("Environment", {}).get("Variables", {})
        ]
        if len(labels) != 1 or len(uris) != 1:
            raise StepFailed(
                "the data set",
                f"the demo must find one label and one data set in the pipeline, got {len(labels)} and {len(uris)}; "
                "rehearse an app of your own with mlplatform local up, and start its pipeline",
            )
        return DeployedDataset(prefix=uris[0].split("/", 3)[3], label_column=labels[0])

    def put_data(self, key: str, text: str) -> None:
        """Put an object into the lake's bucket: all that the demo does before the platform moves by itself."""
        self.client("s3").put_object(Bucket=self.parameter("data/lake-bucket"), Key=key, Body=text.encode())

    def model(self, run_id: str) -> ModelReport | None:
        """The model package that ``run_id`` registered, if it did."""
        sagemaker = self.client("sagemaker")
        group = self.parameter("registry/model-package-group")
        for page in sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group):
            for summary in page["ModelPackageSummaryList"]:
                package = sagemaker.describe_model_package(ModelPackageName=summary["ModelPackageArn"])
                if package.get("CustomerMetadataProperties", {}).get("run_id") == run_id:
                    return _model_report(package)
        return None

    def holdout(self, run_id: str) -> list[dict[str, str]]:
        """The rows that training never saw, as preprocessing wrote them."""
        body = self.client("s3").get_object(
            Bucket=self.parameter("foundation/artifacts-bucket"), Key=f"runs/{run_id}/dataset/holdout.csv"
        )["Body"]
        return list(csv.DictReader(io.StringIO(body.read().decode())))

    def predict(self, rows: list[dict[str, str]], label_column: str) -> Iterator[PredictionReport]:
        """Ask the endpoint for each row by itself, as a caller would."""
        runtime = self.client("sagemaker-runtime")
        endpoint = self.parameter("serving/endpoint-name")
        for number, row in enumerate(rows):
            features = [float(value) for name, value in row.items() if name != label_column]
            began = time.perf_counter()
            answer = runtime.invoke_endpoint(
                EndpointName=endpoint,
                ContentType="application/json",
                Body=json.dumps({"instances": [features]}),
            )
            body = json.loads(answer["Body"].read())
            yield PredictionReport(
                row=number,
                predicted=body["labels"][0],
                probability=max(body["outputs"]["probabilities"][0]),
                truth=row[label_column],
                milliseconds=(time.perf_counter() - began) * 1000,
                variant=answer["InvokedProductionVariant"],
            )

    def _read_parameters(self, environment: str) -> dict[str, str]:
        """What the stacks of ``environment`` published under ``/<app>/<environment>/``, whatever the app is called."""
        pages = self.client("ssm").get_paginator("get_parameters_by_path").paginate(Path="/", Recursive=True)
        split = [(entry["Name"].split("/", 3), entry["Value"]) for page in pages for entry in page["Parameters"]]
        return {name[3]: value for name, value in split if len(name) == _DEPTH and name[2] == environment}


def _environment(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    found = parameters.get("Environment")
    return found if isinstance(found, Mapping) else {}


def _model_report(package: Mapping[str, Any]) -> ModelReport:
    facts: dict[str, str] = package["CustomerMetadataProperties"]
    life_cycle = package.get("ModelLifeCycle")
    return ModelReport(
        arn=package["ModelPackageArn"],
        approval=package["ModelApprovalStatus"],
        approval_reason=package.get("ApprovalDescription"),
        life_cycle=f"{life_cycle['Stage']}/{life_cycle['StageStatus']}" if life_cycle else None,
        metrics={name.removeprefix(_METRIC): float(value) for name, value in facts.items() if name.startswith(_METRIC)},
        lineage={name: value for name, value in facts.items() if not name.startswith(_METRIC)},
    )
