"""How a version reaches traffic."""

from mlplatform_cdk.release.blue_green import BlueGreenRelease
from mlplatform_cdk.runtimekit.release_strategy import Gate, Strategy, StrategyError, VerdictRules

__all__ = ["BlueGreenRelease", "Gate", "Strategy", "StrategyError", "VerdictRules"]
