"""The same review of what takes a stack's remains away with it, and of what brings lost rows back."""

from tests.stacks.wildcards import NO_RESOURCE, OBJECTS, REFERENCE, RUNS, STREAMS, STUDIO, Wildcard

_SAGEMAKER, _S3, _STATES = "amazonsagemaker", "amazons3", "awsstepfunctions"
_BUCKETS = ("AccessLogs8B620ECA", "Artifacts82DD59A1", "Lake5F1B88EA")
_MACHINES = ("RetrainingMachine7ADC3CEC", "TrainMachine696F121D")
_RESTORED = "DynamoDB has no name for a restored table but the one given; the table that it comes from begins it"
_VERSIONS = "SageMaker numbers the versions of a group; the group is named"
_EXECUTIONS = "an execution is named when it is started; the machine is named"
_HOLDERS = "any machine's execution may hold an endpoint's lock, also one of a machine that is gone; only described"


def _of(resource: str, page: str, reason: str, *actions: str) -> Wildcard:
    return Wildcard(resource=resource, reason=reason, reference=f"{REFERENCE}{page}.html", actions=actions)


def _on(place: str, page: str, reason: str, *names: str) -> Wildcard:
    service, _, name = place.partition(":")
    actions = tuple(f"{service}:{one}" for one in names)
    return _of(f"arn:aws:{service}:{{region}}:{{account}}:{name}", page, reason, *actions)


WAYS_OUT = (
    *(
        _of(
            f"<{bucket}.Arn>/*",
            _S3,
            OBJECTS,
            *(f"s3:{one}" for one in ("AbortMultipartUpload", "DeleteObject", "DeleteObjectVersion")),
        )
        for bucket in _BUCKETS
    ),
    *(
        _on(f"states:execution:<{machine}.Name>:*", _STATES, _EXECUTIONS, "DescribeExecution", "StopExecution")
        for machine in _MACHINES
    ),
    _on("states:execution:*", _STATES, _HOLDERS, "DescribeExecution"),
    _of("*", _SAGEMAKER, NO_RESOURCE, "sagemaker:ListProcessingJobs", "sagemaker:ListTrainingJobs"),
    _on("sagemaker:processing-job/breast-cancer-*", _SAGEMAKER, RUNS, "StopProcessingJob"),
    _on("sagemaker:training-job/breast-cancer-*", _SAGEMAKER, RUNS, "StopTrainingJob"),
    _on("sagemaker:model-package/{environment}-breast-cancer/*", _SAGEMAKER, _VERSIONS, "DeleteModelPackage"),
    _on("sagemaker:user-profile/<Studio43727D10.DomainId>/*", _SAGEMAKER, STUDIO, "DeleteUserProfile"),
    _on(
        "logs:log-group:/aws/sagemaker/Endpoints/{environment}-breast-cancer:*",
        "amazoncloudwatchlogs",
        STREAMS,
        "DeleteLogGroup",
    ),
    _of(
        "<ReleaseRecordsTableB1CAF360.Arn>-restored-*",
        "amazondynamodb",
        _RESTORED,
        *(
            f"dynamodb:{one}"
            for one in (
                "BatchWriteItem",
                "DeleteItem",
                "DescribeTable",
                "GetItem",
                "PutItem",
                "Query",
                "RestoreTableToPointInTime",
                "Scan",
                "UpdateItem",
            )
        ),
    ),
)
