"""Security findings that stay, each with its reason, beside the construct that causes it."""

from collections.abc import Mapping

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, findings: Mapping[str, str]) -> None:
    """Accept findings on ``construct`` and all below it.

    :param findings: rule id, such as ``AwsSolutions-IAM5[Resource::*]``, to the reason it may stay.
    """
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=rule, reason=reason) for rule, reason in findings.items())
    )
