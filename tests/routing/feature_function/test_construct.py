"""What is refused of a function of features, before anything is deployed?"""

from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import PlatformStack
from mlplatform_cdk.routing import FeatureFunction, KeyedTable

FOLDER = Path(__file__).parents[3] / "examples" / "features"
NOTHING: Any = None
SORTED = KeyedTable(table=NOTHING, partition_key="request", sort_key="day")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"folder": FOLDER.parent}, "folder must hold features.py"),
        ({"folder": FOLDER, "answered": SORTED}, "answered must have no sort key"),
        ({"folder": FOLDER, "database": object()}, "a database is reached in its VPC only"),
    ],
)
def test_what_could_never_answer_is_refused(given: dict[str, Any], problem: str) -> None:
    stack = PlatformStack(App(), "Front", env=Environment(account="123456789012", region="eu-west-1"))

    with pytest.raises(ConfigurationError, match=problem):
        FeatureFunction(stack, "Features", endpoint=NOTHING, key=NOTHING, **given)
