"""Gathers the verbs, and turns every expected failure into its one sentence and exit code 2; 1 is a closed gate."""

import typer

from mlplatform_cdk.cli.ab_test import app as ab_test
from mlplatform_cdk.cli.check import check
from mlplatform_cdk.cli.console import failures
from mlplatform_cdk.cli.cost import cost
from mlplatform_cdk.cli.demo import demo
from mlplatform_cdk.cli.diff import diff
from mlplatform_cdk.cli.init import init
from mlplatform_cdk.cli.local import app as local
from mlplatform_cdk.cli.quantize import quantize
from mlplatform_cdk.cli.region import app as region
from mlplatform_cdk.cli.release import app as release
from mlplatform_cdk.cli.synth import synth
from mlplatform_cdk.cli.teardown import app as teardown
from mlplatform_cdk.cli.tune import tune

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command("init")(init)
app.command("synth")(synth)
app.command("check")(check)
app.command("diff")(diff)
app.command("cost")(cost)
app.command("demo")(demo)
app.command("quantize")(quantize)
app.command("tune")(tune)
app.add_typer(local, name="local")
app.add_typer(release, name="release")
app.add_typer(ab_test, name="ab-test")
app.add_typer(region, name="region")
app.add_typer(teardown, name="teardown")


@app.callback()
def mlplatform() -> None:
    """Production machine learning on AWS, rehearsed on this machine."""


def run() -> None:
    """Entry point of the ``mlplatform`` command."""
    with failures():
        app()
