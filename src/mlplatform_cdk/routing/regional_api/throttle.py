"""How many requests an API takes before it answers 429."""

from dataclasses import dataclass

# What an account has in a region until it asks for more:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
_ACCOUNT_RATE = 10_000
_ACCOUNT_BURST = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """A token bucket, which API Gateway applies as best it can: targets, not ceilings.

    It grows with nothing, so it must hold what comes here when another region is lost: with *n* regions, *n* / (*n* -
    1) of a busy second's requests in one of them.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html

    :param rate: requests in a second, on average; an account has 10,000 for all its APIs of a region; default: 100.
    :param burst: requests at one moment, 5,000 at most for an account; default: 200.
    """

    rate: int = 100
    burst: int = 200

    def __post_init__(self) -> None:
        """Refuse what an account could not have."""
        if not 1 <= self.rate <= _ACCOUNT_RATE:
            raise ValueError(f"rate must lie in 1 to {_ACCOUNT_RATE} requests a second, got {self.rate}")
        if not 1 <= self.burst <= _ACCOUNT_BURST:
            raise ValueError(f"burst must lie in 1 to {_ACCOUNT_BURST} requests, got {self.burst}")


ONE_HUNDRED_A_SECOND = Throttle()
