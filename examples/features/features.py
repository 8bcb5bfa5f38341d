"""Which rows a request needs, and what the model is asked: the code of ``FeatureFunction(folder="features")``."""

from collections.abc import Mapping
from typing import Any


def keys(request: Mapping[str, Any]) -> list[str]:
    """The rows of features that this request needs."""
    return [request["customer"]]


def inputs(request: Mapping[str, Any], rows: Mapping[str, Any]) -> dict[str, Any]:
    """The model's inputs; a ValueError is the caller's mistake."""
    customer = rows[request["customer"]]
    if customer is None:
        raise ValueError(f"there is no customer {request['customer']!r}")
    return {"features": [[customer["tenure"], customer["orders"], request["amount"]]]}
