"""Ends the experiments that run, and looks that they are mended, before what mends them goes with its stack."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import CustomResource
from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core import Access, PlatformFunction, PlatformRole, allowed, arn_of, function_arn, minutes
from mlplatform_cdk.resilience.chaos.fault import Documents

RUNTIME = "mlplatform_cdk.resilience.chaos.runtime"
RESOURCE_TYPE = "Custom::DrillsEnded"
_TIMEOUT = minutes(15)  # Lambda's longest; SageMaker may take ten until it lets an endpoint be mended
_PATIENCE = minutes(20)  # CloudFormation waits for the answer, and for Lambda's start


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """One experiment, with what mends it.

    :param template_id: of its template.
    :param role: by which AWS FIS breaks, and mends what it has broken itself.
    :param documents: which break and mend; None: AWS FIS does both.
    """

    template_id: str
    role: PlatformRole
    documents: Documents | None


class DrillsEnded(Construct):
    """A custom resource that does nothing until it is deleted, or an update drops one of its experiments.

    Then it stops the experiments that run, waits until they are mended, and fails where the last drill was not: the
    roles and documents, which go after it, stay, and CloudFormation says what is to be done.

    :param drills: the experiments.
    :param key: encrypts the function's settings and logs; default: keys that AWS owns.
    """

    def __init__(self, scope: Construct, id: str, *, drills: Sequence[Drill], key: kms.IKey | None) -> None:
        super().__init__(scope, id)
        self.function = PlatformFunction(
            self,
            "Function",
            package=RUNTIME,
            module="ending",
            description="Ends the experiments that run, before what mends them goes",
            timeout=_TIMEOUT,
            key=key,
            access=[_ending(self)],
        )
        self.resource = CustomResource(
            self,
            "Resource",
            service_token=function_arn(self.function),
            resource_type=RESOURCE_TYPE,
            service_timeout=_PATIENCE,
            properties={"Drills": [_told(one) for one in drills]},
        )
        # CloudFormation deletes what depends on another before that other; documents and templates are named above.
        for one in drills:
            self.resource.node.add_dependency(one.role)
            if one.documents is not None:
                self.resource.node.add_dependency(one.documents.breaks.role, one.documents.mends.role)


def _told(drill: Drill) -> dict[str, str]:
    told = {"Template": drill.template_id}
    if drill.documents is None:
        return told
    return {**told, "Breaks": drill.documents.breaks.name, "Mends": drill.documents.mends.name}


def _ending(scope: Construct) -> Access:
    experiments, executions = arn_of(scope, "fis", "experiment/*"), arn_of(scope, "ssm", "automation-execution/*")
    return Access(
        [
            allowed(["fis:StopExperiment"], experiments),
            allowed(["ssm:GetAutomationExecution", "ssm:StopAutomationExecution"], executions),
            allowed(["fis:ListExperiments", "ssm:DescribeAutomationExecutions"], "*"),
        ],
        patterns={
            experiments: "an experiment's id comes with it",
            executions: "an execution's id comes with it",
            "*": "X-Ray's calls and both lists take no resource",
        },
    )
