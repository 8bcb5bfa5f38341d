"""Starts a run of a pipeline when data has arrived in the lake and nothing more has for a while."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from mlplatform_cdk.core import (
    Access,
    ConfigurationError,
    PlatformFunction,
    accept_checkov,
    allowed,
    bucket_name,
    days,
    dead_letters_of,
    is_known,
    listing,
    machine_arn,
    minutes,
    seconds_of,
)
from mlplatform_cdk.data.dataset import Dataset

RUNTIME = "mlplatform_cdk.data.ingest.runtime"
FIVE_MINUTES = minutes(5)
_LONGEST_DELAY = 900  # SQS's own
_TIMEOUT = minutes(1)
_TRY_AGAIN_AFTER = minutes(6)  # six times the function's time limit, as Lambda advises for its queues
_RETENTION = days(4)
_TRIES = 900  # an arrival waits up to 90 hours for the run in progress, then becomes a dead letter


class RetrainingTrigger(Construct):
    """One run at a time for the state of the data after a quiet period; many arrivals, one run.

    The run's name is made of the data's version, so that the same objects never start a second one.
    (A file that is uploaded anew is another object: S3 gives it another ETag where a KMS key encrypts it.)

    :param dataset: what to watch.
    :param lake: where it lies; its events must go to EventBridge, as a ``DataLake``'s do.
    :param pipeline: what to start, with ``{"dataset_uri": ...}``.
    :param quiet_period: how long nothing more may arrive before a run starts, at most 15 minutes; default: 5 minutes.
    :param key: encrypts the function's settings and logs; default: keys that AWS owns.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        dataset: Dataset,
        lake: s3.IBucket,
        pipeline: sfn.IStateMachine,
        quiet_period: Duration = FIVE_MINUTES,
        key: kms.IKey | None = None,
    ) -> None:
        super().__init__(scope, id)
        if is_known(quiet_period) and seconds_of(quiet_period) > _LONGEST_DELAY:
            raise ConfigurationError(
                self, f"quiet_period must be at most 15 minutes, got {quiet_period.to_human_string()}"
            )
        self.queue = self._define_queue(quiet_period)
        self._define_rule(lake, dataset.prefix)
        starting = allowed(["states:ListExecutions", "states:StartExecution"], machine_arn(pipeline))
        self.function = PlatformFunction(
            self,
            "Function",
            package=RUNTIME,
            description="Starts a retraining for the data that has arrived in the lake",
            timeout=_TIMEOUT,
            environment={
                "DATASET_URI": f"s3://{bucket_name(lake)}/{dataset.prefix}",
                "STATE_MACHINE_ARN": machine_arn(pipeline),
            },
            key=key,
            access=[listing(lake), Access([starting])],
        )
        self.function.add_event_source(event_sources.SqsEventSource(self.queue, report_batch_item_failures=True))

    def _define_queue(self, quiet_period: Duration) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            "Arrivals",
            delivery_delay=quiet_period,
            visibility_timeout=_TRY_AGAIN_AFTER,
            retention_period=_RETENTION,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters_of(self), max_receive_count=_TRIES),
        )
        reason = "encrypted with SQS's own key; its messages name objects of the lake, never what is in them"
        accept_checkov(queue, {"CKV_AWS_27": reason}, is_new=True)
        return queue

    def _define_rule(self, lake: s3.IBucket, prefix: str) -> None:
        events.Rule(
            self,
            "Arrived",
            description="An object has arrived in the data set",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={"bucket": {"name": [bucket_name(lake)]}, "object": {"key": [{"prefix": prefix}]}},
            ),
            targets=[targets.SqsQueue(self.queue, dead_letter_queue=dead_letters_of(self))],
        )
