"""How long a request would wait: what admission and deadlines go by. docs/serving.md has the formulas."""

_WEIGHT = 0.1  # of the newest batch in the moving averages: the last ten or so count


class Load:
    """Moving averages of what a model's batches take.

    :param run_seconds: what a lone request took in the warm-up.
    :param lanes: how many batches are computed at once.
    """

    def __init__(self, run_seconds: float, lanes: int) -> None:
        self._lanes = lanes
        self.batch_seconds = self.request_seconds = run_seconds

    def learn(self, seconds: float, requests: int) -> None:
        """Take into account that a batch of ``requests`` took ``seconds``."""
        self.batch_seconds += _WEIGHT * (seconds - self.batch_seconds)
        self.request_seconds += _WEIGHT * (seconds / requests - self.request_seconds)

    def wait(self, waiting: int) -> float:
        """Seconds until a lane comes to a request behind ``waiting`` others and half of what is computed now."""
        return (waiting / self._lanes + 0.5) * self.request_seconds if waiting else 0.0

    def patience(self, allowed: float) -> float:
        """How long a request may wait when its answer is due in ``allowed`` seconds.

        A batch must still fit in; but never less than half of the time, so that a model slower than its budget serves.
        """
        return max(allowed - self.batch_seconds, allowed / 2)
