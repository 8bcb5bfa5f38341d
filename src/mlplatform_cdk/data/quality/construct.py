"""The gate that a run's data must pass, as a function that a state machine calls."""

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mlplatform_cdk.core import PlatformFunction, bucket_name, minutes, reading, writing
from mlplatform_cdk.data.dataset import Dataset

RUNTIME = "mlplatform_cdk.data.quality.runtime"
# Lambda's longest; the gate reads about 9 MB of CSV a second on one processor (measured), and refuses more than 6 GB.
TIMEOUT = minutes(15)
_MEMORY_MIB = 1769  # one whole processor


class QualityGate(Construct):
    """Refuses data with missing, unknown or malformed columns, too few rows, too many gaps, or a drifted distribution.

    Drift is measured against the profile at ``reference_uri``, which registering a model puts there. Called with
    ``{"run_id", "dataset_uri", "run_uri"}``, it answers ``{"dataset_version", "rows", "profile_uri"}``.

    :param dataset: what the data must look like.
    :param lake: where the data lies.
    :param artifacts: where the profiles lie.
    :param reference_name: names the reference profile, such as the model that is trained on the data.
    :param key: encrypts the function's settings and logs; default: keys that AWS owns.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        dataset: Dataset,
        lake: s3.IBucket,
        artifacts: s3.IBucket,
        reference_name: str,
        key: kms.IKey | None = None,
    ) -> None:
        super().__init__(scope, id)
        reference_key = f"references/{reference_name}/profile.json"
        self.reference_uri = f"s3://{bucket_name(artifacts)}/{reference_key}"
        self.reference_key = reference_key
        self.function = PlatformFunction(
            self,
            "Function",
            package=RUNTIME,
            description="Checks a run's data before anything is learned from it",
            timeout=TIMEOUT,
            memory_mib=_MEMORY_MIB,
            environment={"RULES": dataset.to_json(), "REFERENCE_URI": self.reference_uri},
            key=key,
            access=[
                reading(lake, prefix=dataset.prefix),
                reading(artifacts, object_key=reference_key),
                writing(artifacts, prefix="runs/"),
            ],
        )
