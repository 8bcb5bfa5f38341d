"""What keeps a model from being quantized, in one sentence."""

from mlplatform_cdk.runtimekit.errors import KnownError


class QuantizeError(KnownError):
    """A model, data or an option with which nothing can be quantized."""
