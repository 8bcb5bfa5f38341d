"""A forest of trees with random splits (Geurts et al. 2006, with one candidate a node) as a TreeEnsembleClassifier."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from benchmarks.serving.graphs import Graph, classes_out

TREES, DEPTH = 50, 8


def grow(rows: NDArray[np.float32], labels: NDArray[np.int64], classes: int, *, seed: int) -> Any:
    """The ONNX model of a forest over ``rows``.

    :param labels: the class of each row.
    :param classes: how many there are.
    :param seed: of the splits.
    """
    growing = _Growing(np.random.default_rng(seed), rows, labels, classes)
    for tree in range(TREES):
        growing.node(tree, np.arange(len(rows)), 0)
    graph = Graph(seed)
    node = helper.make_node(
        "TreeEnsembleClassifier",
        ["features"],
        ["label", "probabilities"],
        domain="ai.onnx.ml",
        post_transform="NONE",
        classlabels_int64s=list(range(classes)),
        **growing.attributes,
    )
    graph.node(node)
    return graph.finish({"features": (TensorProto.FLOAT, ["batch", rows.shape[1]])}, classes_out(classes))


class _Growing:
    """The trees so far, as the attributes of the operator."""

    def __init__(
        self, random: np.random.Generator, rows: NDArray[np.float32], labels: NDArray[np.int64], classes: int
    ) -> None:
        self._random, self._rows, self._labels, self._classes = random, rows, labels, classes
        names = ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")
        self.attributes: dict[str, list[Any]] = {f"nodes_{name}": [] for name in names}
        self.attributes |= {f"class_{name}": [] for name in ("treeids", "nodeids", "ids", "weights")}
        self._next = [0] * TREES

    def node(self, tree: int, members: NDArray[np.int64], depth: int) -> int:
        """Grow one node with everything under it; its number."""
        number = self._next[tree]
        self._next[tree] += 1
        column = int(self._random.integers(self._rows.shape[1]))
        values = self._rows[members, column]
        leaf = depth == DEPTH or len(members) < 5 or len(set(self._labels[members].tolist())) == 1  # noqa: PLR2004
        bound = float(self._random.uniform(values.min(), values.max())) if not leaf else 0.0
        place = len(self.attributes["nodes_treeids"])
        for name, value in (
            ("treeids", tree),
            ("nodeids", number),
            ("featureids", column),
            ("values", bound),
            ("modes", "LEAF" if leaf else "BRANCH_LEQ"),
            ("truenodeids", 0),
            ("falsenodeids", 0),
        ):
            self.attributes[f"nodes_{name}"].append(value)
        if leaf:
            self._leaf(tree, number, members)
        else:
            low = values <= np.float32(bound)
            self.attributes["nodes_truenodeids"][place] = self.node(tree, members[low], depth + 1)
            self.attributes["nodes_falsenodeids"][place] = self.node(tree, members[~low], depth + 1)
        return number

    def _leaf(self, tree: int, number: int, members: NDArray[np.int64]) -> None:
        shares = np.bincount(self._labels[members], minlength=self._classes) / max(1, len(members)) / TREES
        for which, share in enumerate(shares.tolist()):
            for name, value in (("treeids", tree), ("nodeids", number), ("ids", which), ("weights", share)):
                self.attributes[f"class_{name}"].append(value)
