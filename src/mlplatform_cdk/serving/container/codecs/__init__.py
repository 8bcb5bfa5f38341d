"""Bodies to tensors and back, checked against the manifest, a mistake told in one sentence."""

from mlplatform_cdk.serving.container.codecs.codec import Codec
from mlplatform_cdk.serving.container.negotiation import CSV, JSON

__all__ = ["CSV", "JSON", "Codec"]
