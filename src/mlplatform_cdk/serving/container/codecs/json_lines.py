"""JSON Lines: a row a line, a list of numbers or an object with the names of inputs or columns."""

from typing import Any

import orjson
from numpy.typing import NDArray

from mlplatform_cdk.serving.container.codecs.json_document import loads
from mlplatform_cdk.serving.container.codecs.json_forms import JsonForms
from mlplatform_cdk.serving.container.errors import RequestError
from mlplatform_cdk.serving.container.limits import Limits

_BOM = b"\xef\xbb\xbf"


class JsonLines:
    """Reads a body with one JSON document a line; blank lines are none.

    :param forms: what a line may hold.
    :param limits: what the body may cost.
    """

    def __init__(self, forms: JsonForms, limits: Limits) -> None:
        self._forms = forms
        self._most = limits.rows

    def decode(self, body: bytes) -> dict[str, NDArray[Any]]:
        """The inputs that the lines of ``body`` carry."""
        if body.count(b"\n") > self._most:
            raise RequestError(f"the body must have at most {self._most} lines, got more")
        lines = [line for line in body.removeprefix(_BOM).split(b"\n") if line and not line.isspace()]
        if not lines:
            raise RequestError("the body must have at least one row, got none")
        try:
            rows = [*map(orjson.loads, lines)]
        except orjson.JSONDecodeError:
            raise _wrong_line(lines) from None
        return self._forms.rows(rows, body)


def _wrong_line(lines: list[bytes]) -> RequestError:
    for number, line in enumerate(lines, 1):
        try:
            loads(line)
        except RequestError as error:
            return RequestError(str(error).replace("the body", f"row {number} of the body", 1))
    return RequestError("the body must hold JSON in each line, got a line that starts with a byte order mark")
