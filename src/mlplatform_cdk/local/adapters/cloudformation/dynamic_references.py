"""``{{resolve:…}}``: values that a template takes from Parameter Store or Secrets Manager when it is deployed."""

from __future__ import annotations

import json
import re

from botocore.exceptions import ClientError

from mlplatform_cdk.local.adapters.cloudformation.clients import client
from mlplatform_cdk.local.adapters.cloudformation.resource import CannotProvision

_REFERENCE = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^}]+)\}\}")


def replaced(text: str, region: str) -> str:
    """``text`` with every dynamic reference looked up in ``region``."""
    return _REFERENCE.sub(lambda match: _value(match.group(1), match.group(2), region), text)


def _value(service: str, key: str, region: str) -> str:
    try:
        return _secret(key, region) if service == "secretsmanager" else _parameter(key, region)
    except ClientError as error:
        raise CannotProvision(f"{{{{resolve:{service}:{key}}}}}: {error.response['Error']['Message']}") from None


def _parameter(key: str, region: str) -> str:
    answer = client("ssm", region).get_parameter(Name=key, WithDecryption=True)
    return str(answer["Parameter"]["Value"])


def _secret(key: str, region: str) -> str:
    is_arn = key.startswith("arn:")
    parts = key.split(":")
    name, rest = (":".join(parts[:7]), parts[7:]) if is_arn else (parts[0], parts[1:])
    _kind, json_key, stage, version = [*rest, "", "", "", ""][:4]
    selected = {"VersionStage": stage} if stage else {"VersionId": version} if version else {}
    text = client("secretsmanager", region).get_secret_value(SecretId=name, **selected)["SecretString"]
    return str(json.loads(text)[json_key]) if json_key else str(text)
