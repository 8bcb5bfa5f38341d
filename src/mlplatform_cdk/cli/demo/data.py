"""The demo's data: scikit-learn's breast cancer set (569 real patients, 30 measurements each), as the lake gets it."""

import csv
import io

# Where the pipeline of stacks/breast_cancer.py looks, and what it predicts.
KEY = "raw/breast-cancer/patients.csv"
LABEL_COLUMN = "diagnosis"


def breast_cancer_csv() -> str:
    """The whole set as CSV with a header, the label last, by name."""
    from sklearn.datasets import load_breast_cancer

    source = load_breast_cancer()
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*(name.replace(" ", "_") for name in source.feature_names), LABEL_COLUMN])
    for features, target in zip(source.data, source.target, strict=True):
        writer.writerow([*(repr(float(value)) for value in features), source.target_names[target]])
    return text.getvalue()
