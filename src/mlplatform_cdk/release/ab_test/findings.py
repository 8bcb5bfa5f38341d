"""What ``mlplatform check`` cannot see of a test's function: the steps are the same for every kind of test."""

WITHOUT_ALARMS = {"permission-missing[cloudwatch:DescribeAlarms]": "a test that no alarm ends asks for none"}
WITHOUT_RELEASE = {"permission-missing[sagemaker:UpdateModelPackage]": "a test that releases no winner approves none"}
ON_A_TEMPLATE = {
    f"permission-missing[{action}]": "only challengers need it, and the variants of a template are all there"
    for action in (
        "application-autoscaling:DeregisterScalableTarget",
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScalingPolicies",
        "application-autoscaling:ListTagsForResource",
        "application-autoscaling:PutScalingPolicy",
        "application-autoscaling:RegisterScalableTarget",
        "application-autoscaling:TagResource",
        "s3:GetObject",
        "sagemaker:CreateEndpointConfig",
        "sagemaker:CreateModel",
        "sagemaker:DeleteEndpointConfig",
        "sagemaker:DeleteModel",
        "sagemaker:DescribeModelPackage",
        "sagemaker:InvokeEndpoint",
        "sagemaker:UpdateEndpoint",
    )
}
