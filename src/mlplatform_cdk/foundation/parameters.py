"""How stacks talk: one publishes a value as an SSM parameter, another reads it when it is deployed.

Unlike an export, a parameter may change while others read it, so that any stack can be replaced.
"""

from aws_cdk import Fn
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from mlplatform_cdk.core import ConfigurationError, is_known


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


def _id(name: str) -> str:
    """``FoundationArtifactsBucket…`` of ``/mlplatform/dev/foundation/artifacts-bucket``: no id holds an environment."""
    words = "-".join(name.strip("/").split("/")[-2:]).split("-")
    return "".join(word.capitalize() for word in words) + "Parameter"
