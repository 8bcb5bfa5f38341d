"""What could never be a release, refused while the app is being built."""

from typing import TYPE_CHECKING

from constructs import IConstruct

from mlplatform_cdk.core import ConfigurationError, is_known, told
from mlplatform_cdk.runtimekit.release_strategy import Strategy

if TYPE_CHECKING:
    from mlplatform_cdk.release.gates import Gates


def check_release(
    scope: IConstruct, *, endpoint_name: str, strategy: Strategy, wrong: str, gates: "Gates | None", told_twice: bool
) -> None:
    """Refuse arguments that do not fit each other.

    :param scope: the release, for the error.
    :param endpoint_name: what it releases to; the command line finds it by a parameter of that name.
    :param strategy: how green gets its traffic.
    :param wrong: why the strategy is none of this kind of release; empty: it is one.
    :param gates: who is asked.
    :param told_twice: are the alarms of the business handed in beside alarms that have their own.
    :raises ConfigurationError: naming the first that does not fit.
    """
    if not is_known(endpoint_name):
        raise ConfigurationError(
            scope,
            f"the endpoint_name of an endpoint that is released to must be known while the app is built, got "
            f"{told(endpoint_name)}",
        )
    if told_twice:
        raise ConfigurationError(scope, "business must be given to the ReleaseAlarms of alarms, got both")
    if wrong:
        raise ConfigurationError(scope, wrong)
    if gates is not None and not strategy.gates:
        raise ConfigurationError(
            scope, "gates must have a place in the strategy, got a strategy without; try Strategy(gates=(Gate(50),))"
        )
