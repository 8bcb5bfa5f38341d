"""What every construct of a plan asks first: which of the plan's regions its stack is for."""

from constructs import Construct

from mlplatform_cdk.core import ConfigurationError, account_of, is_known, region_of
from mlplatform_cdk.routing.replication.plan import RegionalData


def region_here(scope: Construct, plan: RegionalData) -> str:
    """The region of the stack of ``scope``, which is one of the plan's.

    :raises ConfigurationError: where it is not, or has another account than the plan says.
    """
    region, account = region_of(scope), account_of(scope)
    if not is_known(region) or region not in plan.accounts:
        named = region if is_known(region) else "none"
        problem = f"its stack must have one of the plan's regions ({', '.join(plan.accounts)}), got {named}"
        raise ConfigurationError(scope, problem)
    if is_known(account) and account != plan.accounts[region]:
        problem = f"its stack must have the account {plan.accounts[region]} that the plan has for {region}"
        raise ConfigurationError(scope, f"{problem}, got {account}")
    return region


def require_home(scope: Construct, plan: RegionalData) -> None:
    """Refuse a stack that is not the home's.

    :raises ConfigurationError: where it has another region, or another account than the plan says.
    """
    region = region_here(scope, plan)
    if region != plan.home:
        raise ConfigurationError(scope, f"its stack must have the plan's home {plan.home}, got {region}")
