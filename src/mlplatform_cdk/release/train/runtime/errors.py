"""How a train ends before its end; the name tells the kinds apart in the execution."""

from mlplatform_cdk.runtimekit.errors import KnownError


class TrainRefused(KnownError):
    """A train that never departed: nothing was touched."""


class TrackTaken(KnownError):
    """Another train is on its way: this one waits."""


class PromotionFailed(KnownError):
    """A version that did not come to a station as it left."""


class ReleaseLost(KnownError):
    """A station's release that nobody saw the end of."""
