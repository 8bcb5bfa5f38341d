"""Publishes where an A/B test lives, so that the command line finds it by its name."""

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from mlplatform_cdk.core import stack_of
from mlplatform_cdk.runtimekit.ab_test.address import TestAddress


def publish_test(scope: Construct, address: TestAddress) -> ssm.StringParameter:
    """Let ``mlplatform ab-test`` find the test of ``address``.

    :param scope: the test's construct.
    :param address: what is published; its texts may be tokens.
    """
    return ssm.StringParameter(
        scope,
        "Address",
        parameter_name=address.parameter,
        string_value=stack_of(scope).to_json_string(dict(address.to_mapping())),
        description=f"Where the A/B test {address.name} lives",
    )
