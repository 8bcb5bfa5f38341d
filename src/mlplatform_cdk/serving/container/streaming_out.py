"""Streamed answers go out piece by piece, no faster than the client reads."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING

from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.serving.container import wire

if TYPE_CHECKING:
    from mlplatform_cdk.serving.container.protocol import Connection

_log = logs.logger("serving")


async def send(connection: "Connection", stream: AsyncIterator[bytes], *, last: bool) -> None:
    """Write all of ``stream``; a stream that breaks breaks the connection, since its status is already said.

    :param connection: where to.
    :param stream: the pieces.
    :param last: whether the connection ends after it.
    """
    whole = False
    try:
        async for piece in stream:
            if piece:
                connection.transport.write(wire.chunk(piece))
                await connection.writable()
        connection.transport.write(wire.LAST_CHUNK)
        whole = True
    except Exception:  # noqa: BLE001 - one answer must not end the server; the log has the reason
        _log.exception("a streamed answer broke")
    finally:
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()
        connection.end_stream(whole=whole, last=last)
