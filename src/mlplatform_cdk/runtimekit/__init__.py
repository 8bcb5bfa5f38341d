"""What all code that runs in AWS shares: the model manifest, settings, logs, S3, the job contract.

Standard library and boto3 only; boto3 is imported at the first call, so that a Lambda asset boots without it.
"""

import os

# ONNX Runtime reports to its maker unless told otherwise before its first import (its PRIVACY.md). All of our code that
# runs a model has been here first, on a laptop as in a job; the Dockerfiles say it for everything in an image.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
