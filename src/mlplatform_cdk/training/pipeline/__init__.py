"""The state machine that retrains a model: gate, preprocess, train, evaluate, register."""

from mlplatform_cdk.training.pipeline.construct import RetrainingPipeline

__all__ = ["RetrainingPipeline"]
