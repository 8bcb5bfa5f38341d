"""A function between the API and the endpoint, for models whose inputs the caller does not have: all in one region."""

from dataclasses import dataclass
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core import ConfigurationError, PlatformFunction, acknowledge, give
from mlplatform_cdk.foundation import Network
from mlplatform_cdk.routing.feature_function.sources import FeatureSource
from mlplatform_cdk.routing.state_tables import RegionalTable
from mlplatform_cdk.serving import Endpoint

RUNTIME = "mlplatform_cdk.routing.feature_function.runtime"
HOOK_FILE = "features.py"
READING = ("dynamodb:BatchGetItem",)
ANSWERING = ("dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
# API Gateway waits for 29 s, so that whoever asks hears of it from us.
_LONGEST = Duration.seconds(28)
_KEPT = Duration.hours(24)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedTable:
    """A table's copy in this region, and how its rows are found.

    :param table: the copy.
    :param partition_key: the attribute, as the ``StateTable`` has it.
    :param sort_key: the attribute; default: a row is found by its partition key alone.
    :param expiry: the attribute with the second after which a row goes; default: ``expires_at``.
    """

    table: RegionalTable
    partition_key: str
    sort_key: str | None = None
    expiry: str = "expires_at"


class FeatureFunction(Construct):
    """Reads rows by key, computes the model's inputs by code of yours, and asks the endpoint of its own region.

    ``RegionalApi(features=...)`` and ``InternalApi(features=...)`` answer ``POST /predictions`` by it, beside
    ``/invocations``. Nothing that it asks lies in another region: the tables are this region's copies, the database is
    this region's reader, and its clients know no region but their own.

    A request with ``X-Idempotency-Key`` is answered once: its repetition gets the same answer from ``answered``, 409
    while the first still runs, and 422 where the key came with another body. Keys are those of one caller.

    ``folder`` holds ``features.py``, and whatever it imports beside the standard library and boto3::

        def keys(request):            # the rows to read, by their keys; (partition, sort) where there are two
            return [request["customer"]]

        def inputs(request, rows):    # the model's inputs; a third argument is the context, with the database
            row = rows[request["customer"]] or {}
            return {"features": [[row.get("tenure", 0), request["amount"]]]}

    A ``ValueError`` of theirs is the caller's mistake, 400.

    :param endpoint: what answers.
    :param folder: with ``features.py``.
    :param key: encrypts the function's settings and logs.
    :param rows: the table of features; default: none is read.
    :param answered: requests that were answered already; without it a request with a key is refused (400).
    :param database: where SQL is read; default: nowhere.
    :param network: where the function stands, as one of its jobs; a database needs it; default: outside any VPC.
    :param kept: for how long an answer is kept for its key; default: a day.
    :param memory_mib: memory in MiB; default: 512.
    :param most_at_once: see ``PlatformFunction``; default: what is free.
    """

    def __init__(  # noqa: PLR0913 - each argument but the first three has a default
        self,
        scope: Construct,
        id: str,
        *,
        endpoint: Endpoint,
        folder: str | Path,
        key: kms.IKey,
        rows: KeyedTable | None = None,
        answered: KeyedTable | None = None,
        database: FeatureSource | None = None,
        network: Network | None = None,
        kept: Duration = _KEPT,
        memory_mib: int = 512,
        most_at_once: int | None = None,
    ) -> None:
        super().__init__(scope, id)
        hook = Path(folder)
        self._check(hook, answered, database, network)
        self.function = PlatformFunction(
            self,
            "Function",
            package=RUNTIME,
            description=f"Computes the inputs of {endpoint.endpoint_name} and asks it",
            timeout=_LONGEST,
            memory_mib=memory_mib,
            most_at_once=most_at_once,
            environment={"ENDPOINT_NAME": endpoint.endpoint_name}
            | _row_settings(rows)
            | _answer_settings(answered, kept)
            | (dict(database.settings) if database else {}),
            key=key,
            vpc=None if network is None else network.vpc,
            security_groups=None if network is None else [network.job_security_group],
            hook=hook,
        )
        give(self.function, endpoint.invoking())
        if rows is not None:
            rows.table.grant(self.function, *READING)
        if answered is not None:
            answered.table.grant(self.function, *ANSWERING)
        if database is not None:
            database.grant_read(self.function)
            acknowledge(self.function.platform_role, _CONNECTS)
        self._accept_findings(rows, answered)

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` call the function without an API."""
        return self.function.grant_invoke(grantee)

    def _check(
        self, hook: Path, answered: KeyedTable | None, database: FeatureSource | None, network: Network | None
    ) -> None:
        if not (hook / HOOK_FILE).is_file():
            raise ConfigurationError(self, f"folder must hold {HOOK_FILE}, got {str(hook)!r} without it")
        if answered is not None and answered.sort_key is not None:
            raise ConfigurationError(self, f"answered must have no sort key, got {answered.sort_key!r}")
        if database is not None and network is None:
            raise ConfigurationError(self, "a database is reached in its VPC only, got no network; name it")

    def _accept_findings(self, rows: KeyedTable | None, answered: KeyedTable | None) -> None:
        """What the code can do, and this function was not asked to."""
        lacking = {} if rows else {"dynamodb:BatchGetItem": "no table of features was named, and none is read"}
        if answered is None:
            lacking |= dict.fromkeys(ANSWERING, "requests with a key are refused, and no answer is kept")
        acknowledge(
            self.function.platform_role, {f"permission-missing[{action}]": why for action, why in lacking.items()}
        )


_CONNECTS = {
    "permission-unused[rds-db:connect]": "the driver in the user's folder connects, by a token of the function's"
}


def _row_settings(rows: KeyedTable | None) -> dict[str, str]:
    if rows is None:
        return {}
    keys = [rows.partition_key, *([rows.sort_key] if rows.sort_key else [])]
    return {"FEATURE_TABLE": rows.table.table_name, "FEATURE_KEYS": " ".join(keys)}


def _answer_settings(answered: KeyedTable | None, kept: Duration) -> dict[str, str]:
    if answered is None:
        return {}
    return {
        "ANSWER_TABLE": answered.table.table_name,
        "ANSWER_KEY": answered.partition_key,
        "ANSWER_EXPIRY": answered.expiry,
        "ANSWER_KEPT_S": str(int(kept.to_seconds())),
    }
