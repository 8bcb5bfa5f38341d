"""Golden requests as an engine takes them."""

import numpy as np

from mlplatform_cdk.runtimekit.manifest import GoldenRequest, Manifest
from mlplatform_cdk.serving.container.engines.engine import Array
from mlplatform_cdk.serving.container.engines.errors import ModelError


def golden_inputs(manifest: Manifest, golden: GoldenRequest) -> dict[str, Array]:
    """The tensors of ``golden``, in the types that the model takes; a missing number is NaN.

    :raises ModelError: when one is no array of its type.
    """
    try:
        return {
            one.name: np.array(golden.inputs[one.name], dtype=object if one.dtype == "string" else one.dtype)
            for one in manifest.inputs
        }
    except (TypeError, ValueError, OverflowError) as error:
        raise ModelError(f"the golden request {golden.name} must hold the model's tensors, but {error}") from None
