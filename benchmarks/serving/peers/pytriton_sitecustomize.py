"""PyTriton's backend embeds an early Python 3.11, whose C locks lack a method that the later standard library calls."""

import threading
from multiprocessing import resource_tracker

resource_tracker._resource_tracker._lock = threading._PyRLock()  # type: ignore[attr-defined]  # noqa: SLF001
