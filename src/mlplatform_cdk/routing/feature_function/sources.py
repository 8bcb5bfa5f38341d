"""What a function of features asks of a database: how it is reached, and who may read there."""

from collections.abc import Mapping
from typing import Protocol

from aws_cdk import aws_iam as iam


class FeatureSource(Protocol):
    """The reader of a database in this region; see ``FeatureDatabase`` and ``RegionalDatabase``."""

    @property
    def settings(self) -> Mapping[str, str]:
        """``DATABASE_HOST``, ``DATABASE_PORT``, ``DATABASE_NAME`` and ``DATABASE_USER``."""

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` connect as the reading user."""
