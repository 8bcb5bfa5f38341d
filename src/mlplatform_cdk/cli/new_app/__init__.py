"""A new app from one source: this project's own stacks, and what they have no twin of here."""

from mlplatform_cdk.cli.new_app.name import AppName
from mlplatform_cdk.cli.new_app.write import review, write

__all__ = ["AppName", "review", "write"]
