"""What keeps retries from becoming a storm: further attempts are paid from a bucket that successes fill."""

import threading


class Budget:
    """A bucket of tokens, full at the start, for all threads of a client.

    :param share: what one ``earn`` brings.
    :param reserve: what the bucket holds at most.
    """

    def __init__(self, *, share: float, reserve: int) -> None:
        self._share, self._reserve = share, float(reserve)
        self._tokens = self._reserve
        self._lock = threading.Lock()

    def earn(self) -> None:
        """Bring a share of a token."""
        with self._lock:
            self._tokens = min(self._reserve, self._tokens + self._share)

    def take(self) -> bool:
        """Take a token; False: there is none."""
        with self._lock:
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True

    @property
    def left(self) -> float:
        """The tokens that are in it."""
        with self._lock:
            return self._tokens
