"""The functions that a run calls, each beside its code, gathered for the state machine."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mlplatform_cdk.core import PlatformImage, bucket_name
from mlplatform_cdk.data import Dataset, QualityGate
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.training.explain.construct import ExplainFunction
from mlplatform_cdk.training.find_production.construct import FindProductionFunction
from mlplatform_cdk.training.pipeline.definition import Functions
from mlplatform_cdk.training.register.construct import RegisterFunction
from mlplatform_cdk.training.request.construct import RequestFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The functions of one pipeline."""

    gate: QualityGate
    request: RequestFunction
    find_production: FindProductionFunction
    register: RegisterFunction
    explain: ExplainFunction

    def arns(self) -> Functions:
        """Their ARNs, for the states."""
        return Functions(
            request=self.request.function_arn,
            quality=self.gate.function.function_arn,
            find_production=self.find_production.function_arn,
            register=self.register.function_arn,
            explain=self.explain.function_arn,
        )


def define_steps(
    scope: Construct,
    *,
    dataset: Dataset,
    lake: s3.IBucket,
    artifacts: s3.IBucket,
    registry: ModelRegistry,
    model_name: str,
    inference_image: PlatformImage,
    hyperparameters: Mapping[str, str],
    key: kms.IKey,
) -> Steps:
    """Define the functions of a pipeline in ``scope``; the pipeline documents what they are made of."""
    gate = QualityGate(
        scope, "QualityGate", dataset=dataset, lake=lake, artifacts=artifacts, reference_name=model_name, key=key
    )
    return Steps(
        gate=gate,
        request=RequestFunction(
            scope,
            "Request",
            dataset_uri=f"s3://{bucket_name(lake)}/{dataset.prefix}",
            hyperparameters=hyperparameters,
            key=key,
        ),
        find_production=FindProductionFunction(scope, "FindProduction", registry=registry, key=key),
        register=RegisterFunction(
            scope,
            "Register",
            registry=registry,
            artifacts=artifacts,
            inference_image=inference_image,
            reference_key=gate.reference_key,
            key=key,
        ),
        explain=ExplainFunction(scope, "Explain", key=key),
    )
