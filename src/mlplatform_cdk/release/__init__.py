"""How a version reaches traffic."""

from mlplatform_cdk.release.blue_green import BlueGreenRelease
from mlplatform_cdk.release.blue_green.alarms import ReleaseAlarms
from mlplatform_cdk.release.presets import AllAtOnceRelease, CanaryRelease, ShadowRelease
from mlplatform_cdk.runtimekit.release_strategy import Gate, Strategy, StrategyError, VerdictRules

__all__ = [
    "AllAtOnceRelease",
    "BlueGreenRelease",
    "CanaryRelease",
    "Gate",
    "ReleaseAlarms",
    "ShadowRelease",
    "Strategy",
    "StrategyError",
    "VerdictRules",
]
