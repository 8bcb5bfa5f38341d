"""FastAPI on uvicorn with uvloop and httptools, ``WORKERS`` processes, as its documentation has it.

A typed body, and a return type, which pydantic writes as JSON in Rust; ``STRIPPED=1`` takes the raw body and gives raw
bytes instead, by orjson: nothing is checked, and nothing documented. Formats other than JSON are always raw, as the
documentation says. A model of under a millisecond runs in the event loop; a slower one in FastAPI's thread pool
(``INLINE=0``).
"""

import os

import uvicorn
from fastapi import FastAPI, Request, Response
from onnx_model import JSON, OnnxModel  # type: ignore[import-not-found,unused-ignore]
from pydantic import BaseModel, create_model
from starlette.concurrency import run_in_threadpool

app = FastAPI()
model = OnnxModel()
INLINE = os.environ.get("INLINE", "1") == "1"
RAW = os.environ.get("STRIPPED") == "1" or os.environ.get("CONTENT_TYPE", JSON) != JSON
Rows = list[list[float]] if model.dtype.kind == "f" else list[list[int]]
Inputs = create_model("Inputs", **{model.input: (Rows, ...)})  # type: ignore[call-overload,unused-ignore]


class Asked(BaseModel):
    """The body of a request."""

    inputs: Inputs  # type: ignore[valid-type,unused-ignore]


class Outputs(BaseModel):
    """The model's outputs."""

    label: list[int]
    probabilities: list[list[float]]


class Answered(BaseModel):
    """The body of an answer."""

    outputs: Outputs
    labels: list[str]


async def typed(asked: Asked) -> Answered:
    """Answer one request."""
    return predicted(asked)


def typed_in_thread(asked: Asked) -> Answered:
    """Answer one request; FastAPI calls this in its thread pool."""
    return predicted(asked)


def predicted(asked: Asked) -> Answered:
    """What the model says."""
    label, probabilities = model.run(model.rows(getattr(asked.inputs, model.input)))
    outputs = Outputs(label=label.tolist(), probabilities=probabilities.tolist())
    return Answered(outputs=outputs, labels=[model.labels[one] for one in outputs.label])


async def raw(request: Request) -> Response:
    """Answer one request."""
    rows = model.decode(await request.body(), request.headers.get("content-type", JSON))
    outputs = model.run(rows) if INLINE else await run_in_threadpool(model.run, rows)
    return Response(model.encode(outputs), media_type=JSON)


if RAW:
    app.post("/invocations")(raw)
elif INLINE:
    app.post("/invocations")(typed)
else:
    app.post("/invocations")(typed_in_thread)


if __name__ == "__main__":
    uvicorn.run(
        "fastapi_app:app",
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        workers=int(os.environ.get("WORKERS", "2")),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        backlog=4096,
    )
