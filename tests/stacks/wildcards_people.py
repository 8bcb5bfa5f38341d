"""The same review of a train's station, of gates, and of A/B tests."""

from tests.stacks.wildcards import MODELS, NO_RESOURCE, OBJECTS, REFERENCE, STREAMS, TARGETS, Wildcard
from tests.stacks.wildcards_releases import GROUND, OWNED, TRACES

_ARTIFACTS = "<Artifacts82DD59A1.Arn>"
_GET, _PUT = ("GetObject", "GetObjectVersion"), ("AbortMultipartUpload", "PutObject")
_SAGEMAKER, _LOGS = "amazonsagemaker", "amazoncloudwatchlogs"
_VERSIONS = "SageMaker numbers the versions of a group; the group is named"
_NAMED_AT_START = "an execution is named when it is started; the machine is named"
_TEMPLATED = "CloudFormation names the configurations and models of a template, which are only described"
_COMPOSITE = "CloudWatch tells of a composite alarm only those who may look at all alarms, and callers may give some"
_SCALING = "application-autoscaling"
_OF_MODELS = ("CreateModel", "DeleteModel", "DescribeModel")
_STREAM = ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")
_DELIVERY = (
    *(f"logs:{verb}LogDelivery" for verb in ("Create", "Delete", "Get", "Update")),
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
)


def _of(resource: str, page: str, reason: str, *actions: str) -> Wildcard:
    return Wildcard(resource=resource, reason=reason, reference=f"{REFERENCE}{page}.html", actions=actions)


def _on(place: str, page: str, reason: str, *names: str) -> Wildcard:
    service, _, name = place.partition(":")
    arn = f"arn:aws:{service}:{{region}}:{{account}}:{name}"
    return _of(arn, page, reason, *(f"{service}:{one}" for one in names))


def _objects(folder: str, *names: str) -> Wildcard:
    return _of(f"{_ARTIFACTS}/{folder}*", "amazons3", OBJECTS, *(f"s3:{name}" for name in names))


def _executions(machine: str) -> Wildcard:
    place = f"states:execution:<{machine}.Name>:*"
    return _on(place, "awsstepfunctions", _NAMED_AT_START, "DescribeExecution", "StopExecution")


def _released(endpoint: str) -> tuple[Wildcard, ...]:
    """What the releases of one endpoint are granted by patterns, as in the stacks of the platform."""
    scaling = "awsapplicationautoscaling"
    change = ("CreateEndpoint", "CreateEndpointConfig", "DeleteEndpointConfig", "DescribeEndpointConfig")
    return (
        *GROUND,
        _of(
            "*",
            scaling,
            NO_RESOURCE,
            *(f"{_SCALING}:Describe{name}" for name in ("ScalableTargets", "ScalingPolicies")),
        ),
        _of("*", "amazoncloudwatch", NO_RESOURCE, "cloudwatch:GetMetricData", "cloudwatch:PutMetricData"),
        _of("*", _SAGEMAKER, NO_RESOURCE, "sagemaker:ListEndpointConfigs", "sagemaker:ListModels"),
        _of(
            "*",
            "servicequotas",
            NO_RESOURCE,
            "servicequotas:ListAWSDefaultServiceQuotas",
            "servicequotas:ListServiceQuotas",
        ),
        _of("*", _LOGS, NO_RESOURCE, *_DELIVERY),
        _of("*", "awsx-ray", NO_RESOURCE, "xray:GetSamplingRules", "xray:GetSamplingTargets"),
        _objects(f"releases/{endpoint}/", *_PUT),
        _on(
            f"{_SCALING}:scalable-target/*",
            scaling,
            TARGETS,
            *("DeregisterScalableTarget", "ListTagsForResource", "PutScalingPolicy", "RegisterScalableTarget"),
            "TagResource",
        ),
        _on(
            f"cloudwatch:alarm:TargetTracking-endpoint/{endpoint}/variant/*",
            "amazoncloudwatch",
            "Application Auto Scaling names its alarms after the target and an id of its own",
            "DeleteAlarms",
            "DescribeAlarms",
            "PutMetricAlarm",
        ),
        _on(f"logs:log-group:/aws/sagemaker/Endpoints/{endpoint}:*", _LOGS, STREAMS, *_STREAM),
        _on(f"sagemaker:endpoint-config/{endpoint}--*", _SAGEMAKER, MODELS, *change, "UpdateEndpoint"),
        _on(f"sagemaker:model/{endpoint}--*", _SAGEMAKER, MODELS, "CreateEndpointConfig", *_OF_MODELS),
        _on(
            "sagemaker:model-package/churn/*",
            _SAGEMAKER,
            _VERSIONS,
            *(f"{verb}ModelPackage" for verb in ("Describe", "Update")),
            "ListModelPackages",
        ),
        _executions("ReleaseMachine78B4E86C"),
    )


STATION = (
    *_released("prod-churn"),
    _objects("runs/", *_GET),
    _objects("runs/promoted/", *_PUT),
    _on("sagemaker:model-package/churn/*", _SAGEMAKER, _VERSIONS, "AddTags", "CreateModelPackage"),
)

GATES = (OWNED, TRACES)

TESTS = (
    *_released("churn"),
    _of("*", "amazoncloudwatch", _COMPOSITE, "cloudwatch:DescribeAlarms"),
    _on(
        "cloudwatch:alarm:TargetTracking-endpoint/churn/variant/t*",
        "amazoncloudwatch",
        "Application Auto Scaling names the alarms of challengers after the target and an id of its own",
        "DeleteAlarms",
        "DescribeAlarms",
        "PutMetricAlarm",
    ),
    _objects("ab-tests/", *_PUT),
    _on("sagemaker:endpoint-config/*", _SAGEMAKER, _TEMPLATED, "DescribeEndpointConfig"),
    _on("sagemaker:model/*", _SAGEMAKER, _TEMPLATED, "DescribeModel"),
    _on("sagemaker:endpoint-config/churn--ab-*", _SAGEMAKER, MODELS, "CreateEndpointConfig", "DeleteEndpointConfig"),
    _on("sagemaker:model/churn--ab-*", _SAGEMAKER, MODELS, "CreateModel", "DeleteModel"),
    _executions("OwnMachine6A824C71"),
)
