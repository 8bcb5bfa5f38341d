"""The part of a database of features that lies in this stack's region: the writer at home, a reader elsewhere."""

import json
from collections.abc import Mapping

from aws_cdk import RemovalPolicy, SecretValue
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct

from mlplatform_cdk.core import (
    ConfigurationError,
    acknowledge,
    acknowledge_controls,
    arn_of,
    grant_actions,
)
from mlplatform_cdk.foundation import Network
from mlplatform_cdk.routing.feature_database import aurora, postgres
from mlplatform_cdk.routing.feature_database.parts import MASTER, Parts
from mlplatform_cdk.routing.feature_database.plan import Serverless, SqlFeatures
from mlplatform_cdk.routing.replication.here import region_here

HALF_TO_FOUR = Serverless()
# Not PostgreSQL's own, which everybody tries first.
_PORT = 5433


class FeatureDatabase(Construct):
    """One database in every region: one writer, at home, and this region's own endpoint to read from.

    The same line stands in each region's stack; the home's deploys first, and goes last. Nothing refers to another
    region: the names are computed from ``features``. Only the home's writer writes, so that no two regions can
    disagree; the others lag by what replication takes. docs/region-data.md has the rules, also of a lost region.

    Encrypted with the region's key, over TLS only, reached by tokens of IAM's and from the network's jobs alone, backed
    up for 35 days, protected from deletion. The master's password is a secret at home, for making users and tables.

    :param features: the database, and its regions.
    :param network: it stands in its subnets, and its jobs reach it.
    :param key: encrypts it here; of this region.
    :param size: of each instance: capacity of Aurora, or an instance class such as ``db.r8g.large``, which ``replicas``
        need; default: half a unit to four.
    :param instances: how many in this region; at home one of them writes; default: 2. ``replicas`` have one, and at
        home a standby in another zone.
    :param storage_gib: of ``replicas``, at first; default: 20.
    :param loses_at_most_s: at home, of a global database: commits wait when all other regions lag for longer, 20
        seconds or more; default: they never wait.
    :param forwards_writes: elsewhere, of a global database: statements that write are sent to the home, which is far
        away; default: they are refused.
    :param removal_policy: what happens to it when the stack goes; all but ``DESTROY`` protect it from deletion.
    """

    def __init__(  # noqa: PLR0913 - each argument but the first three has a default
        self,
        scope: Construct,
        id: str,
        *,
        features: SqlFeatures,
        network: Network,
        key: kms.IKey,
        size: Serverless | str = HALF_TO_FOUR,
        instances: int = 2,
        storage_gib: int = 20,
        loses_at_most_s: int | None = None,
        forwards_writes: bool = False,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        region = region_here(self, features.plan)
        self.features, self.is_home = features, region == features.plan.home
        self._check(size, instances, loses_at_most_s, forwards_writes=forwards_writes)
        self.group = self._define_group(network)
        self.secret = self._define_secret(key) if self.is_home else None
        parts = Parts(
            scope=self,
            features=features,
            region=region,
            is_home=self.is_home,
            key_arn=key.key_arn,
            group_id=self.group.security_group_id,
            subnet_ids=network.job_network.subnet_ids,
            password=self._password(),
            port=_PORT,
            removal_policy=removal_policy,
        )
        if features.kind == "global":
            made = aurora.define(
                parts, size, instances, loses_at_most_s=loses_at_most_s, forwards_writes=forwards_writes
            )
        else:
            made = postgres.define(parts, str(size), storage_gib)
        self._resource_id, self.reader_host = made
        self._accept_findings()

    @property
    def settings(self) -> Mapping[str, str]:
        """How a function of this stack reaches this region's reader; see ``FeatureFunction(database=...)``."""
        return {
            "DATABASE_HOST": self.reader_host,
            "DATABASE_PORT": str(_PORT),
            "DATABASE_NAME": self.features.database,
            "DATABASE_USER": self.features.reader,
        }

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` connect here as the reading user, whose rights inside are PostgreSQL's."""
        user = arn_of(self, "rds-db", f"dbuser:{self._resource_id}/{self.features.reader}")
        grant_actions(grantee, ["rds-db:connect"], user)

    def _check(
        self, size: Serverless | str, instances: int, loses_at_most_s: int | None, *, forwards_writes: bool
    ) -> None:
        least, is_global = 20, self.features.kind == "global"
        if isinstance(size, str) and not size.startswith("db."):
            raise ConfigurationError(
                self, f"size must be capacity or an instance class such as 'db.r8g.large', got {size!r}"
            )
        if not is_global and not isinstance(size, str):
            raise ConfigurationError(self, "size must be an instance class where there are replicas, got capacity")
        if instances < 1:
            raise ConfigurationError(self, f"instances must be 1 or more, got {instances}")
        if loses_at_most_s is not None and not (is_global and self.is_home and loses_at_most_s >= least):
            problem = (
                f"loses_at_most_s must be {least} or more, at the home of a global database, got {loses_at_most_s}"
            )
            raise ConfigurationError(self, problem)
        if forwards_writes and (self.is_home or not is_global):
            raise ConfigurationError(self, "forwards_writes must be of a global database's other regions, got it here")

    def _define_group(self, network: Network) -> ec2.SecurityGroup:
        name = self.features.global_name
        group = ec2.SecurityGroup(
            self, "Group", vpc=network.vpc, description=f"The database {name}", allow_all_outbound=False
        )
        group.add_ingress_rule(network.job_security_group, ec2.Port.tcp(_PORT), "PostgreSQL from the jobs")
        network.job_security_group.add_egress_rule(group, ec2.Port.tcp(_PORT), "PostgreSQL of features")
        return group

    def _define_secret(self, key: kms.IKey) -> secrets.Secret:
        secret = secrets.Secret(
            self,
            "Master",
            description=f"The master of {self.features.global_name}, for making users and tables",
            encryption_key=key,
            generate_secret_string=secrets.SecretStringGenerator(
                secret_string_template=json.dumps({"username": MASTER}),
                generate_string_key="password",
                exclude_punctuation=True,
            ),
        )
        # RDS does not manage passwords of clusters that belong to a global database, nor of replicas:
        # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-secrets-manager.html
        reason = (
            "people make users and tables with it, and programs read by tokens; RDS rotates none of a global database"
        )
        acknowledge(secret, {"AwsSolutions-SMG4": reason})
        acknowledge_controls(secret, {"SecretsManagerRotationEnabled": reason})
        return secret

    def _password(self) -> str | None:
        if self.secret is None:
            return None
        given: SecretValue = self.secret.secret_value_from_json("password")
        return given.unsafe_unwrap()  # a reference, which CloudFormation fills

    def _accept_findings(self) -> None:
        reason = "backed up by itself for 35 days; a backup plan for longer is the account's to make"
        acknowledge_controls(self, {"RDSInBackupPlan": reason})
