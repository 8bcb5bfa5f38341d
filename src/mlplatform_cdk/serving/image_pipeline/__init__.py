"""The serving image built, scanned, signed and copied in AWS, for those who build no image where they deploy."""

from mlplatform_cdk.serving.image_pipeline.construct import ImagePipeline
from mlplatform_cdk.serving.image_pipeline.registry import ImageRegistry

__all__ = ["ImagePipeline", "ImageRegistry"]
