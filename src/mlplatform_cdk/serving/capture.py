"""Which requests and answers are kept, for monitoring and for replay."""

from dataclasses import dataclass

from mlplatform_cdk.core import told

_ALL = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCapture:
    """Keep a share of the requests with their answers, encrypted, in the artifact store under ``capture/<endpoint>``.

    :param percentage: how many of the requests, a whole number; default: all.
    """

    percentage: int = _ALL

    def __post_init__(self) -> None:
        """Refuse a share that captures nothing, or more than there is."""
        if not (isinstance(self.percentage, int) and 0 < self.percentage <= _ALL):
            raise ValueError(
                f"percentage must be a whole number from 1 to 100, got {told(self.percentage)}; to keep nothing, leave "
                "the capture out"
            )
