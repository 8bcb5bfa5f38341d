"""The states between training and evaluation: quantize, compile; each makes the run's model another archive."""

from typing import TYPE_CHECKING, Any

from mlplatform_cdk.core import seconds_of
from mlplatform_cdk.core.states import State
from mlplatform_cdk.training.pipeline.jobs import processing_job, under_run
from mlplatform_cdk.training.resources import ProcessingResources

if TYPE_CHECKING:
    from mlplatform_cdk.training.pipeline.definition import Plan

_CAPACITY_S = 7200  # how long a job may wait for its instance, besides its own time
# A package of the serving room, named and not imported: the rooms stand side by side.
_COMPILE = ["python", "-m", "mlplatform_cdk.serving.container.engines.compile"]


def rework_steps(plan: "Plan") -> tuple[str, ...]:
    """The steps that a plan has, as they end the names of their jobs."""
    wanted = (("quantize", plan.quantization), ("compile", plan.compilation))
    return tuple(step for step, one in wanted if one is not None)


def rework_states(plan: "Plan", *, then: str) -> dict[str, State]:
    """The states by name, in their order; empty where a plan wants none.

    :param then: the state after the last.
    """
    states: dict[str, State] = {}
    if plan.quantization is not None:
        parameters = processing_job(
            plan.jobs,
            plan.quantization.resources,
            image_uri=plan.job_image_uri,
            step="quantize",
            inputs={"model": "$.model.model_data_url", "dataset": under_run("dataset/")},
            output="quantized",
            environment=plan.quantization.environment(),
        )
        states["Quantize"] = _state(plan, "Quantize", parameters, plan.quantization.resources, "quantized")
    if plan.compilation is not None:
        parameters = processing_job(
            plan.jobs,
            plan.compilation.resources,
            image_uri=plan.inference_image_uri,
            step="compile",
            inputs={"model": "$.model.model_data_url"},
            output="compiled",
            environment=plan.compilation.environment(),
        )
        parameters["AppSpecification"] = {"ImageUri": plan.inference_image_uri, "ContainerEntrypoint": _COMPILE}
        states["Compile"] = _state(plan, "Compile", parameters, plan.compilation.resources, "compiled")
    following = [*list(states)[1:], then][: len(states)]
    return {name: state | {"Next": after} for (name, state), after in zip(states.items(), following, strict=True)}


def _state(plan: "Plan", name: str, parameters: dict[str, Any], resources: ProcessingResources, output: str) -> State:
    archive = f"States.Format('s3://{plan.artifacts_bucket}/runs/{{}}/{output}/model.tar.gz', $$.Execution.Name)"
    return plan.tasks.job(
        name,
        "createProcessingJob",
        parameters,
        keep={"model_data_url.$": archive},
        timeout_s=seconds_of(resources.max_runtime) + _CAPACITY_S,
        into="$.model",
    )
