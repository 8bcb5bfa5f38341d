"""Which bounds make no sense?"""

from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template

from mlplatform_cdk.data import DataLake, Dataset


@pytest.mark.parametrize(
    ("bounds", "sentence"),
    [
        ({"prefix": "raw/churn"}, "prefix must name a folder of the lake, got 'raw/churn'; try 'raw/churn/'"),
        ({"prefix": "/raw/churn/"}, "got '/raw/churn/'; try 'raw/churn/'"),
        ({"label_column": ""}, "label_column must name the column to predict"),
        ({"features": ("age", "left")}, "features must not hold the label 'left'"),
        ({"minimum_rows": 10, "maximum_rows": 5}, "got minimum_rows=10, maximum_rows=5"),
        ({"minimum_rows": 1}, "2 <= minimum_rows"),
        ({"maximum_missing_share": 1.5}, "maximum_missing_share must be from 0 to 1, got 1.5"),
        ({"maximum_variance_ratio": 1}, "the variance ratio more than 1"),
    ],
)
def test_bounds_that_no_data_could_satisfy_are_refused(bounds: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Dataset(**{"prefix": "raw/churn/", "label_column": "left", **bounds})


def test_a_lake_tells_of_every_arrival() -> None:
    stack = Stack(App(), "Data")

    DataLake(stack, "Lake", key=kms.Key(stack, "Key"))

    Template.from_stack(stack).has_resource_properties(
        "AWS::S3::Bucket",
        {"NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}},
    )
