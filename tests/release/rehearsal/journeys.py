"""What people do to an endpoint, so that one of its releases gets to a certain state."""

from dataclasses import replace

from tests.release.manifests import manifest
from tests.release.rehearsal.breakpoints import Definition, Halting, without_retirement
from tests.release.rehearsal.conftest import ENDPOINT
from tests.release.rehearsal.walk import Walk

CONTRACT = manifest()
_GOLDEN = CONTRACT.golden_requests[0]
WRONG = replace(CONTRACT, golden_requests=(replace(_GOLDEN, outputs={"label": [7]}),))


def released(walk: Walk, definition: Definition | Halting) -> None:
    """A version is released, and the one before it retires."""
    walk.use(definition)
    walk.approve()


def failed(walk: Walk, definition: Definition | Halting) -> None:
    """A version that does not answer as its manifest says."""
    walk.use(definition)
    walk.approve(manifest=WRONG)


def first(walk: Walk, definition: Definition | Halting) -> None:
    """The first version of an endpoint."""
    walk.need_no_endpoint()
    released(walk, definition)


def first_failed(walk: Walk, definition: Definition | Halting) -> None:
    """A first version that does not answer as its manifest says."""
    walk.need_no_endpoint()
    failed(walk, definition)


def cleared(walk: Walk, definition: Definition | Halting) -> None:
    """A version for an endpoint that never came up."""
    walk.need_endpoint()
    walk.need_no_endpoint()
    sagemaker, name = walk.rehearsal.aws.client("sagemaker"), f"{ENDPOINT}--broken-{walk.rehearsal.made}"
    models = sagemaker.list_models(NameContains=f"{ENDPOINT}--v")["Models"]
    role = sagemaker.describe_model(ModelName=models[0]["ModelName"])["ExecutionRoleArn"]
    bucket, key = walk.rehearsal.outputs["Bucket"], "runs/broken/model.tar.gz"
    walk.rehearsal.aws.client("s3").put_object(Bucket=bucket, Key=key, Body=b"no archive")
    container = {"Image": walk.rehearsal.outputs["Image"], "ModelDataUrl": f"s3://{bucket}/{key}"}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
    variant = {"VariantName": "a", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=name)
    walk.rehearsal.until(lambda: walk.rehearsal.endpoint()["EndpointStatus"] == "Failed")
    walk.came_up = False
    released(walk, definition)


def again(walk: Walk, definition: Definition | Halting) -> None:
    """The release of a version that serves already."""
    (arn,) = walk.rehearsal.traffic()
    walk.use(definition)
    walk.start(model_package_arn=arn)


def undone(walk: Walk, definition: Definition | Halting) -> None:
    """A release that somebody aborts at half of the traffic."""
    halted = walk.halt("BeginWindow", released)
    walk.use(definition)
    walk.stop(halted, error="Release.Aborted", cause="anna: not this one")


def resumed(walk: Walk, definition: Definition | Halting) -> None:
    """The release of a version that has the traffic, of which nobody knows why."""
    halted = walk.halt("KeepOrRetire", released)
    walk.forget_lock()
    walk.stop(halted)
    walk.rehearsal.until(lambda: not walk.running())
    (arn,) = [arn for arn, weight in walk.rehearsal.traffic().items() if weight > 0]
    walk.use(definition)
    walk.start(model_package_arn=arn)


def failed_beside_kept(walk: Walk, definition: Definition | Halting) -> None:
    """A version that fails while another one is kept as a way back beside the live one."""
    walk.use(without_retirement(walk.original))
    walk.approve()
    walk.rest()
    walk.need_endpoint()
    failed(walk, definition)
