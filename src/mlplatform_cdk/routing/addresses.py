"""Publishes where a region's verdict lives, and which regions there are, for the command line."""

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from mlplatform_cdk.core import stack_of
from mlplatform_cdk.runtimekit.region_address import NamesAddress, RegionAddress


def publish_address(scope: Construct, address: RegionAddress | NamesAddress, description: str) -> ssm.StringParameter:
    """Let ``mlplatform region`` find what ``address`` says.

    :param scope: the construct whose address it is; one each.
    :param address: what is published; its texts may be tokens.
    :param description: what people read of it.
    """
    return ssm.StringParameter(
        scope,
        "Address",
        parameter_name=address.parameter,
        string_value=stack_of(scope).to_json_string(address.to_mapping()),
        description=description,
    )
