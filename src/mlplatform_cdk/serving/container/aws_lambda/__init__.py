"""The same server as a Lambda function: it speaks Lambda's Runtime API itself, with no HTTP server in between."""

from mlplatform_cdk.serving.container.aws_lambda.loop import Handle, serve

__all__ = ["Handle", "serve"]
