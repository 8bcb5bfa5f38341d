"""A step of the pipeline that sends a release train off and waits until it has arrived."""

from typing import Any

import jsii
from aws_cdk import ArnFormat, Stack, pipelines
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct


@jsii.implements(pipelines.ICodePipelineActionFactory)
class TrainStep(pipelines.Step):
    """Starts the state machine of a ``ReleaseTrain`` and succeeds when it does; CodePipeline waits up to seven days.

    :param id: of the step, unique within its stage.
    :param train: the train's name; its state machine has the same, in the pipeline's account and region.
    """

    def __init__(self, id: str, *, train: str) -> None:
        super().__init__(id)
        self._train = train

    @jsii.member(jsii_name="produceAction")
    def produce_action(
        self, stage: codepipeline.IStage, *, action_name: str, run_order: float, scope: Construct, **_others: Any
    ) -> pipelines.CodePipelineActionFactoryResult:
        """Called by CDK Pipelines, in its own words."""
        arn = Stack.of(scope).format_arn(
            service="states",
            resource="stateMachine",
            resource_name=self._train,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        machine = sfn.StateMachine.from_state_machine_arn(scope, f"{action_name.replace('.', '-')}-Machine", arn)
        stage.add_action(
            actions.StepFunctionInvokeAction(
                action_name=action_name,
                run_order=run_order,
                state_machine=machine,
                state_machine_input=actions.StateMachineInput.literal({"by": "the delivery pipeline"}),
            )
        )
        return pipelines.CodePipelineActionFactoryResult(run_orders_consumed=1)
