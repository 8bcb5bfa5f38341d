"""What happens to functions of Lambda: calls that fail, and calls that begin late, by AWS FIS's own extension.

The extension is a layer that stands between Lambda and the function's code, for as long as the experiment's template
exists. It asks a bucket every minute whether there is something to break, and every twenty seconds while there is: so
a fault reaches all calls within a minute, and leaves them within twenty seconds of its end. It takes streaming from a
function that streams its answers.
Source: https://docs.aws.amazon.com/fis/latest/userguide/use-lambda-actions.html
"""

from abc import ABC
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from mlplatform_cdk.core import Access, ConfigurationError, allowed, give, reading, stack_of, writing
from mlplatform_cdk.resilience.chaos.fault import MINUTE, Action, Fault, Injection, Target, iso, require_percent

_MOST_FUNCTIONS = 5  # of one target, as of subnets
_WRAPPER = "/opt/aws-fis/bootstrap"
# https://docs.aws.amazon.com/fis/latest/userguide/actions-lambda-extension-arns.html
_LAYER = "/aws/service/fis/lambda-extension/AWS-FIS-extension-{architecture}/1.x.x"
_LONGEST_DELAY = timedelta(minutes=15)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionFault(Fault, ABC):
    """A fault of functions, through the extension, which it gives them.

    :param functions: at most five, of the same stack's region, none of which has a wrapper already.
    :param told_by: the bucket of the region through which AWS FIS tells the extension.
    :param percent: of the calls, 1 to 100; default: all.
    """

    functions: Sequence[lambda_.Function]
    told_by: s3.IBucket
    percent: int = 100

    def __post_init__(self) -> None:
        """Refuse what AWS FIS refuses."""
        Fault.__post_init__(self)
        require_percent("percent", self.percent)
        if not 0 < len(self.functions) <= _MOST_FUNCTIONS:
            raise ValueError(f"functions must be 1 to {_MOST_FUNCTIONS}, got {len(self.functions)}")

    def by_extension(self, scope: Construct, action_id: str, parameters: Mapping[str, str]) -> Injection:
        """Give the functions the extension, and name them."""
        for function in self.functions:
            _extend(scope, function, self.told_by)
        arns = [function.function_arn for function in self.functions]
        action = Action(
            action_id=action_id,
            description=self.sentence,
            parameters={"duration": iso(self.lasts), "invocationPercentage": str(self.percent), **parameters},
            targets={"Functions": "Functions"},
        )
        target = Target(resource_type="aws:lambda:function", resource_arns=arns, selection_mode="ALL")
        objects = self.told_by.arn_for_objects(f"{_PREFIX}*")
        looking = Access(
            [
                allowed(["s3:DeleteObject"], objects),
                allowed(["lambda:GetFunction"], *arns),
                allowed(["tag:GetResources"], "*"),
            ],
            patterns={objects: "AWS FIS names what it tells the extension", "*": "GetResources takes no resource"},
        )
        return Injection(action, [writing(self.told_by, prefix=_PREFIX), looking], {"Functions": target})


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaErrors(FunctionFault):
    """Calls of functions fail, ``aws:lambda:invocation-error``: those of a probe, of a release, beside an endpoint.

    Of a region's probe (``probe.function``), it makes the verdict stale, and the region leaves service by silence,
    though its endpoint is well: the run under way goes on for up to 100 s, and a verdict counts for three intervals.

    :param runs_code: the code runs, and then its answer is lost; default: the call fails before.
    """

    runs_code: bool = False

    @property
    def sentence(self) -> str:
        """What it does."""
        return f"{self.percent} % of the calls of {len(self.functions)} functions fail"

    @property
    def bites_within(self) -> timedelta:
        """The extension's minute, and a run of two minutes that has begun before."""
        return 3 * MINUTE

    @property
    def rings_late_by(self) -> timedelta:
        """Five minutes: CloudWatch takes data of before its periods where there is none in them.

        Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
        """
        return 5 * MINUTE

    def define(self, scope: Construct) -> Injection:
        """Give the functions the extension, and name them."""
        prevents = str(not self.runs_code).lower()
        return self.by_extension(scope, "aws:lambda:invocation-error", {"preventExecution": prevents})


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaLatency(FunctionFault):
    """Calls of functions begin late, ``aws:lambda:invocation-add-delay``, as if the way to them were long.

    It is the one latency that AWS FIS can add on a caller's way to a prediction without instances: where a function
    stands on that way, such as one that computes features, an A/B test's router or the check of tokens
    (``Authorization.jwt``, once for each token that API Gateway has not kept). Without one, ``/invocations`` is
    API Gateway and SageMaker alone, between which nobody else can put anything. See ``NetworkLatency`` for callers.

    :param delay: what each call waits for, up to 15 minutes; above the function's own time limit, it ends by that;
        default: a second.
    """

    delay: timedelta = _SECOND

    def __post_init__(self) -> None:
        """Refuse what AWS FIS refuses."""
        FunctionFault.__post_init__(self)
        if not timedelta(0) < self.delay <= _LONGEST_DELAY:
            raise ValueError(f"delay must lie above 0 to 15 minutes, got {self.delay}")

    @property
    def sentence(self) -> str:
        """What it does."""
        return f"{self.percent} % of the calls of {len(self.functions)} functions begin {_ms(self.delay)} ms late"

    def define(self, scope: Construct) -> Injection:
        """Give the functions the extension, and name them."""
        later = {"startupDelayMilliseconds": str(_ms(self.delay))}
        return self.by_extension(scope, "aws:lambda:invocation-add-delay", later)


_PREFIX = "fis/"
_EXTENDED = "FaultInjection"


def _extend(scope: Construct, function: lambda_.Function, told_by: s3.IBucket) -> None:
    """Give ``function`` the extension, once, whatever the number of its faults."""
    if function.node.try_find_child(_EXTENDED) is not None:
        return
    if stack_of(function).region != stack_of(scope).region:
        raise ConfigurationError(
            scope, f"functions must be in the experiment's region, got {function.node.path} in another"
        )
    architecture = function.architecture.name
    place = Construct(function, _EXTENDED)
    # A reference, which CloudFormation resolves in each region when it deploys: account and version differ.
    arn = ssm.StringParameter.value_for_string_parameter(place, _LAYER.format(architecture=architecture))
    function.add_layers(lambda_.LayerVersion.from_layer_version_arn(place, "Layer", arn))
    settings = {
        "AWS_FIS_CONFIGURATION_LOCATION": told_by.arn_for_objects(_PREFIX),
        "AWS_LAMBDA_EXEC_WRAPPER": _WRAPPER,
        "AWS_FIS_POLL_MAX_WAIT_MILLISECONDS": "2000",
    }
    for name, value in settings.items():
        function.add_environment(name, value)
    give(function, reading(told_by, prefix=_PREFIX))


def _ms(length: timedelta) -> int:
    return length // timedelta(milliseconds=1)
