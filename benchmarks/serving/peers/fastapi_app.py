"""FastAPI on uvicorn with uvloop and httptools, ``WORKERS`` processes: the raw body in, orjson out, as its guides say.

A model of under a millisecond runs in the event loop; a slower one in FastAPI's thread pool (``INLINE=0``).
"""

import os

import uvicorn
from fastapi import FastAPI, Request, Response
from onnx_model import OnnxModel  # type: ignore[import-not-found,unused-ignore]
from starlette.concurrency import run_in_threadpool

app = FastAPI()
model = OnnxModel()
INLINE = os.environ.get("INLINE", "1") == "1"


@app.post("/invocations")
async def invocations(request: Request) -> Response:
    """Answer one request."""
    rows = model.decode(await request.body(), request.headers.get("content-type", "application/json"))
    outputs = model.run(rows) if INLINE else await run_in_threadpool(model.run, rows)
    return Response(model.encode(outputs), media_type="application/json")


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
