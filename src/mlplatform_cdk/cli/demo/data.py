"""The demo's data: scikit-learn's breast cancer set (569 real patients, 30 measurements each), as the lake gets it.

An app of ``mlplatform init`` is rehearsed with it, too, under its own prefix and its own label.
"""

import csv
import io

FILE = "patients.csv"


def breast_cancer_csv(label_column: str) -> str:
    """The whole set as CSV with a header, the label last, by name.

    :param label_column: what the pipeline calls the column that it predicts.
    """
    from sklearn.datasets import load_breast_cancer

    source = load_breast_cancer()
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*(name.replace(" ", "_") for name in source.feature_names), label_column])
    for features, target in zip(source.data, source.target, strict=True):
        writer.writerow([*(repr(float(value)) for value in features), source.target_names[target]])
    return text.getvalue()
