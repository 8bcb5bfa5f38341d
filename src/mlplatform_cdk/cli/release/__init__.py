"""``mlplatform release``: start releases, follow them, and answer when they wait for a person."""

import typer

from mlplatform_cdk.cli.release.answers import approve, reject
from mlplatform_cdk.cli.release.endings import abort, rollback
from mlplatform_cdk.cli.release.history import history
from mlplatform_cdk.cli.release.start import start
from mlplatform_cdk.cli.release.status import status

app = typer.Typer(
    no_args_is_help=True, help="Releases of model versions: start, follow, approve, reject, abort and roll back."
)
for verb in (start, status, approve, reject, abort, rollback, history):
    app.command(verb.__name__)(verb)
