"""The same model everywhere: archives, images and keys of every region, from one home."""

from mlplatform_cdk.routing.replication.archives import ModelReplication
from mlplatform_cdk.routing.replication.images import ImageReplication, ReplicatedImages
from mlplatform_cdk.routing.replication.keys import RegionalKey
from mlplatform_cdk.routing.replication.plan import RegionalData
from mlplatform_cdk.routing.replication.store import RegionalArtifacts

__all__ = [
    "ImageReplication",
    "ModelReplication",
    "RegionalArtifacts",
    "RegionalData",
    "RegionalKey",
    "ReplicatedImages",
]
