"""How stacks talk: one publishes a value as an SSM parameter, another reads it when it is deployed.

Unlike an export, a parameter may change while others read it, so that any stack can be replaced.
"""

from aws_cdk import Fn
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from mlplatform_cdk.core import (
    ConfigurationError,
    bucket_arn,
    bucket_name,
    encryption_key,
    is_known,
    key_arn,
    partition_of,
    topic_arn,
)


def publish(scope: Construct, name: str, value: str) -> None:
    """Let other stacks read ``value`` under ``name``.

    :param name: the parameter's path, such as ``/mlplatform/dev/foundation/artifacts-bucket``.
    :param value: what it holds; several values are joined by commas.
    """
    if is_known(name) and not name.startswith("/"):
        raise ConfigurationError(scope, f"a published name must start with '/', got {name!r}; try '/{name}'")
    ssm.StringParameter(scope, _id(name), parameter_name=name, string_value=value)


def published(scope: Construct, name: str) -> str:
    """The value that another stack published under ``name``, as a token.

    :param name: the parameter's path.
    """
    return ssm.StringParameter.value_for_string_parameter(scope, name)


def published_list(scope: Construct, name: str, length: int) -> tuple[str, ...]:
    """The values, joined by commas, that another stack published under ``name``, as tokens.

    :param name: the parameter's path.
    :param length: how many there are.
    """
    return tuple(Fn.split(",", published(scope, name), length))


def published_key(scope: Construct, id: str, name: str) -> kms.IKey:
    """The key whose ARN another stack published under ``name``.

    :param name: the parameter's path.
    """
    arn = published(scope, name)
    key = kms.Key.from_key_arn(scope, id, arn)
    key_arn.tell(key, arn)
    return key


def published_bucket(scope: Construct, id: str, name: str, *, key: kms.IKey | None = None) -> s3.IBucket:
    """The bucket whose name another stack published under ``name``.

    :param name: the parameter's path.
    :param key: encrypts its objects; default: none of ours.
    """
    bucket_is = published(scope, name)
    bucket = s3.Bucket.from_bucket_attributes(scope, id, bucket_name=bucket_is, encryption_key=key)
    bucket_name.tell(bucket, bucket_is)
    bucket_arn.tell(bucket, f"arn:{partition_of(scope)}:s3:::{bucket_is}")
    encryption_key.tell(bucket, key)
    return bucket


def published_topic(scope: Construct, id: str, name: str) -> sns.ITopic:
    """The topic whose ARN another stack published under ``name``.

    :param name: the parameter's path.
    """
    arn = published(scope, name)
    topic = sns.Topic.from_topic_arn(scope, id, arn)
    topic_arn.tell(topic, arn)
    return topic


def _id(name: str) -> str:
    """``FoundationArtifactsBucket…`` of ``/mlplatform/dev/foundation/artifacts-bucket``: no id holds an environment."""
    words = "-".join(name.strip("/").split("/")[-2:]).split("-")
    return "".join(word.capitalize() for word in words) + "Parameter"
