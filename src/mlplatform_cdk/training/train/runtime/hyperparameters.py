"""What can be set about a training, read strictly: a misspelt name must not train the wrong model in silence."""

from collections.abc import Mapping
from dataclasses import dataclass

from mlplatform_cdk.runtimekit.job import JobError

Values = Mapping[str, float | int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A number that an algorithm takes.

    :param default: its value where nothing is set; ``None`` means no limit.
    :param least: the smallest value that it may have.
    :param whole: whether it counts something; default: yes.
    """

    default: float | None
    least: float
    whole: bool = True


# Named after scikit-learn's own parameters, so that its documentation is theirs too.
ALGORITHMS: Mapping[str, Mapping[str, Setting]] = {
    "logistic-regression": {
        "C": Setting(default=1.0, least=1e-12, whole=False),
        "max_iter": Setting(default=1000, least=1),
    },
    "random-forest": {
        "n_estimators": Setting(default=100, least=1),
        "max_depth": Setting(default=None, least=1),
        "min_samples_leaf": Setting(default=1, least=1),
    },
    "gradient-boosting": {
        "n_estimators": Setting(default=100, least=1),
        "learning_rate": Setting(default=0.1, least=1e-6, whole=False),
        "max_depth": Setting(default=None, least=1),
        "min_samples_leaf": Setting(default=20, least=1),
    },
}
DEFAULT_ALGORITHM = "logistic-regression"
_SEED = Setting(default=0, least=0)
_SAGEMAKERS_OWN = ("sagemaker_", "_tuning_objective_metric")


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """The chosen algorithm, its seed and its numbers, defaults filled in."""

    algorithm: str
    seed: int
    values: Values

    @classmethod
    def parse(cls, texts: Mapping[str, str]) -> "Hyperparameters":
        """The hyperparameters in ``texts``, as SageMaker hands them over."""
        own = {name: text for name, text in texts.items() if not name.startswith(_SAGEMAKERS_OWN)}
        algorithm = own.pop("algorithm", DEFAULT_ALGORITHM)
        if algorithm not in ALGORITHMS:
            raise JobError(f"the hyperparameter algorithm must be one of {', '.join(ALGORITHMS)}, got {algorithm!r}")
        settings = {**ALGORITHMS[algorithm], "seed": _SEED}
        unknown = sorted(set(own) - set(settings))
        if unknown:
            names = ", ".join(["algorithm", *settings])
            raise JobError(f"the hyperparameters of {algorithm} must be among {names}, got {', '.join(unknown)}")
        values = {name: _value(name, own.get(name), setting) for name, setting in settings.items()}
        return cls(algorithm, int(values.pop("seed") or 0), values)

    def described(self) -> dict[str, str]:
        """The hyperparameters as the manifest keeps them; a number without a limit is left out."""
        numbers = {name: f"{value:g}" for name, value in self.values.items() if value is not None}
        return {"name": self.algorithm, "seed": str(self.seed), **numbers}


def _value(name: str, text: str | None, setting: Setting) -> float | int | None:
    if text is None:
        return int(setting.default) if setting.whole and setting.default is not None else setting.default
    kind, words = (int, "a whole number") if setting.whole else (float, "a number")
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not setting.least <= value < float("inf"):
        raise JobError(f"the hyperparameter {name} must be {words} of at least {setting.least:g}, got {text!r}")
    return value
