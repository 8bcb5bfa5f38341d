"""What computes: ONNX Runtime on CPU, CUDA or TensorRT, or OpenVINO, behind one small protocol."""

from mlplatform_cdk.serving.container.engines.choice import EngineChoice
from mlplatform_cdk.serving.container.engines.engine import Engine
from mlplatform_cdk.serving.container.engines.errors import ModelError
from mlplatform_cdk.serving.container.engines.opening import open_engine

__all__ = ["Engine", "EngineChoice", "ModelError", "open_engine"]
