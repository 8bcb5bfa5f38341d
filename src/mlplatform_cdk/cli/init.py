"""``mlplatform init``: a new app, made of the files that this project itself deploys."""

from pathlib import Path
from typing import Annotated

import typer

from mlplatform_cdk.cli.console import ERR, OUT, CommandFailed


def init(
    name: Annotated[str, typer.Argument(help="What the model is called, as in churn: names the app and its stacks.")],
    folder: Annotated[Path | None, typer.Option(help="Where it goes; a new folder of that name if not said.")] = None,
) -> None:
    """Write a new app: stacks, environments, tests with snapshots, workflows for GitHub, GitLab and CodePipeline."""
    from mlplatform_cdk.cli.new_app import AppName, review, write

    try:
        app = AppName(name)
    except ValueError as problem:
        raise CommandFailed(str(problem)) from problem
    folder = folder or Path(name)
    _require_empty(folder)
    write(app, folder)
    with ERR.status("synthesizing production for the snapshots of its tests …"):
        stacks = review(folder)
    OUT.print(f"{folder} is written: {len(stacks)} stacks, snapshots of production among its tests", soft_wrap=True)
    OUT.print(
        f"next: cd {folder}, python -m pip install '.\\[dev]', python -m pytest; then stacks/model.py", soft_wrap=True
    )


def _require_empty(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise CommandFailed(f"{folder} must be a folder, got a file; name another with --folder")
    count = len(list(folder.iterdir())) if folder.exists() else 0
    if count:
        entries = "1 entry" if count == 1 else f"{count} entries"
        raise CommandFailed(f"{folder} must be empty or new, got a folder with {entries}; name another with --folder")
