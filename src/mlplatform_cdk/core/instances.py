"""What is known of instance types: advice for defaults and checks, never a gate: AWS adds types faster than we do.

Figures are those of AWS's EC2 instance type pages (https://docs.aws.amazon.com/ec2/latest/instancetypes/), looked up in
November 2026; an ``ml.`` type has the hardware of the EC2 type of the same name.
"""

import re
from dataclasses import dataclass

from aws_cdk import Annotations
from constructs import IConstruct

from mlplatform_cdk.core.errors import ConfigurationError, is_known

_ML_TYPE = re.compile(r"^ml\.[a-z0-9-]+\.[a-z0-9-]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceType:
    """One instance type's hardware.

    :param name: with its prefix, such as ``ml.g4dn.xlarge``.
    :param vcpus: virtual processors.
    :param memory_gib: main memory in GiB.
    :param gpus: accelerators (NVIDIA GPUs).
    :param gpu_memory_gib: memory of all its GPUs together, in GiB.
    :param has_local_storage: NVMe disks inside the host: SageMaker refuses a KMS key for its volume.
    :param has_efa: an Elastic Fabric Adapter, for training on several hosts.
    """

    name: str
    vcpus: int
    memory_gib: float
    gpus: int = 0
    gpu_memory_gib: int = 0
    has_local_storage: bool = False
    has_efa: bool = False

    @property
    def family(self) -> str:
        """``g4dn`` of ``ml.g4dn.xlarge``."""
        return self.name.split(".")[1]


def _family(family: str, gib_per_vcpu: float, sizes: str, **facts: bool) -> list[InstanceType]:
    """A family without accelerators, whose memory is proportional to its processors."""
    return [
        InstanceType(name=f"ml.{family}.{size}", vcpus=_VCPUS[size], memory_gib=_VCPUS[size] * gib_per_vcpu, **facts)
        for size in sizes.split()
    ]


def _gpu_family(
    family: str, rows: dict[str, tuple[int, int, int, int]], *, efa_from_vcpus: int, has_local_storage: bool = True
) -> list[InstanceType]:
    """A family with GPUs: size -> (vCPUs, memory GiB, GPUs, memory GiB of one GPU)."""
    return [
        InstanceType(
            name=f"ml.{family}.{size}",
            vcpus=vcpus,
            memory_gib=memory,
            gpus=gpus,
            gpu_memory_gib=gpus * gpu_memory,
            has_local_storage=has_local_storage,
            has_efa=vcpus >= efa_from_vcpus,
        )
        for size, (vcpus, memory, gpus, gpu_memory) in rows.items()
    ]


_VCPUS = {
    "large": 2,
    "xlarge": 4,
    "2xlarge": 8,
    "4xlarge": 16,
    "8xlarge": 32,
    "9xlarge": 36,
    "12xlarge": 48,
    "16xlarge": 64,
    "18xlarge": 72,
    "24xlarge": 96,
    "32xlarge": 128,
    "48xlarge": 192,
}
_SMALL = "large xlarge 2xlarge 4xlarge"
_ONE_TO_16X = f"{_SMALL} 8xlarge 12xlarge 16xlarge"
_NO_EFA = 1_000_000

_CATALOGUE = {
    known.name: known
    for known in [
        InstanceType(name="ml.t3.medium", vcpus=2, memory_gib=4),
        *_family("t3", 4, "large xlarge 2xlarge"),
        *_family("m5", 4, f"{_SMALL} 12xlarge 24xlarge"),
        *_family("m5d", 4, f"{_ONE_TO_16X} 24xlarge", has_local_storage=True),
        *_family("m6i", 4, f"{_ONE_TO_16X} 24xlarge 32xlarge"),
        *_family("m7i", 4, f"{_ONE_TO_16X} 24xlarge 48xlarge"),
        *_family("m6g", 4, _ONE_TO_16X),
        *_family("c5", 2, "large xlarge 2xlarge 4xlarge 9xlarge 18xlarge"),
        *_family("c5d", 2, "large xlarge 2xlarge 4xlarge 9xlarge 18xlarge", has_local_storage=True),
        *_family("c6i", 2, f"{_ONE_TO_16X} 24xlarge 32xlarge"),
        *_family("c7i", 2, f"{_ONE_TO_16X} 24xlarge 48xlarge"),
        *_family("c6g", 2, _ONE_TO_16X),
        *_family("c7g", 2, _ONE_TO_16X),
        *_family("r5", 8, f"{_ONE_TO_16X} 24xlarge"),
        *_family("r5d", 8, f"{_ONE_TO_16X} 24xlarge", has_local_storage=True),
        *_family("r6i", 8, f"{_ONE_TO_16X} 24xlarge 32xlarge"),
        *_gpu_family(
            "g4dn",
            {
                "xlarge": (4, 16, 1, 16),
                "2xlarge": (8, 32, 1, 16),
                "4xlarge": (16, 64, 1, 16),
                "8xlarge": (32, 128, 1, 16),
                "12xlarge": (48, 192, 4, 16),
                "16xlarge": (64, 256, 1, 16),
            },
            efa_from_vcpus=32,
        ),
        *(
            known
            for family in ("g5", "g6")
            for known in _gpu_family(
                family,
                {
                    "xlarge": (4, 16, 1, 24),
                    "2xlarge": (8, 32, 1, 24),
                    "4xlarge": (16, 64, 1, 24),
                    "8xlarge": (32, 128, 1, 24),
                    "12xlarge": (48, 192, 4, 24),
                    "16xlarge": (64, 256, 1, 24),
                    "24xlarge": (96, 384, 4, 24),
                    "48xlarge": (192, 768, 8, 24),
                },
                efa_from_vcpus=32,
            )
        ),
        *_gpu_family(
            "g6e",
            {
                "xlarge": (4, 32, 1, 48),
                "2xlarge": (8, 64, 1, 48),
                "4xlarge": (16, 128, 1, 48),
                "8xlarge": (32, 256, 1, 48),
                "12xlarge": (48, 384, 4, 48),
                "16xlarge": (64, 512, 1, 48),
                "24xlarge": (96, 768, 4, 48),
                "48xlarge": (192, 1536, 8, 48),
            },
            efa_from_vcpus=32,
        ),
        *_gpu_family(
            "p3",
            {"2xlarge": (8, 61, 1, 16), "8xlarge": (32, 244, 4, 16), "16xlarge": (64, 488, 8, 16)},
            efa_from_vcpus=_NO_EFA,
            has_local_storage=False,
        ),
        *_gpu_family("p3dn", {"24xlarge": (96, 768, 8, 32)}, efa_from_vcpus=96),
        *_gpu_family("p4d", {"24xlarge": (96, 1152, 8, 40)}, efa_from_vcpus=96),
        *_gpu_family("p4de", {"24xlarge": (96, 1152, 8, 80)}, efa_from_vcpus=96),
        *_gpu_family("p5", {"4xlarge": (16, 256, 1, 80), "48xlarge": (192, 2048, 8, 80)}, efa_from_vcpus=16),
        *_gpu_family("p5e", {"48xlarge": (192, 2048, 8, 141)}, efa_from_vcpus=192),
        *_gpu_family("p5en", {"48xlarge": (192, 2048, 8, 141)}, efa_from_vcpus=192),
    ]
}

# Families outside the catalogue whose hosts hold NVMe disks; a "d" after the generation says so by itself (c6gd).
_LOCAL_STORAGE = re.compile(
    r"^(?:[a-z]+\d+[a-ce-z]*d[a-z]*|dl1|g5|g6e?|g7e?|gr6|p5\w*|p6[\w-]*|trn1n?|trn2\w*|i\d\w*)$"
)
# Graviton is a "g" after the generation: https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html
_GRAVITON = re.compile(r"^[a-z]+\d+g[a-z]*$")
# GPUs below compute capability 7.5 (K80, V100), for which CUDA 13 has no code:
# https://docs.nvidia.com/cuda/archive/13.0.0/cuda-toolkit-release-notes/index.html
_BEFORE_CUDA_13 = re.compile(r"^p[23](?:dn)?$")


def instance_type_of(name: str) -> InstanceType | None:
    """What the catalogue knows of ``name``, or None: an unknown type is the caller's business and never refused."""
    return _CATALOGUE.get(name)


def has_local_storage(name: str) -> bool:
    """Whether this type encrypts its volumes in hardware, so that SageMaker refuses a KMS key for them.

    By the catalogue; for a type it does not know, by AWS's naming of families.
    """
    known = _CATALOGUE.get(name)
    if known is not None:
        return known.has_local_storage
    return _is_of(_LOCAL_STORAGE, name)


def has_graviton(name: str) -> bool:
    """Whether this type computes on AWS's Graviton, which is arm64, by AWS's naming of families."""
    return _is_of(_GRAVITON, name)


def is_before_cuda_13(name: str) -> bool:
    """Whether this type's NVIDIA GPUs are older than what CUDA 13 computes on."""
    return _is_of(_BEFORE_CUDA_13, name)


def _is_of(families: re.Pattern[str], name: str) -> bool:
    return bool(_ML_TYPE.match(name) and families.match(name.split(".")[1]))


def require_ml_instance(scope: IConstruct, argument: str, name: str) -> None:
    """Refuse what is no SageMaker instance type; tokens and types that the catalogue does not know pass.

    :raises ConfigurationError: when ``name`` does not have the form ``ml.<family>.<size>``.
    """
    if not is_known(name) or _ML_TYPE.match(str(name)):
        return
    hint = f"; try 'ml.{name}'" if _ML_TYPE.match(f"ml.{name}") else ", such as 'ml.m5.xlarge'"
    raise ConfigurationError(scope, f"{argument} must have the form 'ml.<family>.<size>', got {name!r}{hint}")


def advice_on(name: str, *, hosts: int = 1) -> dict[str, str]:
    """What one should know before using an instance type: by a short id, one sentence each.

    :param name: the type.
    :param hosts: how many of them work together; default: one.
    """
    known = instance_type_of(name)
    found: dict[str, str] = {}
    if has_local_storage(name):
        found["volume-key"] = (
            f"{name} encrypts its local disks in hardware, where SageMaker refuses a KMS key: the key is left out there"
        )
    if known is None:
        found["unknown-instance-type"] = (
            f"the catalogue does not know {name}: nothing is checked but its form; see that it is spelt as AWS does"
        )
    elif hosts > 1 and known.gpus and not known.has_efa:
        found["no-efa"] = (
            f"{hosts} hosts of {name} train together without an Elastic Fabric Adapter: the network will bound them; "
            "larger sizes of the family have one"
        )
    return found


def advise(scope: IConstruct, argument: str, name: str, *, hosts: int = 1) -> None:
    """Note on ``scope`` what the catalogue advises; it never refuses a type, and says nothing of a token."""
    if is_known(name):
        for topic, sentence in advice_on(name, hosts=hosts).items():
            Annotations.of(scope).add_info_v2(f"mlplatform:{topic}", f"{argument}: {sentence}")
