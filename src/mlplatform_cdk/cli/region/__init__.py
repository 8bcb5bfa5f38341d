"""``mlplatform region``: which regions are in service, and taking one out by hand."""

import typer

from mlplatform_cdk.cli.region.drains import drain
from mlplatform_cdk.cli.region.restore import restore
from mlplatform_cdk.cli.region.status import status
from mlplatform_cdk.cli.region.switches import switches

app = typer.Typer(no_args_is_help=True, help="Regions behind one name: see them, drain one, and restore it.")
for verb in (status, drain, restore, switches):
    app.command(verb.__name__)(verb)
