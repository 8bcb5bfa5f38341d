"""MLServer: a runtime of our own with its custom handler, so that bodies are the same; no worker pool for tiny models.

Its guide turns ``parallel_workers`` off where a model takes less time than a message to a worker.
"""

import asyncio
import os

from fastapi import Request, Response
from mlserver import MLModel, MLServer, ModelSettings, Settings  # type: ignore[import-not-found,unused-ignore]
from mlserver.handlers import custom_handler  # type: ignore[import-not-found,unused-ignore]
from mlserver.settings import ModelParameters  # type: ignore[import-not-found,unused-ignore]
from onnx_model import OnnxModel  # type: ignore[import-not-found,unused-ignore]


class Predict(MLModel):  # type: ignore[misc,unused-ignore]
    """The model with the path that every server here has."""

    async def load(self) -> bool:
        """Load the model."""
        self.model = OnnxModel()
        return True

    @custom_handler(rest_path="/invocations")  # type: ignore[untyped-decorator,unused-ignore]
    async def invocations(self, request: Request) -> Response:
        """Answer one request."""
        rows = self.model.decode(await request.body(), request.headers.get("content-type", "application/json"))
        return Response(self.model.encode(self.model.run(rows)), media_type="application/json")


async def main() -> None:
    """Serve until told to stop."""
    port = int(os.environ["PORT"])
    settings = Settings(
        host="127.0.0.1",
        http_port=port,
        grpc_port=port + 1,
        metrics_endpoint=None,
        parallel_workers=0,
        debug=False,
        logging_settings={"version": 1, "root": {"level": "ERROR"}},
    )
    server = MLServer(settings)
    parameters = ModelParameters(uri=os.environ["MODEL"])
    await server.start([ModelSettings(name="model", implementation=Predict, parameters=parameters)])


if __name__ == "__main__":
    asyncio.run(main())
