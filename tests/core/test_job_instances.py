"""Is a type named that SageMaker's jobs do not take, and no other?"""

import pytest
from aws_cdk import App, Stack, Token
from botocore.loaders import Loader
from botocore.model import ServiceModel

from mlplatform_cdk.core.job_instances import Job, advise_on_job, is_taken_by
from tests.contracts.annotations import told


def types_of(kind: str) -> set[str]:
    model = ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")
    return set(model.shape_for(f"{kind}InstanceType").enum)


@pytest.mark.parametrize("job", Job)
def test_of_every_type_that_sagemaker_has_the_jobs_take_those_in_its_list(job: Job) -> None:
    every = set().union(*map(types_of, ("ProductionVariant", "Processing", "Training", "Transform")))

    assert len(every) > 300
    assert {name for name in every if is_taken_by(job, name)} == types_of(job.value.capitalize())


@pytest.mark.parametrize(
    "name", ["ml.x99.mega", "ml.c9i.large", Token.as_string({"Ref": "Type"})], ids=["x99", "c9i", "a token"]
)
def test_a_type_of_tomorrow_and_one_that_the_deployment_knows_are_not_judged(name: str) -> None:
    stack = Stack(App(), "S")

    advise_on_job(stack, "instance_type", Job.PROCESSING, name)

    assert told(stack, "warning") == []
