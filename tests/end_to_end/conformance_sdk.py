"""The SageMaker Python SDK's view of a platform, as a program of its own: models and an answer, as JSON on stdout.

Arguments: model package group, endpoint, request. Everything else comes from the environment, as for any user.
"""

import json
import sys

from sagemaker.core.resources import Endpoint, ModelPackage

group, endpoint_name, request = sys.argv[1:]
models = [
    {"arn": one.model_package_arn, "approval": one.model_approval_status}
    for one in ModelPackage.get_all(model_package_group_name=group)
]
answer = Endpoint.get(endpoint_name).invoke(body=request, content_type="application/json")
body = answer.body.read() if hasattr(answer.body, "read") else answer.body
sys.stdout.write(json.dumps({"models": models, "answer": json.loads(body)}))
