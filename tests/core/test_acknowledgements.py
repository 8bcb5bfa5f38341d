"""Does a reason stand in the template, where the tools look for it?"""

from aws_cdk import App, Stack
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template

from mlplatform_cdk.core import accept_checkov


def test_reasons_for_checkov_stand_in_the_resource_and_add_up() -> None:
    stack = Stack(App(), "Stack")
    queue = sqs.Queue(stack, "Queue")

    accept_checkov(queue, {"CKV_AWS_27": "its messages are names"}, is_new=True)
    accept_checkov(queue, {"CKV_AWS_999": "no such check"})

    (found,) = Template.from_stack(stack).find_resources("AWS::SQS::Queue").values()
    assert found["Metadata"]["checkov"]["skip"] == [
        {"id": "CKV_AWS_27", "comment": "its messages are names"},
        {"id": "CKV_AWS_999", "comment": "no such check"},
    ]
