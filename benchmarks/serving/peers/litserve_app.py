"""LitServe: batching, ``WORKERS`` workers, its faster queue, as its guide on speed says; the raw body in and out."""

import os
from typing import Any

import litserve as ls  # type: ignore[import-not-found,unused-ignore]
from fastapi import Request, Response
from onnx_model import Array, OnnxModel  # type: ignore[import-not-found,unused-ignore]

BATCH = int(os.environ.get("BATCH", "1"))


class Predict(ls.LitAPI):  # type: ignore[misc,unused-ignore]
    """One worker's view of the model."""

    def setup(self, device: str) -> None:
        """Load the model."""
        del device
        self.model = OnnxModel()

    def decode_request(self, request: Request) -> Array:
        """The rows of a body, which LitServe parses as JSON itself."""
        return self.model.decode_values(request)  # type: ignore[no-any-return,unused-ignore]

    def batch(self, inputs: list[Array]) -> list[Array]:
        """Keep the parts: they are put together once."""
        return inputs

    def predict(self, x: Any) -> Any:
        """A request's outputs, or those of a batch."""
        return self.model.run_many(x) if BATCH > 1 else self.model.run(x)

    def unbatch(self, output: Any) -> Any:
        """The parts again."""
        return output

    def encode_response(self, output: Any) -> Response:
        """Bytes, past LitServe's own JSON."""
        return Response(self.model.encode(output), media_type="application/json")


if __name__ == "__main__":
    api = Predict(
        max_batch_size=BATCH, batch_timeout=float(os.environ.get("WAIT", "1")) / 1000, api_path="/invocations"
    )
    server = ls.LitServer(
        api, accelerator="cpu", workers_per_device=int(os.environ.get("WORKERS", "2")), fast_queue=True, timeout=60
    )
    server.run(
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        num_api_servers=int(os.environ.get("SERVERS", "1")),
        log_level="error",
        access_log=False,
        generate_client_file=False,
    )
