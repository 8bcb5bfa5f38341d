"""From data in the lake to a registered model: the retraining pipeline and the code of its steps."""

from mlplatform_cdk.training.evaluation_rule import EvaluationRule
from mlplatform_cdk.training.job_image import JobImage
from mlplatform_cdk.training.pipeline import RetrainingPipeline
from mlplatform_cdk.training.resources import ProcessingResources, TrainingResources
from mlplatform_cdk.training.reworking import EngineCompilation, Quantization

__all__ = [
    "EngineCompilation",
    "EvaluationRule",
    "JobImage",
    "ProcessingResources",
    "Quantization",
    "RetrainingPipeline",
    "TrainingResources",
]
