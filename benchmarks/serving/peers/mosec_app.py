"""mosec: ``WORKERS`` processes behind its Rust front; ``BATCH`` and ``WAIT`` (ms) as its guide on batching says."""

import os

from mosec import Server, Worker  # type: ignore[import-not-found,unused-ignore]
from onnx_model import Array, OnnxModel  # type: ignore[import-not-found,unused-ignore]

BATCH = int(os.environ.get("BATCH", "1"))


class Predict(Worker):  # type: ignore[misc,unused-ignore]
    """One worker; a batch is a list of requests."""

    def __init__(self) -> None:
        super().__init__()
        self.model = OnnxModel()

    def deserialize(self, data: bytes) -> Array:
        """In place of mosec's JSON."""
        return self.model.decode(data, os.environ.get("CONTENT_TYPE", "application/json"))

    def forward(self, data: Array | list[Array]) -> list[Array] | list[list[Array]]:
        """What mosec calls with a request, or with a batch of them."""
        if BATCH == 1:
            return self.model.run(data)  # type: ignore[no-any-return,unused-ignore]
        return self.model.run_many(data)  # type: ignore[no-any-return,unused-ignore]

    def serialize(self, data: list[Array]) -> bytes:
        """In place of mosec's JSON."""
        return self.model.encode(data)  # type: ignore[no-any-return,unused-ignore]


if __name__ == "__main__":
    server = Server()
    wait = int(os.environ.get("WAIT", "1"))
    server.append_worker(
        Predict,
        num=int(os.environ.get("WORKERS", "1")),
        max_batch_size=BATCH,
        max_wait_time=wait,
        timeout=60,
        route="/invocations",
    )
    server.run()
