"""One model's codec: what its manifest says is looked up once, not per request."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.manifest import Manifest
from mlplatform_cdk.serving.container.codecs import text
from mlplatform_cdk.serving.container.errors import BodyTooLarge
from mlplatform_cdk.serving.container.limits import Limits


class Codec:
    """Bodies to the model's tensors and back; safe to use from several threads.

    :param manifest: what the model takes and gives.
    :param limits: what one request may cost.
    """

    def __init__(self, manifest: Manifest, limits: Limits) -> None:
        self._manifest = manifest
        self._limits = limits

    def decode(
        self, body: bytes, content_type: str, headers: Mapping[str, str] | None = None
    ) -> dict[str, NDArray[Any]]:
        """The tensors in ``body``, by name.

        :param body: the request's body.
        :param content_type: its format; none means JSON.
        :param headers: the request's headers, names in lower case; default: none.
        :raises RequestError: when the body is not what the model takes.
        """
        del headers
        if len(body) > self._limits.body_bytes:
            raise BodyTooLarge(f"the body must be at most {self._limits.body_bytes} bytes, got {len(body)}")
        return text.decode(body, content_type, self._manifest)

    def accept(self, accept: str) -> str:
        """The answer's format that an Accept header (possibly empty) asks for.

        :raises NotAcceptable: when it allows none that this container writes.
        """
        return text.answer_type(accept)

    def encode(self, outputs: Mapping[str, NDArray[Any]], kind: str) -> bytes:
        """``outputs`` as a body.

        :param outputs: tensors by name, in the manifest's order.
        :param kind: what ``accept`` gave.
        """
        return text.encode(outputs, kind, self._manifest)
