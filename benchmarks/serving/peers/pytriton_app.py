"""Triton through PyTriton: its Python backend, ``WORKERS`` instances, dynamic batching; bodies of its own protocol."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from onnx_model import Array, OnnxModel  # type: ignore[import-not-found,unused-ignore]
from pytriton.decorators import batch  # type: ignore[import-not-found,unused-ignore]
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor  # type: ignore[import-not-found,unused-ignore]
from pytriton.triton import Triton, TritonConfig  # type: ignore[import-not-found,unused-ignore]


def instance() -> tuple[OnnxModel, Callable[..., dict[str, Array]]]:
    """A session of its own for each instance."""
    model = OnnxModel()

    @batch  # type: ignore[untyped-decorator,unused-ignore]
    def predict(**inputs: Array) -> dict[str, Array]:
        outputs = model.run(inputs[model.input])
        return {name: value.reshape(len(value), -1) for name, value in zip(model.outputs, outputs, strict=True)}

    return model, predict


def main() -> None:
    """Serve until told to stop."""
    port = int(os.environ["PORT"])
    made: list[Any] = [instance() for _ in range(int(os.environ.get("WORKERS", "2")))]
    first = made[0][0].session
    kinds = {"tensor(float)": np.float32, "tensor(int64)": np.int64}
    shape = tuple(first.get_inputs()[0].shape[1:])
    outputs = [
        Tensor(name=one.name, dtype=kinds[one.type], shape=tuple(one.shape[1:]) or (1,)) for one in first.get_outputs()
    ]
    config = TritonConfig(
        http_address="127.0.0.1", http_port=port, grpc_port=port + 1, metrics_port=port + 2, log_verbose=0
    )
    with Triton(config=config) as triton:
        triton.bind(
            model_name="model",
            infer_func=[predict for _, predict in made],
            inputs=[Tensor(name=made[0][0].input, dtype=made[0][0].dtype.type, shape=shape)],
            outputs=outputs,
            config=ModelConfig(max_batch_size=64, batcher=DynamicBatcher(max_queue_delay_microseconds=0)),
            strict=False,
        )
        triton.serve()


if __name__ == "__main__":
    main()
