"""cdk-nag's four packs over templates, in a child process: jsii stays out of ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from mlplatform_cdk.assembly.synthesize import node_environment

TOOL = "cdk-nag"
_PREFIXES = ("AwsSolutions-", "HIPAA.Security-", "NIST.800.53.R5-", "PCI.DSS.321-")
URL = "https://github.com/cdklabs/cdk-nag/blob/main/RULES.md"
# AwsSolutions numbers the rules that the other packs name.
_SHARED = {
    "APIG3": "APIGWAssociatedWithWAF",
    "APIG6": "APIGWExecutionLoggingEnabled",
    "DDB3": "DynamoDBPITREnabled",
    "EB3": "ElasticBeanstalkManagedUpdatesEnabled",
    "EC28": "EC2InstanceDetailedMonitoringEnabled",
    "EFS1": "EFSEncrypted",
    "ELB2": "ELBLoggingEnabled",
    "ELB4": "ELBCrossZoneLoadBalancingEnabled",
    "ELB5": "ELBTlsHttpsListenersOnly",
    "KMS5": "KMSBackingKeyRotationEnabled",
    "OS1": "OpenSearchInVPCOnly",
    "OS2": "OpenSearchNodeToNodeEncryption",
    "OS8": "OpenSearchEncryptedAtRest",
    "RDS10": "RDSInstanceDeletionProtectionEnabled",
    "RDS13": "RDSInstanceBackupEnabled",
    "RDS2": "RDSStorageEncrypted",
    "RDS3": "RDSMultiAZSupport",
    "RS1": "RedshiftRequireTlsSSL",
    "RS10": "RedshiftBackupEnabled",
    "RS8": "RedshiftClusterPublicAccess",
    "S1": "S3BucketLoggingEnabled",
    "S10": "S3BucketSSLRequestsOnly",
    "S2": "S3BucketLevelPublicAccessProhibited",
    "SM2": "SageMakerNotebookInstanceKMSKeyConfigured",
    "SM3": "SageMakerNotebookNoDirectInternetAccess",
    "SMG4": "SecretsManagerRotationEnabled",
    "VPC7": "VPCFlowLogsEnabled",
}


class ToolFailed(RuntimeError):
    """A checker broke; the message is its last word."""


def look(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the packs say of each of these templates.

    :param requests: ``file``, ``account`` and ``region`` of each; account and region may be None.
    :raises ToolFailed: when the child process ends badly.
    """
    environment = {**os.environ, "CDK_VALIDATION": "false", **node_environment()}
    result = subprocess.run(  # noqa: S603 -- this interpreter, our module
        [sys.executable, "-m", f"{__package__}.nag_process"],
        input=json.dumps(requests),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise ToolFailed(f"cdk-nag could not run: {(result.stderr.strip().splitlines() or ['no word'])[-1]}")
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def request(path: Path, account: str | None, region: str | None) -> dict[str, Any]:
    """One template, as ``look`` takes it."""
    return {"file": str(path.resolve()), "account": account, "region": region}


def same_rule(rule: str) -> str:
    """One name for what several packs check by one rule: ``AwsSolutions-S1`` is ``S3BucketLoggingEnabled``."""
    prefix = next((one for one in _PREFIXES if rule.startswith(one)), "")
    name, bracket, detail = rule.removeprefix(prefix).partition("[")
    return (_SHARED.get(name, name) if prefix == "AwsSolutions-" else name) + bracket + detail
