"""The gate between the lake and a run: schema, volume, missing values, drift."""

from mlplatform_cdk.data.quality.construct import QualityGate

__all__ = ["QualityGate"]
