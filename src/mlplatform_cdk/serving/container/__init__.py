"""The serving image: SageMaker's ``/ping`` and ``/invocations`` in front of ONNX Runtime."""
