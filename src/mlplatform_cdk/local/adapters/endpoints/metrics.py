"""What SageMaker measures of endpoints: every request as it ends, and how busy the servers are, period by period."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

import psutil
from moto.sagemaker.models import sagemaker_backends

from mlplatform_cdk.local.adapters.cloudwatch.store import STORE, Metric, real_period

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlplatform_cdk.local.adapters.endpoints.fleet import Variant

REQUESTS, MACHINES = "AWS/SageMaker", "/aws/sagemaker/Endpoints"
MACHINE_SECONDS = 60  # SageMaker's period, by the rehearsal's clock
CLIENT_ERRORS = range(400, 500)
ANSWERED = range(200, 300)
SERVER_ERROR = 500
_LOGGER = logging.getLogger(__name__)
Key = tuple[str, str, str, str]  # account, region, endpoint, variant


class Metrics:
    """Puts what variants did and how busy they are; unlike SageMaker's, the metrics of a request are there at once."""

    def __init__(self) -> None:
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None
        self._processes: dict[int, psutil.Process] = {}

    def count(
        self,
        key: Key,
        status: int,
        model_microseconds: float | None,
        overhead_microseconds: float,
        *,
        instances: int = 1,
    ) -> None:
        """Count one invocation.

        :param key: account, region, endpoint and variant.
        :param status: what the container answered, or 5xx in its place.
        :param model_microseconds: how long the container took; None when it did not answer.
        :param overhead_microseconds: how long everything else took.
        :param instances: of the variant, to which the request counts in equal parts; default: 1.
        """
        now = time.time()
        counted = {
            "Invocations": 1.0,
            "InvocationsPerInstance": 1.0 / max(1, instances),
            "Invocation4XXErrors": float(status in CLIENT_ERRORS),
            "Invocation5XXErrors": float(status >= SERVER_ERROR),
            "InvocationModelErrors": float(status not in ANSWERED),
        }
        for name, value in counted.items():
            STORE.add(_metric(key, REQUESTS, name), value, at=now)
        if model_microseconds is not None:
            STORE.add(_metric(key, REQUESTS, "ModelLatency"), model_microseconds, at=now, unit="Microseconds")
        STORE.add(_metric(key, REQUESTS, "OverheadLatency"), overhead_microseconds, at=now, unit="Microseconds")

    def watch(self) -> None:
        """Begin to measure the servers of all endpoints; once is enough."""
        with self._start:
            if self._thread is None:
                self._thread = threading.Thread(target=self._measure_on, name="endpoint-load", daemon=True)
                self._thread.start()

    def _measure_on(self) -> None:
        while True:
            time.sleep(real_period(MACHINE_SECONDS))
            try:
                self._measure()
            except Exception:
                _LOGGER.exception("the load of the endpoints")

    def _measure(self) -> None:
        seen: set[int] = set()
        for key, variant in _variants():
            tree = self._tree(variant)
            seen |= {one.pid for one in tree}
            cpu, memory = 0.0, 0.0
            for one in tree:
                try:
                    cpu += one.cpu_percent()  # since the last look; 100 is one core, as SageMaker counts
                    memory += one.memory_percent()
                except psutil.Error:
                    continue  # it has just ended
            if tree:
                STORE.add(_metric(key, MACHINES, "CPUUtilization"), cpu, unit="Percent")
                STORE.add(_metric(key, MACHINES, "MemoryUtilization"), memory, unit="Percent")
        self._processes = {pid: one for pid, one in self._processes.items() if pid in seen}

    def _tree(self, variant: Variant) -> list[psutil.Process]:
        """The container's process and all below it, the same objects at each look, which know what they last saw."""
        pid = variant.server.pid
        if pid is None:
            return []
        try:
            root = psutil.Process(pid)
            found = [root, *root.children(recursive=True)]
        except psutil.Error:
            return []
        return [self._processes.setdefault(one.pid, one) for one in found]


def _variants() -> Iterator[tuple[Key, Variant]]:
    for account, regions in list(sagemaker_backends.items()):
        for region, backend in list(regions.items()):
            for name, endpoint in list(backend.endpoints.items()):
                for variant in list(getattr(endpoint, "fleet", {}).values()):
                    yield (account, region, name, variant.spec["VariantName"]), variant


def _metric(key: Key, namespace: str, name: str) -> Metric:
    account, region, endpoint, variant = key
    return Metric(account, region, namespace, name, (("EndpointName", endpoint), ("VariantName", variant)))
