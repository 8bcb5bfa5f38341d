"""The lake, what starts a run when data has arrived, and the gate that data must pass before it is learned from."""

from mlplatform_cdk.data.dataset import Dataset
from mlplatform_cdk.data.ingest import RetrainingTrigger
from mlplatform_cdk.data.lake import DataLake
from mlplatform_cdk.data.quality import QualityGate

__all__ = ["DataLake", "Dataset", "QualityGate", "RetrainingTrigger"]
