"""Brings a version to a station: its archive, its manifest and its image by digest, and then its entry."""

from mlplatform_cdk.release.train.runtime.promotion.version import Promoted, promote

__all__ = ["Promoted", "promote"]
