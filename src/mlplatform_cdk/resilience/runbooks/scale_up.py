"""Keeps more instances, so that a region takes the callers of another one before it is too busy."""

from mlplatform_cdk.core import Access, allowed, arn_of
from mlplatform_cdk.resilience.automation import Automation, Parameter, ask_api, expect, run_script
from mlplatform_cdk.resilience.runbooks.parts import SCRIPTS, Place
from mlplatform_cdk.runtimekit.runbook_names import Runbook
from mlplatform_cdk.serving import Endpoint

_SCALING = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
_NUMBER = r"[1-9][0-9]{0,2}"


def scale_up(place: Place, *, endpoint: Endpoint) -> Automation:
    """The runbook: the bounds of the variant that serves, until the next release sets them as the template says."""
    scope = place.scope
    targets = arn_of(scope, "application-autoscaling", "scalable-target/*")
    ours = {"StringEquals": {f"application-autoscaling:{key}": value for key, value in _CONDITIONS.items()}}
    return place.define(
        Runbook.SCALE_UP,
        [
            run_script(
                "Look",
                SCRIPTS / "scaling.py",
                "look",
                {"EndpointName": endpoint.endpoint_name, "Minimum": "{{ Minimum }}", "Maximum": "{{ Maximum }}"},
                outputs={
                    "ResourceId": ("$.Payload.ResourceId", "String"),
                    "Minimum": ("$.Payload.Minimum", "Integer"),
                    "Maximum": ("$.Payload.Maximum", "Integer"),
                    "FormerMinimum": ("$.Payload.FormerMinimum", "String"),
                    "FormerMaximum": ("$.Payload.FormerMaximum", "String"),
                },
            ),
            ask_api(
                "Raise",
                "application-autoscaling",
                "RegisterScalableTarget",
                {
                    **_SCALING,
                    "ResourceId": "{{ Look.ResourceId }}",
                    "MinCapacity": "{{ Look.Minimum }}",
                    "MaxCapacity": "{{ Look.Maximum }}",
                },
            ),
            expect(
                "Raised",
                "application-autoscaling",
                "DescribeScalableTargets",
                {**_SCALING, "ResourceIds": ["{{ Look.ResourceId }}"]},
                path="$.ScalableTargets[0].MinCapacity",
                values=["{{ Minimum }}"],
                isEnd=True,
            ),
        ],
        description=(
            f"Keeps at least `Minimum` instances of {endpoint.endpoint_name}, in this region: run it where callers are "
            "led to. Refuses while a release runs, which holds scaling still. Run it again with `FormerMinimum` and "
            "`FormerMaximum` when it is over; the next release sets what the template says."
        ),
        parameters={
            "Minimum": Parameter(description="Instances to keep.", pattern=_NUMBER),
            "Maximum": Parameter(
                description="The most instances; `same` leaves it, but not below the minimum.",
                pattern=f"(same|{_NUMBER})",
                default="same",
            ),
        },
        access=[
            Access(
                [
                    # What application auto scaling asks of who registers a variant:
                    # https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_id-based-policy-examples.html
                    allowed(
                        ["sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"],
                        endpoint.endpoint_arn,
                    ),
                    allowed(["application-autoscaling:DescribeScalableTargets"], "*"),
                    allowed(["application-autoscaling:RegisterScalableTarget"], targets, conditions=ours),
                ],
                patterns={
                    "*": "application auto scaling describes without resources",
                    targets: "AWS makes the id of a scalable target; the condition narrows it to variants of SageMaker",
                },
            )
        ],
        outputs=["Look.FormerMinimum", "Look.FormerMaximum"],
    )


_CONDITIONS = {"service-namespace": "sagemaker", "scalable-dimension": _SCALING["ScalableDimension"]}
