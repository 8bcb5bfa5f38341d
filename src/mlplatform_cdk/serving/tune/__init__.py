"""How a model is served best on this machine: measured, not guessed, and written into its manifest; imports no CDK."""

from mlplatform_cdk.serving.tune.flow import TuneError, Tuning, tune

__all__ = ["TuneError", "Tuning", "tune"]
