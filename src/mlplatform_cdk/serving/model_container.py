"""What a model's container is given: its variables, and time to come up, within SageMaker's limits."""

import re
from collections.abc import Mapping

from aws_cdk import Duration

from mlplatform_cdk.core import is_known, told
from mlplatform_cdk.runtimekit.endpoint_specification import PACKAGE_VARIABLE

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html: names and values in bytes
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_LONGEST, _MOST_TOGETHER = 1024, 32 * 1024
_MOST = 99  # of 100: a release adds the version
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html
_SHORTEST_START_MS, _LONGEST_START_MS = 60_000, 3_600_000
_SECOND_MS = 1000


def check_environment(environment: Mapping[str, str]) -> None:
    """Refuse variables that no model could have; values that are tokens pass.

    :param environment: of a model's container.
    :raises ValueError: when CreateModel would refuse them.
    """
    for name, value in environment.items():
        _check_name(name)
        if not isinstance(value, str):
            raise ValueError(f"environment must have texts as values, got {name}={told(value)}; write it as a text")  # noqa: TRY004 - as beside
        if is_known(value) and _bytes(value) > _LONGEST:
            raise ValueError(
                f"a value in environment must be at most {_LONGEST} bytes long, got {_bytes(value)} of {name}"
            )
    if len(environment) > _MOST:
        raise ValueError(
            f"environment must have at most {_MOST} variables, since a release adds one, got {len(environment)}"
        )
    together = sum(_bytes(name) + (_bytes(value) if is_known(value) else 0) for name, value in environment.items())
    if together > _MOST_TOGETHER:
        raise ValueError(f"environment must be at most {_MOST_TOGETHER} bytes long in all, got {together}")


def start_seconds(name: str, timeout: Duration | None) -> int | None:
    """``timeout`` as SageMaker takes it; None stays None, and SageMaker chooses.

    :param name: of the argument, for the error.
    :param timeout: how long a part of the start may take.
    :raises ValueError: when SageMaker would refuse it.
    """
    if timeout is None:
        return None
    if timeout.is_unresolved():
        raise ValueError(f"{name} must be known while the app is built, got a token; give the value itself")
    lasting = timeout.to_milliseconds()
    if not _SHORTEST_START_MS <= lasting <= _LONGEST_START_MS or lasting % _SECOND_MS:
        raise ValueError(
            f"{name} must be from a minute to an hour, in whole seconds, got {lasting / _SECOND_MS:g} seconds"
        )
    return int(lasting // _SECOND_MS)


def _check_name(name: str) -> None:
    if not (is_known(name) and _NAME.fullmatch(name) and len(name) <= _LONGEST):
        raise ValueError(
            f"a name in environment must be 1 to {_LONGEST} letters, digits and underscores, and begin with no digit, "
            f"got {told(name)}"
        )
    if name == PACKAGE_VARIABLE:
        raise ValueError(f"{PACKAGE_VARIABLE} in environment is what a release says of its version; leave it out")


def _bytes(text: str) -> int:
    return len(text.encode())
