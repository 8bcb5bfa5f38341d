"""How policies keep to the variants of endpoints, whose scalable targets have ids that AWS chooses.

The condition keys are of each action that changes a target, as AWS's service authorization reference has them.
"""

ONLY_VARIANTS = {
    "StringEquals": {
        "application-autoscaling:scalable-dimension": "sagemaker:variant:DesiredInstanceCount",
        "application-autoscaling:service-namespace": "sagemaker",
    }
}
WHY_ANY_TARGET = "scalable targets have ids that AWS chooses; the conditions keep to variants of SageMaker's endpoints"
