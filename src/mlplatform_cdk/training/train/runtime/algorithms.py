"""The pipelines behind the names: medians fill what is missing, then scikit-learn's own classifiers."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.training.train.runtime.hyperparameters import Hyperparameters

_log = logs.logger("train")
PREPROCESSING = {
    "logistic-regression": (
        "missing values become the column's median",
        "columns are centred and scaled to variance 1",
    ),
    "random-forest": ("missing values become the column's median",),
    "gradient-boosting": ("missing values become the column's median",),
}


def fit(chosen: Hyperparameters, features: NDArray[np.float32], labels: NDArray[np.int64]) -> Any:
    """A fitted scikit-learn pipeline; the same data and seed give the same model."""
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    steps = [SimpleImputer(strategy="median"), *_classifier(chosen)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pipeline = make_pipeline(*steps).fit(features, labels)
    for warning in caught:
        _log.warning(" ".join(str(warning.message).split()), extra={"category": warning.category.__name__})
    return pipeline


def _classifier(chosen: Hyperparameters) -> list[Any]:
    values = dict(chosen.values)
    if chosen.algorithm == "logistic-regression":
        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import StandardScaler

        return [StandardScaler(), LogisticRegression(random_state=chosen.seed, **values)]
    if chosen.algorithm == "random-forest":
        from sklearn.ensemble import RandomForestClassifier

        return [RandomForestClassifier(random_state=chosen.seed, n_jobs=-1, **values)]
    from sklearn.ensemble import HistGradientBoostingClassifier

    # Early stopping draws a split of its own, by the row count; off, so that a figure means the same over retrainings.
    values["max_iter"] = values.pop("n_estimators")
    return [HistGradientBoostingClassifier(random_state=chosen.seed, early_stopping=False, **values)]
