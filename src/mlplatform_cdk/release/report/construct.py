"""The function that writes the report of each release."""

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mlplatform_cdk.core import Access, PlatformFunction, allowed, bucket_name, minutes, writing
from mlplatform_cdk.release.records import ReleaseRecords

RUNTIME = "mlplatform_cdk.release.report.runtime"
PREFIX = "releases/"


class ReleaseReport(Construct):
    """Writes one HTML file per release to ``artifacts``, under ``releases/<endpoint>/<execution>.html``.

    It shows green's share of the traffic over time, the metrics of green and blue, and every decision; it needs no
    network to be read. The release's state machine calls it at each end.

    :param endpoint_name: whose releases it tells of.
    :param records: what it tells.
    :param artifacts: where it writes.
    :param key: encrypts the settings and the logs.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint_name: str,
        records: ReleaseRecords,
        artifacts: s3.IBucket,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, id)
        self.function = PlatformFunction(
            self,
            "Write",
            package=RUNTIME,
            description=f"Writes the report of each release to {endpoint_name}",
            timeout=minutes(2),
            environment={**records.environment, "REPORTS_URI": f"s3://{bucket_name(artifacts)}/{PREFIX}"},
            key=key,
            access=[
                records.reading_history(),
                writing(artifacts, prefix=f"{PREFIX}{endpoint_name}/", lists=False),
                Access(
                    [allowed(["cloudwatch:GetMetricData"], "*")],
                    patterns={"*": "X-Ray's calls and CloudWatch's GetMetricData take no resource"},
                ),
            ],
        )
