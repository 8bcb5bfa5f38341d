"""The forms in which JSON carries a model's inputs: rows, columns, records and named tensors, as peers write them too.

``{"inputs": {name: nested}}`` and ``{"instances": rows}`` (KServe v1, TensorFlow Serving), objects as rows (SageMaker),
``{"inputs": [{"name", "shape", "datatype", "data"}]}`` (Open Inference Protocol), ``{"columns": {name: values}}``,
``{"columns": [...], "data": rows}``, ``dataframe_split`` and ``dataframe_records`` (pandas, MLflow).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from mlplatform_cdk.serving.container.codecs.json_document import few, kind_of, loads, numbers_only
from mlplatform_cdk.serving.container.codecs.open_inference import read_tensors
from mlplatform_cdk.serving.container.errors import RequestError
from mlplatform_cdk.serving.container.tensors import TensorReader

Arrays = dict[str, NDArray[Any]]


class JsonForms:
    """Finds the model's inputs in a JSON document.

    :param readers: the model's inputs, in the manifest's order.
    """

    def __init__(self, readers: Sequence[TensorReader]) -> None:
        self._readers = readers
        self._names = {one.name for one in readers}
        self._only = readers[0] if len(readers) == 1 else None
        columns = self._only.tensor.columns if self._only else ()
        self._columns = columns if len(set(columns)) == len(columns) else ()
        self._forms: Mapping[str, Callable[[Any, bytes, int], Arrays]] = {
            "instances": self._instances,
            "inputs": self._inputs,
            "dataframe_split": self._split,
            "dataframe_records": self._dataframe_records,
        }

    def decode(self, body: bytes, _headers: object = None) -> Arrays:
        """The inputs that the document ``body`` carries."""
        document = loads(body)
        if type(document) is not dict:
            raise self._refused(document)
        if self._only is not None:
            rows, names = commonest(document, self._only.name)
            if rows is not None:
                return self._alone(rows, body, numbers_only(body, names))
        for name, form in self._forms.items():
            if name in document:
                return form(document[name], body, len(document))
        columns = document.get("columns")
        if type(columns) is dict:
            return self._by_column(columns, body, len(document) + len(columns))
        if "data" in document:
            return self._split(document, body, 0)
        raise self._refused(document)

    def rows(self, rows: list[Any], body: bytes, names: int = 0) -> Arrays:
        """The inputs that ``rows`` carry: a list of numbers each, or an object with the names of inputs or columns.

        :param rows: at least one.
        :param body: the text that they were read from.
        :param names: how many names that text has besides those in the rows; default: 0.
        """
        if type(rows[0]) is dict:
            return self._records(rows, body, names)
        if self._only is None:
            raise self._refused(rows)
        return self._alone(rows, body, numbers_only(body, names))

    def _alone(self, value: Any, body: bytes, clean: bool) -> Arrays:  # noqa: FBT001 - by position it costs less
        only = self._readers[0]
        return {only.name: only.from_clean(value, len(body)) if clean else only.from_nested(value)}

    def _instances(self, given: Any, body: bytes, names: int) -> Arrays:
        if type(given) is list and given:
            return self.rows(given, body, names)
        if self._only is None:
            raise self._refused({"instances": given})
        return self._alone(given, body, clean=False)

    def _dataframe_records(self, given: Any, body: bytes, names: int) -> Arrays:
        if type(given) is list and given:
            return self._records(given, body, names)
        raise RequestError(f"dataframe_records must be a list of objects, at least one, got {kind_of(given)}")

    def _inputs(self, given: Any, body: bytes, names: int) -> Arrays:
        if type(given) is dict and given.keys() == self._names:
            clean = numbers_only(body, names + len(given))
            return {
                one.name: one.from_clean(given[one.name], len(body)) if clean else one.from_nested(given[one.name])
                for one in self._readers
            }
        if type(given) is list and given and type(given[0]) is dict:
            return read_tensors(given, self._readers)
        if type(given) is list and self._only is not None:
            return self._alone(given, body, numbers_only(body, names))
        raise self._refused({"inputs": given})

    def _records(self, records: list[Any], body: bytes, names: int) -> Arrays:
        first = records[0]
        tensors = type(first) is dict and first.keys() == self._names
        if tensors and self._columns == tuple(first):  # the only input and its only column have one name
            tensors = type(next(iter(first.values()))) is list
        wanted = self._names if tensors else set(self._columns)
        for number, record in enumerate(records, 1):
            if type(record) is not dict or record.keys() != wanted:
                known = [one.name for one in self._readers] if tensors or not self._columns else self._columns
                raise RequestError(f"row {number} must be an object with {few(known)}, got {kind_of(record)}")
        if not tensors:
            names += len(records) * len(wanted)
            return self._by_column({name: [one[name] for one in records] for name in self._columns}, body, names)
        clean = numbers_only(body, names + len(records) * len(wanted))
        lists = ((one, [record[one.name] for record in records]) for one in self._readers)
        return {one.name: one.from_clean(rows, len(body)) if clean else one.from_nested(rows) for one, rows in lists}

    def _by_column(self, columns: Mapping[str, Any], body: bytes, names: int) -> Arrays:
        self._match(columns)
        lists = [columns[name] for name in self._columns]
        if {type(one) for one in lists} - {list} or len({len(one) for one in lists}) > 1:
            raise RequestError("each column must be a list, and all of one length, got others")
        return self._alone([*zip(*lists, strict=True)], body, numbers_only(body, names))

    def _split(self, given: Any, body: bytes, names: int) -> Arrays:
        columns, data = (given.get("columns"), given.get("data")) if type(given) is dict else (None, None)
        if type(columns) is not list or type(data) is not list or {type(one) for one in columns} - {str}:
            raise RequestError(f"a split table must have columns, a list of names, and data, got {kind_of(given)}")
        self._match(columns)
        del names  # the columns are texts, so each element is looked at
        arrays = self._alone(data, body, clean=False)
        if tuple(columns) == self._columns:
            return arrays
        order = [columns.index(name) for name in self._columns]
        return {name: array[..., order] for name, array in arrays.items()}

    def _match(self, columns: Mapping[str, Any] | list[str]) -> None:
        if not self._columns:
            raise RequestError("a model whose manifest names no columns must be asked in rows, got columns by name")
        if len(columns) != len(self._columns) or set(columns) != set(self._columns):
            differing = few(set(columns) ^ set(self._columns)) or "a name that comes twice"
            raise RequestError(f"the columns must be those of the manifest, got a difference in {differing}")

    def _refused(self, value: Any) -> RequestError:
        names = ", ".join(one.name for one in self._readers)
        inputs = value.get("inputs") if type(value) is dict else None
        came = f"inputs {few(inputs) or 'none'}" if type(inputs) is dict else kind_of(value)
        return RequestError(f'the body must be {{"inputs": {{...}}}} with {names}, got {came}')


def commonest(document: dict[str, Any], name: str) -> tuple[list[Any] | None, int]:
    """The rows in either of the two commonest forms, and how many names those have; no rows: it is another form."""
    rows = document.get("instances")
    if type(rows) is list:
        return (rows, len(document)) if rows and type(rows[0]) is list else (None, 0)
    named = document.get("inputs")
    if type(named) is not dict or len(named) != 1 or "instances" in document:
        return None, 0
    rows = named.get(name)
    return (rows, len(document) + 1) if type(rows) is list else (None, 0)
