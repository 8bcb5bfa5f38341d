"""What is wrong with a cloud assembly, in one sentence."""

from __future__ import annotations


class AssemblyError(ValueError):
    """The folder is no cloud assembly that we can read."""
