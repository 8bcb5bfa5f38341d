"""How many instances answer, and when there are more of them."""

from dataclasses import dataclass, fields

from mlplatform_cdk.core import told


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingRange:
    """Instances kept at rest, and the most that a busy hour may cost.

    :param minimum: instances at rest; default: 1.
    :param maximum: instances at most; the same as ``minimum``: their number is fixed; default: 2.
    :param invocations_per_minute: the requests of one instance in a minute beyond which there are more of them;
        measure yours under load; default: 600.
    """

    minimum: int = 1
    maximum: int = 2
    invocations_per_minute: int = 600

    def __post_init__(self) -> None:
        """Refuse a range that an instance-based endpoint cannot have."""
        for name in (one.name for one in fields(self)):
            value = getattr(self, name)
            if not isinstance(value, int):
                raise ValueError(f"scaling needs whole numbers, got {name}={told(value)}")  # noqa: TRY004 - as beside
        if not 0 < self.minimum <= self.maximum:
            raise ValueError(
                f"scaling needs 1 <= minimum <= maximum, got minimum={self.minimum}, maximum={self.maximum}; "
                "an endpoint on instances never scales to zero"
            )
        if self.invocations_per_minute < 1:
            raise ValueError(f"scaling needs invocations_per_minute of at least 1, got {self.invocations_per_minute}")


ONE_TO_TWO = ScalingRange()
