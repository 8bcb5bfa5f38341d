"""Where jobs, models and endpoints stand, as ids: a stack that runs them needs no VPC object of another stack."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class JobNetwork:
    """The subnets and security groups of SageMaker's network interfaces.

    :param subnet_ids: one per zone.
    :param security_group_ids: what the interfaces may reach.
    :param subnet_account: who owns the subnets, where another account shares them; default: the stack's own account.
    """

    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]
    subnet_account: str | None = None

    def __post_init__(self) -> None:
        """Refuse a network that SageMaker would refuse."""
        if not self.subnet_ids or not self.security_group_ids:
            raise ValueError(
                "a job network needs at least one subnet and one security group, got "
                f"{len(self.subnet_ids)} and {len(self.security_group_ids)}"
            )
