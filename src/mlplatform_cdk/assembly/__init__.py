"""Reads a synthesized cloud assembly: what would be deployed, in which order, with which assets. Needs no jsii."""

from mlplatform_cdk.assembly.assets import FileAsset, ImageAsset
from mlplatform_cdk.assembly.errors import AssemblyError
from mlplatform_cdk.assembly.reader import Assembly, Stack, read

__all__ = ["Assembly", "AssemblyError", "FileAsset", "ImageAsset", "Stack", "read"]
