"""A version goes from environment to environment and region to region, wave by wave."""

from mlplatform_cdk.release.train.construct import ReleaseTrain
from mlplatform_cdk.release.train.departures import DepartureOnApproval
from mlplatform_cdk.release.train.station import TrainStation
from mlplatform_cdk.release.train.waves import Stop, Wave
from mlplatform_cdk.runtimekit.freeze_calendar import Freeze, FreezeCalendar

__all__ = ["DepartureOnApproval", "Freeze", "FreezeCalendar", "ReleaseTrain", "Stop", "TrainStation", "Wave"]
