"""Why a model cannot be served, in one sentence."""

from mlplatform_cdk.runtimekit.errors import KnownError


class ModelError(KnownError):
    """A model folder that cannot be served, or a machine that cannot serve it."""
