"""Gathers the verbs, and turns every expected failure into its one sentence and exit code 1."""

import typer

from mlplatform_cdk.cli import console, demo, local, synth

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command("synth")(synth.synth)
app.command("demo")(demo.demo)
app.add_typer(local.app, name="local")


@app.callback()
def mlplatform() -> None:
    """Production machine learning on AWS, rehearsed on this machine."""


def run() -> None:
    """Entry point of the ``mlplatform`` command."""
    with console.failures():
        app()
