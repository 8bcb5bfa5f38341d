"""What a data set must look like before anything is learned from it."""

import json
from dataclasses import asdict, dataclass

_FEWEST_ROWS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One data set in the lake, and the bounds that its quality gate enforces.

    Its features are numbers; its label names a class. Drift is measured against the last registered run, by three
    measures from the literature: a feature's standardized mean difference (Cohen, *Statistical Power Analysis*, 1988:
    0.2 is small, 0.5 medium, 0.8 large), the ratio of its variances (Rubin, *Using Propensity Scores to Help Design
    Observational Studies*, 2001: beyond 1/2 and 2 is extreme), and the label's population stability index
    (Siddiqi, *Credit Risk Scorecards*, 2006: above 0.25 is a major change).

    :param prefix: where its CSV files lie in the lake, such as ``raw/churn/``.
    :param label_column: the column to predict.
    :param features: the columns to predict from; default: those of the last registered run, or the first run's own.
    :param minimum_rows: the fewest rows worth training on; default: 100.
    :param maximum_rows: the most rows expected, against data that arrived twice; default: no bound.
    :param maximum_missing_share: the greatest share of missing values in a column, 0 to 1; default: 0.1.
    :param maximum_mean_shift: the greatest standardized mean difference of a feature; default: 0.8.
    :param maximum_variance_ratio: the greatest ratio of a feature's variances, either way; default: 4, twice Rubin's.
    :param maximum_label_shift: the greatest population stability index of the label; default: 0.25.
    """

    prefix: str
    label_column: str
    features: tuple[str, ...] | None = None
    minimum_rows: int = 100
    maximum_rows: int | None = None
    maximum_missing_share: float = 0.1
    maximum_mean_shift: float = 0.8
    maximum_variance_ratio: float = 4.0
    maximum_label_shift: float = 0.25

    def __post_init__(self) -> None:
        """Refuse bounds that no data could satisfy."""
        if not self.prefix.endswith("/") or self.prefix.startswith("/"):
            tidy = self.prefix.strip("/") or "raw/churn"
            raise ValueError(f"prefix must name a folder of the lake, got {self.prefix!r}; try '{tidy}/'")
        if not self.label_column:
            raise ValueError("label_column must name the column to predict, got nothing")
        if self.features is not None and self.label_column in self.features:
            raise ValueError(f"features must not hold the label {self.label_column!r}; leave it out of them")
        if not _FEWEST_ROWS <= self.minimum_rows <= (self.maximum_rows or self.minimum_rows):
            raise ValueError(
                f"a data set needs {_FEWEST_ROWS} <= minimum_rows <= maximum_rows, "
                f"got minimum_rows={self.minimum_rows}, maximum_rows={self.maximum_rows}"
            )
        if not 0 <= self.maximum_missing_share <= 1:
            raise ValueError(f"maximum_missing_share must be from 0 to 1, got {self.maximum_missing_share}")
        if self.maximum_mean_shift <= 0 or self.maximum_variance_ratio <= 1 or self.maximum_label_shift <= 0:
            raise ValueError(
                "shifts must be more than 0 and the variance ratio more than 1, got "
                f"maximum_mean_shift={self.maximum_mean_shift}, maximum_variance_ratio={self.maximum_variance_ratio}, "
                f"maximum_label_shift={self.maximum_label_shift}"
            )

    def to_json(self) -> str:
        """The bounds as the quality gate's function reads them."""
        return json.dumps({name: value for name, value in asdict(self).items() if name != "prefix"}, sort_keys=True)
