"""How a version reaches traffic."""

from mlplatform_cdk.release.blue_green import BlueGreenRelease

__all__ = ["BlueGreenRelease"]
