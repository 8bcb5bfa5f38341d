"""CloudWatch: real statistics of what was measured, periods by the rehearsal's clock, alarms that act.

moto keeps metrics, but knows no percentile and no metric math; its alarms never change by themselves, and none of them
has a history.
"""

from __future__ import annotations

from mlplatform_cdk.local.adapters.cloudwatch import alarms, api, history


def install() -> None:
    """Answer the questions for metrics, and evaluate the alarms."""
    api.install()
    alarms.install()
    history.install()
