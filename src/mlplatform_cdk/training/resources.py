"""What a job runs on: instances, their disks, and how long it may take."""

from dataclasses import dataclass

from aws_cdk import Duration

from mlplatform_cdk.core import hours, seconds_of

_SMALLEST_VOLUME_GIB, _LARGEST_VOLUME_GIB = 1, 16384
_LONGEST_TRAINING_DAYS, _LONGEST_PROCESSING_DAYS = 28, 9
_SECONDS_PER_DAY = 86_400
ONE_HOUR, FOUR_HOURS = hours(1), hours(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResources:
    """What the training job runs on.

    :param instance_type: any ``ml.`` type, such as ``ml.g4dn.xlarge``; default: ml.m5.xlarge.
    :param instance_count: how many; more than one is for an image that trains on several hosts; default: 1.
    :param volume_gib: the disk of each instance in GiB; default: 30.
    :param max_runtime: after which the job is stopped and has failed; default: 4 hours.
    """

    instance_type: str = "ml.m5.xlarge"
    instance_count: int = 1
    volume_gib: int = 30
    max_runtime: Duration = FOUR_HOURS

    def __post_init__(self) -> None:
        """Refuse what SageMaker would refuse."""
        if self.instance_count < 1:
            raise ValueError(f"instance_count must be at least 1, got {self.instance_count}")
        _check(self.volume_gib, self.max_runtime, _LONGEST_TRAINING_DAYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingResources:
    """What preprocessing and evaluation each run on: one instance, since their steps share nothing between hosts.

    :param instance_type: any ``ml.`` type; default: ml.m5.xlarge.
    :param volume_gib: the instance's disk in GiB; default: 30.
    :param max_runtime: after which a job is stopped and has failed; default: 1 hour.
    """

    instance_type: str = "ml.m5.xlarge"
    volume_gib: int = 30
    max_runtime: Duration = ONE_HOUR

    def __post_init__(self) -> None:
        """Refuse what SageMaker would refuse."""
        _check(self.volume_gib, self.max_runtime, _LONGEST_PROCESSING_DAYS)


def _check(volume_gib: int, max_runtime: Duration, longest_days: int) -> None:
    if not _SMALLEST_VOLUME_GIB <= volume_gib <= _LARGEST_VOLUME_GIB:
        raise ValueError(f"volume_gib must be from {_SMALLEST_VOLUME_GIB} to {_LARGEST_VOLUME_GIB}, got {volume_gib}")
    if not 0 < seconds_of(max_runtime) <= longest_days * _SECONDS_PER_DAY:
        raise ValueError(
            f"max_runtime must be more than 0 and at most {longest_days} days, got {max_runtime.to_human_string()}"
        )
