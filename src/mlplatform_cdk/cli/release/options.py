"""What all verbs of a release take, and how they fail."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer
from rich.markup import escape

from mlplatform_cdk.cli.console import CLOSED, ERR, CommandFailed
from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.runtimekit.release_gates import GateClosed

Endpoint = Annotated[
    str | None, typer.Argument(help="The endpoint; may be left out where the account has releases of one only.")
]
Region = Annotated[str | None, typer.Option(help="The region; default: the environment's or the profile's.")]
Profile = Annotated[str | None, typer.Option(help="The profile of the AWS configuration.")]
EndpointUrl = Annotated[
    str | None,
    typer.Option("--endpoint-url", help="Another AWS, such as the embedded one; default: the environment's."),
]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; it goes to the record.")]
Follow = Annotated[
    bool, typer.Option("--follow", "-f", help="Show it until it ends; exit code 1 if it did not succeed.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")]


@contextmanager
def cloud(region: str | None, profile: str | None, endpoint_url: str | None) -> Iterator[None]:
    """Talk to that AWS in the block; what it refuses is a failure in one sentence, a closed gate is exit code 1."""
    from botocore.exceptions import BotoCoreError, ClientError

    for name, value in {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_PROFILE": profile,
        "AWS_ENDPOINT_URL": endpoint_url,
    }.items():
        if value:
            os.environ[name] = value
    aws.client.cache_clear()
    try:
        yield
    except GateClosed as closed:
        refuse(str(closed))
    except KnownError as known:
        raise CommandFailed(str(known)) from known
    except ClientError as error:
        said = error.response["Error"]
        raise CommandFailed(f"{error.operation_name}: {said.get('Message') or said.get('Code')}") from error
    except BotoCoreError as error:
        raise CommandFailed(str(error)) from error


def refuse(sentence: str) -> NoReturn:
    """End the verb because a gate is closed: it ran, and what was asked for must not be."""
    ERR.print(f"[bold yellow]refused:[/] {escape(sentence)}", soft_wrap=True)
    raise typer.Exit(CLOSED)


def caller() -> str:
    """Who asks, as AWS knows them: ``assumed-role/Admin/alice``."""
    arn: str = aws.client("sts").get_caller_identity()["Arn"]
    return arn.split(":", 5)[-1]
