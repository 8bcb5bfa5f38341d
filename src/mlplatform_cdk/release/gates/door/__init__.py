"""The page behind a signed link."""

from mlplatform_cdk.release.gates.door.construct import SignedLinks

__all__ = ["SignedLinks"]
