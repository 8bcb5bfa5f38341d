"""An endpoint whose models come from releases, never from the template."""

from mlplatform_cdk.serving.released_endpoint.construct import ReleasedEndpoint

__all__ = ["ReleasedEndpoint"]
