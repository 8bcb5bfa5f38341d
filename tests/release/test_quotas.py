"""Are the quotas that an account was granted found, and what it uses of them?"""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from mlplatform_cdk.release.blue_green.runtime import fleets
from mlplatform_cdk.release.blue_green.runtime.fleets import Quota
from mlplatform_cdk.runtimekit import aws

NAME = "ml.m5.large for endpoint usage"
DIMENSIONS = {"Service": "SageMaker", "Type": "Resource", "Resource": "endpoint/ml.m5.large", "Class": "None"}
USAGE = {
    "MetricNamespace": "AWS/Usage",
    "MetricName": "ResourceCount",
    "MetricDimensions": DIMENSIONS,
    "MetricStatisticRecommendation": "Maximum",
}


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Stubber]]:
    made = {
        name: Stubber(boto3.client(name, "eu-west-1", aws_access_key_id="t", aws_secret_access_key="t"))
        for name in ("service-quotas", "cloudwatch")
    }
    monkeypatch.setattr(aws, "client", lambda service: made[service].client)
    for stub in made.values():
        stub.activate()
    yield made
    for stub in made.values():
        stub.assert_no_pending_responses()


def quota(value: float, **more: Any) -> dict[str, Any]:
    return {"QuotaName": NAME, "Value": value, **more}


def test_what_the_account_was_granted_counts_and_the_metric_that_the_quota_names_says_what_is_used(
    stubs: dict[str, Stubber],
) -> None:
    other = {"QuotaName": "ml.m5.large for training job usage", "Value": 1.0}
    asked = {"ServiceCode": "sagemaker"}
    stubs["service-quotas"].add_response("list_service_quotas", {"Quotas": [other], "NextToken": "n"}, asked)
    stubs["service-quotas"].add_response(
        "list_service_quotas", {"Quotas": [quota(20, UsageMetric=USAGE)]}, {**asked, "NextToken": "n"}
    )
    metric = {
        "Namespace": "AWS/Usage",
        "MetricName": "ResourceCount",
        "Dimensions": [{"Name": name, "Value": value} for name, value in DIMENSIONS.items()],
    }
    queries = [{"Id": "usage", "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Maximum"}}]
    stubs["cloudwatch"].add_response(
        "get_metric_data",
        {"MetricDataResults": [{"Id": "usage", "Values": [7.0, 3.0]}]},
        {"StartTime": ANY, "EndTime": ANY, "ScanBy": "TimestampDescending", "MetricDataQueries": queries},
    )

    assert fleets.read_quotas(["ml.m5.large"]) == {"ml.m5.large": Quota(name=NAME, most=20, used=7)}


def test_a_quota_that_was_never_raised_is_what_aws_grants_everybody(stubs: dict[str, Stubber]) -> None:
    stubs["service-quotas"].add_response("list_service_quotas", {"Quotas": []})
    stubs["service-quotas"].add_response("list_aws_default_service_quotas", {"Quotas": [quota(4)]})

    assert fleets.read_quotas(["ml.m5.large"]) == {"ml.m5.large": Quota(name=NAME, most=4, used=None)}


def test_usage_that_was_never_measured_is_not_known(stubs: dict[str, Stubber]) -> None:
    stubs["service-quotas"].add_response("list_service_quotas", {"Quotas": [quota(20, UsageMetric=USAGE)]})
    stubs["cloudwatch"].add_response("get_metric_data", {"MetricDataResults": [{"Id": "usage", "Values": []}]})

    assert fleets.read_quotas(["ml.m5.large"])["ml.m5.large"].used is None
