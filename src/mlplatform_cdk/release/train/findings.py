"""What ``mlplatform check`` cannot see of a train's function: which of two clients a call goes through."""

AS_ANOTHER = {
    f"permission-missing[{action}]": "it is made under the role of a station, which allows it"
    for action in (
        "ecr:CompleteLayerUpload",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
        "sagemaker:CreateModelPackage",
        "ssm:GetParameter",
        "states:DescribeExecution",
        "states:StartExecution",
    )
}
