"""SageMaker jobs as local processes with the container contract; moto calls every job Completed and runs none.

Create starts a thread that downloads the inputs under the job's role, runs the image's program with SageMaker's files,
variables and arguments, uploads what it leaves, and moves the state; Describe keeps the whole request.
"""

from __future__ import annotations

from functools import partial

from mlplatform_cdk.local.adapters.jobs import api
from mlplatform_cdk.local.adapters.jobs.processing import ProcessingJob
from mlplatform_cdk.local.adapters.jobs.training import TrainingJob
from mlplatform_cdk.local.adapters.jobs.transform import TransformJob
from mlplatform_cdk.local.adapters.sagemaker_api import take_over

__all__ = ["install"]


def install() -> None:
    """Take over the create, describe and stop operations of the three kinds of job."""
    for kind in (ProcessingJob, TrainingJob, TransformJob):
        take_over(f"Create{kind.KIND}Job", partial(api.create, kind))
        take_over(f"Describe{kind.KIND}Job", partial(api.describe, kind))
        take_over(f"Stop{kind.KIND}Job", partial(api.stop, kind))
