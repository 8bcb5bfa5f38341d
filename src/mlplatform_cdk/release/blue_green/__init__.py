"""Green beside blue, tested before it gets traffic, with a way back until blue is gone."""

from mlplatform_cdk.release.blue_green.construct import BlueGreenRelease

__all__ = ["BlueGreenRelease"]
