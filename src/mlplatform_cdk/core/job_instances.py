"""Which instance types SageMaker's jobs do not take, though endpoints do: advice, as ``instances`` gives, never a gate.

By the lists of the API's reference, as botocore 1.44 has them (November 2026); a type that is in no list is not judged.
"""

import re
from enum import Enum

from aws_cdk import Annotations
from constructs import IConstruct

from mlplatform_cdk.core.errors import is_known
from mlplatform_cdk.core.instances import has_graviton

_IN_NO_JOB = re.compile(r"^ml\.(?:(?:c5d|c6in|dl1|inf[12]|m5d|t2)\.\w+|(?:c4|c5|c6i)\.large)$")
_IN_NO_PROCESSING = re.compile(r"^ml\.(?:(?:c5n|p3dn|p4de?|p5en?|p6-b[23]00|p6e-gb200|trn1n?|trn2)\.\w+|p5\.48xlarge)$")


_REFERENCE = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API"


class Job(Enum):
    """A kind of job; its value is SageMaker's word for it."""

    TRAINING = "training"
    PROCESSING = "processing"

    @property
    def reference(self) -> str:
        """The page that lists its instance types."""
        return f"{_REFERENCE}_{'ResourceConfig' if self is Job.TRAINING else 'ProcessingClusterConfig'}.html"


def is_taken_by(job: Job, name: str) -> bool:
    """Whether jobs of this kind run on ``name``, as far as is known: a type of tomorrow is taken."""
    if has_graviton(name) or _IN_NO_JOB.match(name):
        return False
    return job is Job.TRAINING or not _IN_NO_PROCESSING.match(name)


def advise_on_job(scope: IConstruct, argument: str, job: Job, name: str) -> None:
    """Warn on ``scope`` where SageMaker would refuse the job when it is created; a token is not judged.

    :param scope: for the warning.
    :param argument: what names the type.
    :param job: what shall run on it.
    :param name: the instance type.
    """
    if is_known(name) and not is_taken_by(job, name):
        sentence = (
            f"{argument}: {name} was none of the types that SageMaker's {job.value} jobs take when this was written, "
            f"and a run that came to such a job would fail; take one of {job.reference}"
        )
        Annotations.of(scope).add_warning_v2(f"mlplatform:not-for-{job.value}-jobs", sentence)
