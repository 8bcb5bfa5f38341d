"""``mlplatform ab-test``: see an A/B test, and stop it."""

import typer

from mlplatform_cdk.cli.ab_test.status import status
from mlplatform_cdk.cli.ab_test.stop import stop

app = typer.Typer(no_args_is_help=True, help="A/B tests of model versions: see how one stands, and stop it.")
for verb in (status, stop):
    app.command(verb.__name__)(verb)
