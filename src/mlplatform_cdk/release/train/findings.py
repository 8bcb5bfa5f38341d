"""What ``mlplatform check`` cannot see of a train's function: which of two clients a call goes through."""

from mlplatform_cdk.core.images import PULL_ACTIONS

AS_ANOTHER = {
    f"permission-missing[{action}]": "it is made under the role of a station, which allows it"
    for action in ("iam:PassRole", "ssm:GetParameter", "states:DescribeExecution", "states:StartExecution")
}
BY_ANOTHER = {
    f"permission-unused[{action}]": "it is made through a client that is handed on, and by the records' own code"
    for action in (
        *PULL_ACTIONS,
        "dynamodb:DeleteItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "s3:GetBucketLocation",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
    )
}
