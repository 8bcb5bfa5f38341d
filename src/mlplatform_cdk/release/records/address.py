"""Publishes where the releases of an endpoint live, so that the command line finds them by the endpoint's name."""

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from mlplatform_cdk.core import stack_of
from mlplatform_cdk.runtimekit.release_address import ReleaseAddress


def publish_address(scope: Construct, address: ReleaseAddress) -> ssm.StringParameter:
    """Let ``mlplatform release`` find the releases of ``address.endpoint``.

    :param scope: the construct that makes the state machine; one address each.
    :param address: what is published; its texts may be tokens.
    """
    return ssm.StringParameter(
        scope,
        "Address",
        parameter_name=address.parameter,
        string_value=stack_of(scope).to_json_string(address.to_mapping()),
        description=f"Where the releases to {address.endpoint} live",
    )
