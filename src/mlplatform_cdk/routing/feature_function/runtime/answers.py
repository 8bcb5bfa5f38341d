"""Answers by the caller's key: a request that is sent again gets the answer that the first one got.

A row is claimed by a conditional put before the model is asked. Conditions hold within a region, or everywhere with a
strongly consistent table.
"""

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from mlplatform_cdk.routing.feature_function.runtime import tables
from mlplatform_cdk.routing.feature_function.runtime.reply import Refused, Reply
from mlplatform_cdk.runtimekit import logs

_LOG = logs.logger("answers")
# What fits into an item of 400 KB beside the row's own attributes:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
_LARGEST = 380_000
_LONGEST_KEY = 128
_OURS = "answers"
_RUNNING, _ANSWERED = "running", "answered"
_CONFLICTS = ("ReplicatedWriteConflictException", "TransactionConflictException")
REPLAYED = "X-Idempotency-Replayed"


def place_of(caller: str, key: str) -> str:
    """The row of a key of one caller.

    :raises Refused: where no key was given that could be one, or nowhere is an answer kept.
    """
    if "ANSWER_TABLE" not in os.environ:
        raise Refused(400, "X-Idempotency-Key is not honoured here: no answers are kept; send none")
    if not 1 <= len(key) <= _LONGEST_KEY or not all("!" <= letter <= "~" for letter in key):
        raise Refused(400, f"X-Idempotency-Key must be 1 to {_LONGEST_KEY} visible ASCII characters")
    return f"{hashlib.sha256(caller.encode()).hexdigest()[:32]}/{key}"


def claim(place: str, body: bytes, *, owner: str, until: float) -> Reply | None:
    """The kept answer; or None, and the place is ours until it is answered or the time is over.

    :param body: of the request; the same key with another one is a mistake.
    :param owner: this invocation.
    :param until: the second after which another may take the place.
    :raises Refused: while another request with the key runs, and for another body.
    """
    now, digest = time.time(), hashlib.sha256(body).hexdigest()
    row = {
        os.environ["ANSWER_KEY"]: {"S": place},
        "state": {"S": _RUNNING},
        "owner": {"S": owner},
        "digest": {"S": digest},
        "until": {"N": f"{until:.3f}"},
        os.environ["ANSWER_EXPIRY"]: {"N": str(int(now) + int(os.environ["ANSWER_KEPT_S"]))},
    }
    earlier = _put(row, now)
    if earlier is None or earlier["owner"]["S"] == owner:  # ours: boto3 wrote it, lost the answer, and tried again
        return None
    if earlier["digest"]["S"] != digest:
        raise Refused(422, "X-Idempotency-Key was sent with another body before; take a new key")
    if earlier["state"]["S"] == _RUNNING:
        raise Refused(409, "a request with this X-Idempotency-Key still runs", Retry_After="1")
    return Reply(
        int(earlier["status"]["N"]),
        bytes(earlier["body"]["B"]),
        earlier["content_type"]["S"],
        {name: value["S"] for name, value in earlier["headers"]["M"].items()} | {REPLAYED: "true"},
    )


def keep(place: str, answer: Reply, *, owner: str) -> Reply:
    """Keep ``answer`` for whoever asks again, and give it."""
    if len(answer.body) > _LARGEST:
        _LOG.warning("an answer is too large to be kept", extra={"bytes": len(answer.body)})
        give_up(place, owner=owner)
        return answer
    kept = _if_ours(
        tables.dynamodb().update_item,
        place,
        owner,
        UpdateExpression="SET #state = :state, #status = :status, #body = :body, #type = :type, #headers = :headers",
        names={
            "#state": "state",
            "#status": "status",
            "#body": "body",
            "#type": "content_type",
            "#headers": "headers",
        },
        values={
            ":state": {"S": _ANSWERED},
            ":status": {"N": str(answer.status)},
            ":body": {"B": answer.body},
            ":type": {"S": answer.content_type},
            ":headers": {"M": {name: {"S": value} for name, value in answer.headers.items()}},
        },
    )
    if not kept:
        # Another request has taken the place since, and its answer is the one that counts.
        raise Refused(409, "this request took too long, and another with its X-Idempotency-Key runs", Retry_After="1")
    return answer


def give_up(place: str, *, owner: str) -> None:
    """Nothing was answered: whoever asks again is the first; from a slow table, when this one's time is over."""
    with suppress(Refused):  # why nothing was answered is what the caller must hear
        _if_ours(tables.dynamodb().delete_item, place, owner)


def _put(row: dict[str, Any], now: float) -> dict[str, Any] | None:
    """The row that is there, or None where ours is now."""
    from botocore.exceptions import ClientError  # an asset must boot without boto3

    free = "attribute_not_exists(#key) OR #expiry < :now OR (#state = :running AND #until < :now)"
    key, expiry = os.environ["ANSWER_KEY"], os.environ["ANSWER_EXPIRY"]
    try:
        with tables.heard(_OURS):
            tables.dynamodb().put_item(
                TableName=os.environ["ANSWER_TABLE"],
                Item=row,
                ConditionExpression=free,
                ExpressionAttributeNames={"#key": key, "#expiry": expiry, "#state": "state", "#until": "until"},
                ExpressionAttributeValues={":now": {"N": f"{now:.3f}"}, ":running": {"S": _RUNNING}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
    except ClientError as error:
        if error.response["Error"]["Code"] in _CONFLICTS:
            raise Refused(
                409, "a request with this X-Idempotency-Key runs in another region", Retry_After="1"
            ) from error
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        earlier: dict[str, Any] = error.response["Item"]  # as asked for above
        return earlier
    return None


def _if_ours(
    call: Callable[..., Any],
    place: str,
    owner: str,
    *,
    names: dict[str, str] | None = None,
    values: dict[str, Any] | None = None,
    **more: Any,
) -> bool:
    """Change the row while this invocation has it; whether it had."""
    from botocore.exceptions import ClientError  # an asset must boot without boto3

    try:
        with tables.heard(_OURS):
            call(
                TableName=os.environ["ANSWER_TABLE"],
                Key={os.environ["ANSWER_KEY"]: {"S": place}},
                ConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": "owner", **(names or {})},
                ExpressionAttributeValues={":owner": {"S": owner}, **(values or {})},
                **more,
            )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True
