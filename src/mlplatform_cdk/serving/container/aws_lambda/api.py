"""Lambda's Runtime API: take the next event, give back a result, whole or as a stream, or say what went wrong.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, and for streams
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from http import HTTPStatus

import httptools
import orjson

from mlplatform_cdk.serving.container.aws_lambda.events import Invocation

_ROOT = "/2018-06-01/runtime"
_ERROR_TYPE, _ERROR_BODY = "Lambda-Runtime-Function-Error-Type", "Lambda-Runtime-Function-Error-Body"
_READ_BYTES = 262144


class RuntimeApiError(Exception):
    """The Runtime API does not answer as it is documented; this environment cannot go on."""


class _Response:
    """What the parser reports of one response."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.parts: list[bytes] = []
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self.parts.append(body)

    def on_message_complete(self) -> None:
        self.complete = True


class RuntimeApi:
    """One connection, kept, and made anew when it ends.

    :param address: host and port, as ``AWS_LAMBDA_RUNTIME_API`` gives them.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        host, _, port = address.partition(":")
        self._host, self._port = host, int(port or 80)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def next(self) -> Invocation:
        """The next event; this waits for as long as there is none."""
        status, response = await self._ask("GET", f"{_ROOT}/invocation/next")
        headers = response.headers
        if status != HTTPStatus.OK or "lambda-runtime-aws-request-id" not in headers:
            raise RuntimeApiError(f"the Runtime API must hand out an event, got status {status}")
        return Invocation(
            headers["lambda-runtime-aws-request-id"],
            b"".join(response.parts),
            int(headers.get("lambda-runtime-deadline-ms", "0")),
            headers.get("lambda-runtime-trace-id", ""),
        )

    async def respond(self, invocation: Invocation, payload: bytes) -> int:
        """Give the whole result; the status is 202, or why it was not taken, such as 413 for one that is too large."""
        path = f"{_ROOT}/invocation/{invocation.id}/response"
        return (await self._ask("POST", path, payload))[0]

    async def fail(self, invocation: Invocation, kind: str, sentence: str) -> int:
        """End the invocation with an error."""
        return await self._fail(f"{_ROOT}/invocation/{invocation.id}/error", kind, sentence)

    async def fail_init(self, kind: str, sentence: str) -> int:
        """Say that this environment never got ready."""
        return await self._fail(f"{_ROOT}/init/error", kind, sentence)

    async def stream(self, invocation: Invocation, content_type: str, pieces: AsyncIterator[bytes]) -> int:
        """Give the result piece by piece; an error in the midst of it ends the invocation as one.

        The connection ends with it, as the Runtime API wants it of streams.

        :param content_type: the result's; API Gateway and Function URLs want a prelude under a type of its own.
        """
        _, writer = await self._connected()
        writer.write(
            self._head("POST", f"{_ROOT}/invocation/{invocation.id}/response", f"Content-Type: {content_type}")
            + b"Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n"
            + f"Trailer: {_ERROR_TYPE}, {_ERROR_BODY}\r\n\r\n".encode()
        )
        trailer = b""
        try:
            async for piece in pieces:
                if piece:
                    writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                    await writer.drain()
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - the caller is told within the stream, the only place that is left
            told = base64.b64encode(_error("Function.StreamBroken", str(error))).decode()
            trailer = f"{_ERROR_TYPE}: Function.StreamBroken\r\n{_ERROR_BODY}: {told}\r\n".encode()
        writer.write(b"0\r\n" + trailer + b"\r\n")
        status, _ = await self._answer()
        await self.close()
        return status

    async def close(self) -> None:
        """End the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _fail(self, path: str, kind: str, sentence: str) -> int:
        return (await self._ask("POST", path, _error(kind, sentence), f"{_ERROR_TYPE}: {kind}"))[0]

    async def _ask(self, method: str, path: str, body: bytes = b"", *headers: str) -> tuple[int, _Response]:
        _, writer = await self._connected()
        head = self._head(method, path, "Content-Type: application/json", f"Content-Length: {len(body)}", *headers)
        writer.write(head + b"\r\n" + body)
        return await self._answer()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None or self._streams[0].at_eof():
            await self.close()
            self._streams = await asyncio.open_connection(self._host, self._port)
        return self._streams

    async def _answer(self) -> tuple[int, _Response]:
        assert self._streams is not None
        reader = self._streams[0]
        response = _Response()
        parser = httptools.HttpResponseParser(response)
        while not response.complete:
            data = await reader.read(_READ_BYTES)
            if not data:
                await self.close()
                raise RuntimeApiError("the Runtime API must answer, got the end of the connection")
            parser.feed_data(data)
        if response.headers.get("connection", "").lower() == "close":
            await self.close()
        return parser.get_status_code(), response

    def _head(self, method: str, path: str, *headers: str) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._address}", "User-Agent: mlplatform", *headers, ""]
        return "\r\n".join(lines).encode()


def _error(kind: str, sentence: str) -> bytes:
    return orjson.dumps({"errorMessage": sentence, "errorType": kind, "stackTrace": []})
