"""A dataset becomes a model archive: ONNX and its manifest."""
