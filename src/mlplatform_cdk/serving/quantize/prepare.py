"""An ONNX file as the tools can take it: whole, in a version of today, each layer with weights of its own."""

from collections import Counter
from pathlib import Path
from typing import Any

from mlplatform_cdk.serving.quantize.errors import QuantizeError

# What carries a model's arithmetic; the rest is cheap, or turned into int8 between two of them.
HEAVY = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_LEAST_OPSET = 13  # below it, DequantizeLinear knows no scale for each channel
_LARGEST = 2**31 - 1  # bytes of a protobuf message


def whole(source: Path, folder: Path) -> Path:
    """The file at ``source``, or a copy in ``folder`` with the weights in it that lie in files beside it.

    :raises QuantizeError: when those do not fit into one file.
    """
    import onnx
    from onnx.external_data_helper import uses_external_data

    model = onnx.load(str(source), load_external_data=False)
    if not any(map(uses_external_data, model.graph.initializer)):
        return source
    onnx.load_external_data_for_model(model, str(source.parent))
    size = sum(len(one.raw_data) for one in model.graph.initializer)
    if size > _LARGEST:
        raise QuantizeError(f"a model must fit into one file of 2 GiB to be quantized, got {size} bytes of weights")
    target = folder / f"whole.{source.name}"
    onnx.save(model, str(target))
    return target


def prepare(source: Path, target: Path) -> None:
    """Write to ``target`` what the tools can quantize of the model at ``source``; it answers the same.

    :param source: a whole file.
    :param target: another one.
    """
    import onnx

    model = onnx.load(str(source))
    versions = {one.domain: one.version for one in model.opset_import}
    if versions.get("", _LEAST_OPSET) < _LEAST_OPSET:
        model = onnx.version_converter.convert_version(model, _LEAST_OPSET)
    _name_nodes(model.graph)
    _part_weights(model.graph)
    onnx.save(model, str(target))


def layers_of(path: Path, operators: tuple[str, ...] = HEAVY) -> dict[str, str]:
    """The nodes with constant weights that can be computed in int8, by name, with their operators, in their order.

    :param path: a file that ``prepare`` has written.
    :param operators: the kinds of nodes; default: all heavy ones.
    """
    import onnx

    graph = onnx.load(str(path), load_external_data=False).graph
    constants = {one.name for one in graph.initializer}
    return {
        node.name: node.op_type for node in graph.node if node.op_type in operators and constants & set(node.input[:2])
    }


def holds_int8(path: Path) -> bool:
    """Whether anything of the file at ``path`` is in int8: the tools pass over what they do not know."""
    import onnx

    graph = onnx.load(str(path), load_external_data=False).graph
    return any("Quantize" in node.op_type or "Integer" in node.op_type for node in graph.node)


def _name_nodes(graph: Any) -> None:
    """Names, by which layers are told apart."""
    uses = Counter(node.name for node in graph.node)
    for place, node in enumerate(graph.node):
        if not node.name or uses[node.name] > 1:
            name = f"{node.op_type}_{place}"
            while name in uses:
                name += "_"
            uses[name] = 1
            node.name = name


def _part_weights(graph: Any) -> None:
    """Give layers copies of weights that they share, as embeddings do: the tools rewrite them for one user only."""
    constants = {one.name: one for one in graph.initializer}
    uses = Counter(name for node in graph.node for name in node.input if name in constants)
    for node in graph.node:
        if node.op_type not in HEAVY:
            continue
        for place, name in enumerate(node.input):
            if uses[name] > 1:
                own = graph.initializer.add()
                own.CopyFrom(constants[name])
                own.name = f"{name}.of.{node.name}"
                node.input[place] = own.name
                uses[name] -= 1
