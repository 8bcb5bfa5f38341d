"""From objects that arrive in the lake to one run of the pipeline."""

from mlplatform_cdk.data.ingest.construct import RetrainingTrigger

__all__ = ["RetrainingTrigger"]
