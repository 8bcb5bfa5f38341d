"""Are our metrics those that scikit-learn computes?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlplatform_cdk.training.evaluate.runtime.metrics import measure
from mlplatform_cdk.training.evaluate.runtime.rules import METRICS


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), classes=st.integers(2, 5), rows=st.integers(5, 60), ties=st.booleans())
def test_each_metric_is_scikit_learns(seed: int, classes: int, rows: int, ties: bool) -> None:  # noqa: FBT001
    from sklearn import metrics

    generator = np.random.default_rng(seed)
    expected = np.concatenate([np.arange(classes), generator.integers(0, classes, rows)]).astype(np.int64)
    weights = generator.random((len(expected), classes)) + 0.01
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    if ties:
        probabilities = np.full_like(probabilities, 1 / classes)
    came = probabilities.argmax(axis=1)

    ours = measure(expected, came, probabilities)

    scores = probabilities[:, 1] if classes == 2 else probabilities
    assert set(ours) == set(METRICS)
    assert ours["accuracy"] == pytest.approx(metrics.accuracy_score(expected, came))
    assert ours["f1"] == pytest.approx(metrics.f1_score(expected, came, average="macro", zero_division=0))
    assert ours["log_loss"] == pytest.approx(metrics.log_loss(expected, probabilities))
    assert ours["roc_auc"] == pytest.approx(metrics.roc_auc_score(expected, scores, multi_class="ovr"))
