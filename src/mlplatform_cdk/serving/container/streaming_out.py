"""Streamed answers go out piece by piece, no faster than the client reads."""

import asyncio
from typing import TYPE_CHECKING

from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.serving.container import wire

if TYPE_CHECKING:
    from mlplatform_cdk.serving.container.protocol import Connection
    from mlplatform_cdk.serving.container.streaming import Pieces

_log = logs.logger("serving")


def begin(connection: "Connection", stream: "Pieces", *, last: bool, chunks: bool) -> "asyncio.Task[None]":
    """Write all of ``stream`` and close it, also where the task is cancelled before it begins.

    A stream that breaks breaks the connection, since its status is already said.

    :param connection: where to.
    :param stream: the pieces.
    :param last: whether the connection ends after it.
    :param chunks: whether the client knows them; else the pieces go out as they are, and the end is the connection's.
    """
    task = asyncio.ensure_future(_send(connection, stream, last=last, chunks=chunks))
    task.add_done_callback(lambda _: stream.close())
    return task


async def _send(connection: "Connection", stream: "Pieces", *, last: bool, chunks: bool) -> None:
    whole = False
    try:
        async for piece in stream:
            if connection.transport.is_closing():  # it takes bytes for nobody, and no longer says that it is full
                return
            if piece:
                connection.transport.write(wire.chunk(piece) if chunks else piece)
                await connection.writable()
        if chunks:
            connection.transport.write(wire.LAST_CHUNK)
        whole = True
    except Exception:  # noqa: BLE001 - one answer must not end the server; the log has the reason
        _log.exception("a streamed answer broke")
    finally:
        stream.close()
        connection.end_stream(whole=whole, last=last)
