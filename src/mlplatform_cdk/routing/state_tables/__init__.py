"""State that every region reads and writes beside its endpoint: features and requests that were answered already."""

from mlplatform_cdk.routing.state_tables.consistency import Consistency
from mlplatform_cdk.routing.state_tables.table import RegionalTable, StateTable

__all__ = ["Consistency", "RegionalTable", "StateTable"]
