"""The same server as a Lambda function: it speaks Lambda's Runtime API itself, with no HTTP server in between."""

from mlplatform_cdk.serving.container.aws_lambda.loop import API_VARIABLE, serve

__all__ = ["API_VARIABLE", "serve"]
