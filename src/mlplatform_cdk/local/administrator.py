"""boto3 clients of an embedded AWS for those outside of its process: deployments, the command line, tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mlplatform_cdk.local.settings import Settings


@dataclass(slots=True)
class Administrator:
    """Someone who may do everything in the embedded AWS of ``settings``."""

    settings: Settings
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False)
    _session: boto3.session.Session = field(default_factory=boto3.session.Session, repr=False)

    def client(self, service: str, region: str | None = None) -> Any:
        """A client of ``service``.

        :param region: where; default: the region of the settings.
        """
        key = (service, region or self.settings.region)
        if key not in self._clients:
            self._clients[key] = self._session.client(
                service,
                region_name=key[1],
                endpoint_url=self.settings.endpoint_url,
                aws_access_key_id=self.settings.account,
                aws_secret_access_key="embedded",  # noqa: S106 -- the administrator's key is made up
                config=Config(s3={"addressing_style": "path"}),
            )
        return self._clients[key]
