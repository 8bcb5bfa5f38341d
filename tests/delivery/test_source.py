"""Which repositories can a pipeline deploy from?"""

from typing import Any

import pytest
from aws_cdk import Fn

from mlplatform_cdk.delivery import ConnectionSource

UUID = "01234567-89ab-cdef-0123-456789abcdef"
GOOD = {
    "connection_arn": f"arn:aws:codeconnections:eu-west-1:111122223333:connection/{UUID}",
    "owner": "company",
    "repository": "churn",
}


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="the main branch by default"),
        pytest.param({"branch": "release/2026.1"}, id="a branch with a slash"),
        pytest.param({"owner": "company/machine-learning"}, id="a group within a group, as GitLab has them"),
        pytest.param(
            {"connection_arn": f"arn:aws-us-gov:codestar-connections:us-gov-west-1:111122223333:connection/{UUID}"},
            id="a connection of the old name, in another partition",
        ),
        pytest.param({"branch": Fn.import_value("branch")}, id="a branch known at deployment only"),
    ],
)
def test_a_source_can_be(given: dict[str, Any]) -> None:
    assert ConnectionSource(**{**GOOD, **given}).repository == "churn"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"connection_arn": "arn:aws:codeconnections:eu-west-1:111122223333:connection/churn"},
            (
                "connection_arn must look like 'arn:aws:codeconnections:us-east-1:123456789012:connection/<uuid>', got "
                "'arn:aws:codeconnections:eu-west-1:111122223333:connection/churn'; "
                "copy it from Developer Tools, Settings, Connections"
            ),
        ),
        ({"owner": ""}, "owner must be a user, an organization or a group, got ''"),
        ({"repository": "company/churn"}, "repository must be a name without its owner, got 'company/churn'"),
        ({"branch": "refs/heads/main"}, "branch must be a branch's name, got 'refs/heads/main'; try 'main'"),
        ({"branch": "my branch"}, "branch must be a name that git allows, such as 'main', got 'my branch'"),
        ({"branch": ""}, "branch must be a name that git allows, such as 'main', got ''"),
        ({"branch": "a..b"}, "branch must be a name that git allows, such as 'main', got 'a..b'"),
        ({"branch": "feature/*"}, "branch must be a name that git allows, such as 'main', got 'feature/*'"),
    ],
)
def test_what_could_never_be_found_is_refused_in_one_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match="must") as error:
        ConnectionSource(**{**GOOD, **given})

    assert str(error.value) == sentence
