"""Which models serve without a person's look?"""

import math
from collections.abc import Mapping

import pytest

from mlplatform_cdk.registry import ApprovalRule
from mlplatform_cdk.registry.approval.runtime.decision import Decision, decide


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        pytest.param(
            {"roc_auc": 0.95},
            Decision(approved=True, reason="approved by rule: roc_auc 0.95 is at least 0.9"),
            id="a good one",
        ),
        pytest.param(
            {"roc_auc": 0.9}, Decision(approved=True, reason="approved by rule: roc_auc 0.9 is at least 0.9"), id="just"
        ),
        pytest.param(
            {"roc_auc": 0.899},
            Decision(approved=False, reason="waits for a person: roc_auc 0.899 is below 0.9"),
            id="not quite",
        ),
        pytest.param(
            {"accuracy": 0.99, "f1": 0.98},
            Decision(approved=False, reason="waits for a person: the rule reads roc_auc, the model has accuracy, f1"),
            id="one that was measured otherwise",
        ),
        pytest.param(
            {},
            Decision(approved=False, reason="waits for a person: the rule reads roc_auc, the model has no metrics"),
            id="one that was never measured",
        ),
        pytest.param(
            {"roc_auc": math.nan},
            Decision(approved=False, reason="waits for a person: roc_auc nan is below 0.9"),
            id="one whose metric is no number",
        ),
    ],
)
def test_a_model_is_approved_when_its_metric_is_good_enough(metrics: Mapping[str, float], expected: Decision) -> None:
    assert decide(metrics, metric="roc_auc", at_least=0.9) == expected


@pytest.mark.parametrize(
    ("metric", "at_least", "sentence"),
    [
        ("", 0.9, "an approval rule needs the name of a metric, got nothing; try 'roc_auc'"),
        ("roc_auc", math.nan, "an approval rule needs a finite at_least, got nan"),
    ],
)
def test_a_rule_that_could_never_decide_is_refused(metric: str, at_least: float, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"approval rule") as error:
        ApprovalRule(metric=metric, at_least=at_least)

    assert str(error.value) == sentence
