"""What a construct tree tells who synthesizes it.

Not CDK's own ``assertions.Annotations``: two of CDK's packages ship one module each at
``aws_cdk/cloud_assembly_schema``, and it fails where the one that was installed last is not aws-cdk-lib's.
"""

from typing import Literal

from constructs import IConstruct


def told(root: IConstruct, level: Literal["info", "warning", "error"]) -> list[str]:
    """The texts that ``root`` and all that is in it were annotated with at this level."""
    metadata = [entry for each in root.node.find_all() for entry in each.node.metadata]
    return [str(entry.data) for entry in metadata if entry.type == f"aws:cdk:{level}"]
