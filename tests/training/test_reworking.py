"""What may happen to a model between training and its evaluation, and with which permissions?"""

from typing import Any

import pytest

from mlplatform_cdk.core import ConfigurationError, PlatformImage, hours
from mlplatform_cdk.foundation import PlatformStack
from mlplatform_cdk.serving import Processor, ServingImage
from mlplatform_cdk.training import EngineCompilation, ProcessingResources, Quantization
from tests.contracts.annotations import told
from tests.contracts.asl import needed_actions, problems
from tests.contracts.rendering import granted_actions
from tests.training.conftest import SERVING_IMAGE, Build, Built

GPU = EngineCompilation(resources=ProcessingResources(instance_type="ml.g5.xlarge"), max_batch_size=16)


@pytest.fixture(scope="module")
def reworked(build: Build) -> Built:
    return build(quantization=Quantization(precisions=("int8", "fp16"), tolerance=0.02), compilation=GPU)


def test_a_plain_pipeline_has_neither_state(build: Build) -> None:
    states = build().definition["States"]

    assert states["Train"]["Next"] == "FindProduction"
    assert not {"Quantize", "Compile"} & set(states)


def test_the_model_is_quantized_then_compiled_then_judged(reworked: Built) -> None:
    order, name = [], "Train"
    while name != "FindProduction":
        name = reworked.state(name)["Next"]
        order.append(name)

    assert order == ["Quantize", "Compile", "FindProduction"]
    assert problems(reworked.definition) == []


def test_each_step_hands_on_the_archive_that_it_wrote(reworked: Built) -> None:
    for name, output in (("Quantize", "quantized"), ("Compile", "compiled")):
        state = reworked.state(name)
        archive = state["ResultSelector"]["model_data_url.$"]
        uploaded = state["Parameters"]["ProcessingOutputConfig"]["Outputs"][0]
        assert state["ResultPath"] == "$.model"
        assert f"/runs/{{}}/{output}/model.tar.gz', $$.Execution.Name" in str(archive)
        assert uploaded["S3Output"]["LocalPath"] == f"/opt/ml/processing/output/{output}"


def test_quantization_runs_in_the_job_image_with_its_bounds(reworked: Built) -> None:
    parameters = reworked.state("Quantize")["Parameters"]

    assert parameters["AppSpecification"]["ContainerArguments"] == ["quantize"]
    environment = parameters["Environment"]
    assert (environment["PRECISIONS"], environment["TOLERANCE"], environment["SEARCH_SECONDS"]) == (
        "int8,fp16",
        "0.02",
        "300",
    )


def test_compilation_runs_in_the_serving_image_on_the_gpu_that_will_serve(reworked: Built) -> None:
    parameters = reworked.state("Compile")["Parameters"]

    assert parameters["AppSpecification"]["ImageUri"] == SERVING_IMAGE
    assert (
        parameters["AppSpecification"]["ContainerEntrypoint"][-1] == "mlplatform_cdk.serving.container.engines.compile"
    )
    assert parameters["ProcessingResources"]["ClusterConfig"]["InstanceType"] == "ml.g5.xlarge"
    assert parameters["Environment"]["MAX_BATCH_SIZE"] == "16"


def test_the_role_may_make_exactly_the_calls_of_these_states_too(reworked: Built) -> None:
    granted = granted_actions(reworked.template.to_json(), reworked.machine)

    assert needed_actions(reworked.definition) <= granted
    policies = str(reworked.template.find_resources("AWS::IAM::ManagedPolicy"))
    for step in ("quantize", "compile"):
        assert f"processing-job/churn-*-{step}" in policies


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Quantization(precisions=()),
        lambda: Quantization(precisions=("int4",)),
        lambda: Quantization(tolerance=1.0),
        lambda: Quantization(search=hours(1)),
        lambda: EngineCompilation(resources=ProcessingResources(instance_type="ml.g5.xlarge"), max_batch_size=0),
        lambda: EngineCompilation(resources=ProcessingResources(instance_type="ml.g5.xlarge"), max_batch_size=65537),
        lambda: EngineCompilation(resources=ProcessingResources()),
        lambda: EngineCompilation(resources=ProcessingResources(instance_type="ml.p3.2xlarge")),
    ],
)
def test_what_the_steps_would_refuse_is_refused_at_once(wrong: object) -> None:
    assert callable(wrong)

    with pytest.raises(ValueError, match="must be"):
        wrong()


def test_a_longer_search_needs_a_longer_job() -> None:
    resources = ProcessingResources(max_runtime=hours(3))

    assert Quantization(search=hours(2), resources=resources).environment()["SEARCH_SECONDS"] == "7200"


def test_the_batch_size_of_engines_is_the_manifests_unless_told(build: Build) -> None:
    built = build(compilation=EngineCompilation(resources=ProcessingResources(instance_type="ml.g5.xlarge")))

    assert "MAX_BATCH_SIZE" not in built.state("Compile")["Parameters"]["Environment"]


@pytest.mark.parametrize(
    ("image", "told"),
    [
        pytest.param(
            {},
            r"got one for Processor.X86_64; make it with Processor.NVIDIA_GPU and base_image='nvcr.io/nvidia/tensorrt:",
            id="a CPU's",
        ),
        pytest.param(
            {"processor": Processor.NVIDIA_GPU},
            "got one on the default base, without TensorRT; give it base_image='nvcr.io/nvidia/tensorrt:",
            id="the default base",
        ),
    ],
)
def test_an_image_without_tensorrt_compiles_nothing(build: Build, image: dict[str, Any], told: str) -> None:
    def serving(stack: PlatformStack) -> PlatformImage:
        return ServingImage(stack, "Ours", **image)

    with pytest.raises(ConfigurationError, match=f"compilation must have an inference_image with TensorRT, {told}"):
        build(compilation=GPU, inference_image=serving)


def test_an_image_on_a_base_of_ones_own_may_have_tensorrt(build: Build) -> None:
    def serving(stack: PlatformStack) -> PlatformImage:
        return ServingImage(
            stack, "Ours", processor=Processor.NVIDIA_GPU, base_image="nvcr.io/nvidia/tensorrt:25.10-py3"
        )

    assert "Compile" in build(compilation=GPU, inference_image=serving).definition["States"]


@pytest.mark.parametrize("name", ["ml.c5.large", "ml.c7g.large"])
def test_a_type_that_processing_jobs_do_not_take_is_told_at_synthesis(build: Build, name: str) -> None:
    built = build(quantization=Quantization(resources=ProcessingResources(instance_type=name)))

    (warning,) = told(built.stack, "warning")
    assert warning.startswith(
        f"quantization.resources.instance_type: {name} was none of the types that SageMaker's processing jobs take"
    )
    assert "API_ProcessingClusterConfig.html" in warning
