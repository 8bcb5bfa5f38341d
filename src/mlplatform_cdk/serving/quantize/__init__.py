"""A model in fewer bits, within a tolerance: which layers could not follow and why, what it costs, what it gains.

Runs on a laptop (``mlplatform quantize``) and as a step of the retraining pipeline; imports no CDK.
"""

from mlplatform_cdk.serving.quantize.data import Rows, read_rows
from mlplatform_cdk.serving.quantize.errors import QuantizeError
from mlplatform_cdk.serving.quantize.flow import Wanted, quantize
from mlplatform_cdk.serving.quantize.report import Report

__all__ = ["QuantizeError", "Report", "Rows", "Wanted", "quantize", "read_rows"]
