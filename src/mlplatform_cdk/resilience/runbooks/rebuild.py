"""Releases the version in production again: makes an endpoint anew that is gone, failed or out of service."""

from mlplatform_cdk.core import Access, allowed, decrypting, machine_arn
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.resilience.automation import Automation, Parameter, branch, run_script
from mlplatform_cdk.resilience.automation.documents import Step
from mlplatform_cdk.resilience.runbooks.parts import REASON, SCRIPTS, WHO, Place
from mlplatform_cdk.resilience.runbooks.roll_back import run_machine
from mlplatform_cdk.runtimekit.runbook_names import Runbook
from mlplatform_cdk.serving import ReleasedEndpoint

_SCRIPT = SCRIPTS / "rebuilding.py"


def rebuild(
    place: Place, *, endpoint: ReleasedEndpoint, release: BlueGreenRelease, registry: ModelRegistry
) -> Automation:
    """The runbook.

    :param endpoint: what is made anew.
    :param release: whose machine makes it.
    :param registry: which knows the version in production.
    """
    versions = (registry.model_package_group_arn, registry.model_package_arns)
    return place.define(
        Runbook.REBUILD,
        _steps(place, endpoint, release, registry),
        description=(
            f"Releases the version in production to {endpoint.endpoint_name} again, or `Version`. Gone or failed, the "
            "endpoint is made anew; out of service, it is deleted first, if no execution holds its lock; in service, "
            "the release completes what is unfinished, and changes nothing where nothing is."
        ),
        parameters={
            "Reason": REASON,
            "Version": Parameter(
                description="The ARN of a model package; `production` is the one that the registry marks.",
                pattern=r"(production|arn:[a-z-]+:sagemaker:[a-z0-9-]+:[0-9]{12}:model-package/[a-zA-Z0-9/-]{1,200})",
                default="production",
            ),
        },
        access=[
            release.records.seeing_holders(),
            Access(
                [
                    allowed(["states:StartExecution"], machine_arn(release.state_machine)),
                    allowed(["sagemaker:ListModelPackages"], *versions),
                    allowed(["sagemaker:DescribeEndpoint", "sagemaker:DeleteEndpoint"], endpoint.endpoint_arn),
                    allowed(["dynamodb:GetItem"], release.records.table_arn),
                ],
                patterns={registry.model_package_arns: "the versions of one group"},
            ),
            decrypting(endpoint.key),
        ],
        outputs=["Look.Version", "Look.Status", "Start.executionArn"],
    )


def _steps(place: Place, endpoint: ReleasedEndpoint, release: BlueGreenRelease, registry: ModelRegistry) -> list[Step]:
    name = endpoint.endpoint_name
    given = {"EndpointName": name, "Group": registry.model_package_group_name, "Version": "{{ Version }}"}
    who = f'"by": "hand", "who": "{WHO}", "reason": "{{{{ Reason }}}}"'
    return [
        run_script(
            "Look",
            _SCRIPT,
            "look",
            given,
            outputs={one: (f"$.Payload.{one}", "String") for one in ("Version", "Status", "MustGo")},
        ),
        branch("Choose", on="{{ Look.MustGo }}", ways={"yes": place.asked("Approve", "Clear")}, otherwise="Start"),
        *place.question(
            "Approve",
            f"{name} is {{{{ Look.Status }}}}. May it be deleted and made anew? {{{{ Reason }}}}",
            then="Clear",
        ),
        run_script("Clear", _SCRIPT, "clear", {"EndpointName": name, "Table": release.records.table_name}),
        *run_machine(release, f'{{"action": "release", "model_package_arn": "{{{{ Look.Version }}}}", {who}}}'),
    ]
