"""``mlplatform teardown``: what ``cdk destroy`` would do, and what it has left."""

import typer

from mlplatform_cdk.cli.teardown.plan import plan

app = typer.Typer(
    no_args_is_help=True, help="What cdk destroy takes away, in which order, and what it leaves, by name."
)
app.command("plan")(plan)
