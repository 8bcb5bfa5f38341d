"""Features read and computed beside the endpoint, in its own region."""

from mlplatform_cdk.routing.feature_function.construct import FeatureFunction, KeyedTable

__all__ = ["FeatureFunction", "KeyedTable"]
