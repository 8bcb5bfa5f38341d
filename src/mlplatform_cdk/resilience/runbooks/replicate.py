"""Has S3 copy the archives of a run once more to the other regions: what failed once is not tried again by itself."""

from aws_cdk import aws_s3 as s3

from mlplatform_cdk.core import reading, writing
from mlplatform_cdk.resilience.automation import Automation, Parameter, run_script
from mlplatform_cdk.resilience.runbooks.parts import SCRIPTS, Place
from mlplatform_cdk.runtimekit.runbook_names import Runbook

_RUNS = "runs/"


def replicate(place: Place, *, archives: s3.IBucket) -> Automation:
    """The runbook, in the region that the archives are replicated from.

    S3's own way, a job of Batch Replication, takes a role, a manifest and hours; a run is a handful of objects.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-troubleshoot.html

    :param archives: what is replicated.
    """
    return place.define(
        Runbook.REPLICATE,
        [
            run_script(
                "Replicate",
                SCRIPTS / "copies.py",
                "again",
                {"Bucket": archives.bucket_name, "Prefix": "{{ Prefix }}", "Which": "{{ Which }}"},
                outputs={"Seen": ("$.Payload.Seen", "String"), "Written": ("$.Payload.Written", "String")},
                isEnd=True,
            )
        ],
        description=(
            "Writes the objects of a run again, as they are, so that S3 replicates them: those that it could not, or "
            "with `Which=all` each one."
        ),
        parameters={
            "Prefix": Parameter(
                description="Of one run, such as runs/2026-11-22/.", pattern=r"runs/[a-zA-Z0-9!_.*'()/=-]{1,500}"
            ),
            "Which": Parameter(description="Which objects.", values=("failed", "all"), default="failed"),
        },
        access=[reading(archives, prefix=_RUNS), writing(archives, prefix=_RUNS)],
        outputs=["Replicate.Seen", "Replicate.Written"],
    )
