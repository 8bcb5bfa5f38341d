"""Keeps more instances, so that a region takes the callers of another one before it is too busy."""

from mlplatform_cdk.core import Access, allowed, arn_of
from mlplatform_cdk.core.scaling import WHY_ANY_TARGET, behind_scaling, changing
from mlplatform_cdk.resilience.automation import Automation, Parameter, ask_api, expect, run_script
from mlplatform_cdk.resilience.runbooks.parts import SCRIPTS, Place, yes_or_no
from mlplatform_cdk.runtimekit.runbook_names import Runbook
from mlplatform_cdk.runtimekit.scalable_targets import VARIANTS_SCALE
from mlplatform_cdk.serving import ReleasedEndpoint

_NUMBER = r"[1-9][0-9]{0,2}"


def scale_up(place: Place, *, endpoint: ReleasedEndpoint) -> Automation:
    """The runbook: the bounds of the variant that serves, until the next release sets them as the template says."""
    scope = place.scope
    targets = arn_of(scope, "application-autoscaling", "scalable-target/*")
    name, prefix = endpoint.endpoint_name, endpoint.specification.name_prefix
    alarms = arn_of(scope, "cloudwatch", f"alarm:TargetTracking-endpoint/{name}/variant/*")
    configurations = arn_of(scope, "sagemaker", f"endpoint-config/{prefix}*")
    return place.define(
        Runbook.SCALE_UP,
        [
            run_script(
                "Look",
                SCRIPTS / "scaling.py",
                "look",
                {
                    "EndpointName": name,
                    "Minimum": "{{ Minimum }}",
                    "Maximum": "{{ Maximum }}",
                    "Fewer": "{{ Fewer }}",
                },
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
                    **VARIANTS_SCALE,
                    "ResourceId": "{{ Look.ResourceId }}",
                    "MinCapacity": "{{ Look.Minimum }}",
                    "MaxCapacity": "{{ Look.Maximum }}",
                },
            ),
            expect(
                "Raised",
                "application-autoscaling",
                "DescribeScalableTargets",
                {**VARIANTS_SCALE, "ResourceIds": ["{{ Look.ResourceId }}"]},
                path="$.ScalableTargets[0].MinCapacity",
                values=["{{ Minimum }}"],
                isEnd=True,
            ),
        ],
        description=(
            f"Keeps at least `Minimum` instances of {name}, in this region: run it where callers are led to. Refuses "
            "while a release runs, which holds scaling still. Run it again with `FormerMinimum`, `FormerMaximum` and "
            "`Fewer=yes` when it is over; the next release sets what the template says."
        ),
        parameters={
            "Minimum": Parameter(description="Instances to keep.", pattern=_NUMBER),
            "Maximum": Parameter(
                description="The most instances; `same` leaves it, but not below the minimum.",
                pattern=f"(same|{_NUMBER})",
                default="same",
            ),
            "Fewer": yes_or_no("Whether instances that run now may go, where the maximum is below them."),
        },
        access=[
            Access(
                [
                    *behind_scaling(endpoint=endpoint.endpoint_arn, configurations=configurations, alarms=alarms),
                    allowed(["application-autoscaling:DescribeScalableTargets"], "*"),
                    allowed(["application-autoscaling:RegisterScalableTarget"], targets, conditions=changing(name)),
                ],
                patterns={
                    "*": "application auto scaling describes without resources",
                    targets: WHY_ANY_TARGET,
                    alarms: "the alarms by which AWS scales one endpoint, with ids that AWS chooses",
                    configurations: "the configurations that releases make for one endpoint, by their common prefix",
                },
            )
        ],
        outputs=["Look.FormerMinimum", "Look.FormerMaximum"],
    )
