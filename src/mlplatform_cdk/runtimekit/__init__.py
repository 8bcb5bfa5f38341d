"""What all code that runs in AWS shares: the model manifest, settings, logs, S3, the job contract.

Standard library and boto3 only; boto3 is imported at the first call, so that a Lambda asset boots without it.
"""
