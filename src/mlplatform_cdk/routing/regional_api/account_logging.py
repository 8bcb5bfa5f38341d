"""The role by which API Gateway writes logs: a setting of a whole account in a region, not of one API."""

from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from mlplatform_cdk.core import Access, PlatformRole, allowed, arn_of, service_principal
from mlplatform_cdk.core.answers import stack_of

_ID = "ApiGatewayLogging"
# The actions of AWS's own policy AmazonAPIGatewayPushToCloudWatchLogs:
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonAPIGatewayPushToCloudWatchLogs.html
_GROUPS = ("logs:CreateLogGroup", "logs:DescribeLogStreams", "logs:FilterLogEvents")
_STREAMS = ("logs:CreateLogStream", "logs:GetLogEvents", "logs:PutLogEvents")


def account_logging_of(scope: Construct) -> apigateway.CfnAccount:
    """The setting, made once in the stack of ``scope``; a stage with logs must wait for it."""
    stack = stack_of(scope)
    existing = stack.node.try_find_child(_ID)
    if existing is not None:
        return existing.node.find_child("Resource")  # type: ignore[return-value] # only this function makes it
    place = Construct(stack, _ID)
    groups, streams = arn_of(place, "logs", "log-group:*"), arn_of(place, "logs", "log-group:*:log-stream:*")
    reason = "API Gateway names the execution logs of its stages, and CloudWatch Logs its streams"
    role = PlatformRole(
        place,
        "Role",
        assumed_by=service_principal("apigateway.amazonaws.com"),
        description="Writes the logs of this account's APIs in this region",
        access=[
            Access(
                [
                    allowed(_GROUPS, groups),
                    allowed(_STREAMS, streams),
                    allowed(["logs:DescribeLogGroups"], "*"),
                ],
                patterns={
                    groups: reason,
                    streams: reason,
                    "*": "DescribeLogGroups looks for a group by its prefix in the whole account",
                },
            )
        ],
    )
    return apigateway.CfnAccount(place, "Resource", cloud_watch_role_arn=role.role_arn)
