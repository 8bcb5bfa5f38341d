"""A drill as a plan that people read, and as a document that runs it, judges it and keeps what came of it."""

from mlplatform_cdk.resilience.game_day.construct import GameDay

__all__ = ["GameDay"]
