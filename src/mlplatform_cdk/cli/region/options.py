"""What the verbs of regions take."""

from pathlib import Path
from typing import Annotated

import typer

Domain = Annotated[
    str | None, typer.Argument(help="The one name of all regions; may be left out where only one is published.")
]
Place = Annotated[str, typer.Argument(metavar="REGION", help="The region that is meant, such as eu-west-1.")]
Regions = Annotated[
    str | None,
    typer.Option(help="The regions, with commas; default: those that the names' stack publishes, or that DNS has."),
]
NamesRegion = Annotated[
    str | None,
    typer.Option("--names-region", help="The region of the names' stack; default: the environment's or the profile's."),
]
Switch = Annotated[
    bool,
    typer.Option("--switch", help="By the routing control of Application Recovery Controller, while a region is lost."),
]
SwitchesFile = Annotated[
    Path | None,
    typer.Option(
        "--switches",
        help="What `mlplatform region switches --json` has written; with it, --switch needs no other region.",
        exists=True,
        dir_okay=False,
    ),
]
