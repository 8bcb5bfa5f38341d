"""What a client of several regions may do to get an answer: how long, how often, how soon. Values only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a call may take, in seconds.

    :param deadline_s: a whole call, with all its attempts and pauses; default: 15.
    :param attempt_s: one attempt, from its start to the end of its answer; default: 5.
    :param connect_s: one address to take the connection, TLS included; default: 1.
    """

    deadline_s: float = 15.0
    attempt_s: float = 5.0
    connect_s: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what leaves no time."""
        if not 0 < self.connect_s <= self.attempt_s <= self.deadline_s:
            raise ValueError(
                "limits need 0 < connect_s <= attempt_s <= deadline_s, "
                f"got {self.connect_s:g}, {self.attempt_s:g} and {self.deadline_s:g}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often a call is tried again, in its region or another, and what all calls together may spend on it.

    Before a region is asked a second time, the call sleeps a random time from 0 to ``min(cap_s, base_s * 2**round)``:
    "full jitter", https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/. Another region is asked
    at once. The budget is a bucket of ``reserve`` tokens: each further attempt takes one, each call that succeeds
    brings back ``share`` of one. So N calls make at most ``N * (1 + share) + reserve`` attempts, whatever fails. Its
    shape is that of botocore's standard mode (``botocore/retries/standard.py``), its numbers are those of Finagle's
    RetryBudget (20 % and 10 a second for 10 seconds).

    :param attempts: the most that one call makes, the first included; default: 4.
    :param base_s: the most that the first pause takes, in seconds; default: 0.05.
    :param cap_s: the most that any pause takes, in seconds; default: 2.
    :param share: further attempts per call that succeeded; default: 0.2.
    :param reserve: further attempts that may be made at once; default: 100.
    """

    attempts: int = 4
    base_s: float = 0.05
    cap_s: float = 2.0
    share: float = 0.2
    reserve: int = 100

    def __post_init__(self) -> None:
        """Refuse what is no budget."""
        if self.attempts < 1:
            raise ValueError(f"attempts must be at least 1, got {self.attempts}")
        if not 0 < self.base_s <= self.cap_s:
            raise ValueError(f"retries need 0 < base_s <= cap_s, got {self.base_s:g} and {self.cap_s:g}")
        if not 0 <= self.share <= 1 or self.reserve < 0:
            raise ValueError(
                f"retries need 0 <= share <= 1 and reserve >= 0, got share={self.share:g}, reserve={self.reserve}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hedging:
    """A slow call is asked again in another region while it still runs; the first answer counts.

    As in Dean and Barroso, "The Tail at Scale", https://doi.org/10.1145/2408776.2408794: the second request goes out
    after the 95th percentile of the first region's answers, which costs about 5 % more requests.

    :param quantile: of the region's last answers, above which a call is slow; default: 0.95.
    :param share: second requests per call, which is the budget; default: 0.05.
    :param reserve: second requests that may be made at once; default: 5.
    :param least_s: no call is slow sooner; default: 0.01.
    """

    quantile: float = 0.95
    share: float = 0.05
    reserve: int = 5
    least_s: float = 0.01

    def __post_init__(self) -> None:
        """Refuse what is no quantile, and what would double the load."""
        if not 0 < self.quantile < 1:
            raise ValueError(f"quantile must lie between 0 and 1, got {self.quantile:g}")
        if not 0 <= self.share <= 1 or self.reserve < 1 or self.least_s < 0:
            raise ValueError(
                "hedging needs 0 <= share <= 1, reserve >= 1 and least_s >= 0, "
                f"got share={self.share:g}, reserve={self.reserve}, least_s={self.least_s:g}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """How often the regions' own verdicts are looked at, while calls are made.

    A verdict counts for three looks. A look costs a request of API Gateway and a read of DynamoDB.

    :param every_s: seconds between two looks at ``/health`` of each region; default: 30.
    :param wait_s: seconds that a call waits for the verdicts where none is known, as the first one does; default: 0.5.
    """

    every_s: float = 30.0
    wait_s: float = 0.5

    def __post_init__(self) -> None:
        """Refuse to look all the time."""
        if self.every_s < 1 or self.wait_s < 0:
            raise ValueError(f"watching needs every_s >= 1 and wait_s >= 0, got {self.every_s:g} and {self.wait_s:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaking:
    """When a region is left alone, and how it is returned to.

    :param in_a_row: failures in a row after which it is left; default: 5.
    :param share: part of the last ``window`` outcomes that may fail before it is left; default: 0.2, which is what the
        retry budget can mend.
    :param window: outcomes that are counted, none older than ``window_s``; default: 50.
    :param window_s: seconds after which an outcome no longer counts; default: 60.
    :param rest_s: seconds until one call tries it again; doubled after each try that fails, and less up to a half at
        random, so that many clients do not come at once; default: 5.
    :param longest_rest_s: the most that ``rest_s`` grows to; default: 60.
    :param return_s: seconds in which its part of the calls grows from 5 % to all, after a try that succeeded;
        default: 60.
    """

    in_a_row: int = 5
    share: float = 0.2
    window: int = 50
    window_s: float = 60.0
    rest_s: float = 5.0
    longest_rest_s: float = 60.0
    return_s: float = 60.0

    def __post_init__(self) -> None:
        """Refuse rules by which a region is never left, or left at its first success."""
        if self.in_a_row < 1 or self.window < 1 or self.window_s <= 0:
            raise ValueError(
                "in_a_row, window and window_s must be above 0, "
                f"got {self.in_a_row}, {self.window} and {self.window_s:g}"
            )
        if not 0 < self.share <= 1:
            raise ValueError(f"share must lie in 0 to 1, and above 0, got {self.share:g}")
        if not 0 < self.rest_s <= self.longest_rest_s or self.return_s <= 0:
            raise ValueError(
                "breaking needs 0 < rest_s <= longest_rest_s and return_s > 0, "
                f"got {self.rest_s:g}, {self.longest_rest_s:g} and {self.return_s:g}"
            )
