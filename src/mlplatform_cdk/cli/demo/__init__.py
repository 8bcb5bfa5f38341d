"""``mlplatform demo``: the whole path on the embedded AWS, from an object in the lake to a served prediction."""

from typing import Annotated

import typer


def demo(
    environment: Annotated[str, typer.Option("--environment", "-e", help="The environment to rehearse.")] = "dev",
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON, and nothing else.")] = False,
) -> None:
    """Rehearse the whole path: data into the lake, a model trained, approved, released, asked."""
    from mlplatform_cdk.cli.demo.verb import run_demo

    run_demo(environment, as_json=as_json)
