"""Do a model's facts survive SageMaker's customer metadata?"""

from dataclasses import replace

import botocore.session
import pytest

from mlplatform_cdk.runtimekit import model_package
from mlplatform_cdk.runtimekit.model_package import PackageError, PackageFacts

FACTS = PackageFacts(
    run_id="run-1",
    dataset_version="v1",
    dataset_uri="s3://lake/raw/churn/",
    code_version="1.0.0+abc",
    manifest_uri="s3://artifacts/runs/run-1/evaluation/manifest.json",
    manifest_sha256="ab" * 32,
    evaluation_uri="s3://artifacts/runs/run-1/evaluation/evaluation.json",
    model_data_sha256="cd" * 32,
    execution_arn="arn:aws:states:eu-central-1:123456789012:execution:Retraining:run-1",
    metrics={"roc_auc": 0.987654321, "log_loss": 1e-07},
)


def test_the_facts_come_back_as_they_were() -> None:
    assert PackageFacts.from_metadata(FACTS.to_metadata()) == FACTS
    by_hand = replace(FACTS, execution_arn=None, metrics={})
    assert PackageFacts.from_metadata(by_hand.to_metadata()) == by_hand


def test_metadata_of_others_is_left_alone() -> None:
    assert PackageFacts.from_metadata(FACTS.to_metadata() | {"team": "growth"}) == FACTS


def test_our_limits_are_those_of_the_service_model() -> None:
    service = botocore.session.Session().get_service_model("sagemaker")

    assert service.shape_for("CustomerMetadataMap").metadata["max"] == model_package._MOST_ENTRIES
    assert service.shape_for("CustomerMetadataKey").metadata["max"] == model_package._LONGEST_KEY
    assert service.shape_for("CustomerMetadataValue").metadata["max"] == model_package._LONGEST_VALUE


def test_a_package_that_lacks_facts_is_told_which() -> None:
    metadata = FACTS.to_metadata()
    del metadata["run_id"], metadata["manifest_uri"]

    with pytest.raises(
        PackageError, match=r"must carry manifest_uri, run_id in its customer metadata, got code_version, "
    ):
        PackageFacts.from_metadata(metadata)
    with pytest.raises(PackageError, match=r"got nothing$"):
        PackageFacts.from_metadata({})


def test_a_metric_that_is_no_number_is_named() -> None:
    with pytest.raises(PackageError, match="the fact metric_roc_auc of a model package must be a number, got 'high'"):
        PackageFacts.from_metadata(FACTS.to_metadata() | {"metric_roc_auc": "high"})


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(replace(FACTS, run_id="x" * 257), id="too long"),
        pytest.param(replace(FACTS, dataset_uri="s3://lake/100%/"), id="a character that SageMaker refuses"),
        pytest.param(replace(FACTS, code_version=""), id="empty"),
        pytest.param(replace(FACTS, metrics={"a,b": 1.0}), id="a metric's name"),
    ],
)
def test_what_sagemaker_would_refuse_is_refused_before_the_call(facts: PackageFacts) -> None:
    with pytest.raises(PackageError, match=r"must be 1 to (128|256) letters, digits, spaces or any of "):
        facts.to_metadata()


def test_more_metrics_than_fit_are_refused() -> None:
    facts = replace(FACTS, metrics={f"m{i}": 0.5 for i in range(50)})

    with pytest.raises(PackageError, match="a model package holds at most 50 facts, got 59; record fewer metrics"):
        facts.to_metadata()
