"""``mlplatform local``: the embedded AWS on this machine, up and down."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from mlplatform_cdk.cli.console import ERR, OUT, CommandFailed
from mlplatform_cdk.cli.deployments import not_honoured
from mlplatform_cdk.cli.synth import Context, assembly_of

DEFAULT_STATE = Path(".mlplatform/local")
StateDir = Annotated[Path, typer.Option("--state-dir", help="The folder that holds all of it.")]

app = typer.Typer(no_args_is_help=True, help="The embedded AWS: real templates, jobs and containers on this machine.")


@app.command()
def up(
    context: Context = None,
    assembly: Annotated[
        Path | None, typer.Option(help="Deploy this cloud assembly instead of synthesizing ./cdk.json.")
    ] = None,
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1; 0 picks a free one.")] = 0,
    clock_factor: Annotated[float, typer.Option(help="How long a second of a Wait state takes here.")] = 0.05,
    state_dir: StateDir = DEFAULT_STATE,
    empty: Annotated[bool, typer.Option("--empty", help="Deploy nothing: the cdk CLI will.")] = False,
) -> None:
    """Start the embedded AWS, deploy the app into it, and leave it running."""
    from mlplatform_cdk.assembly import AssemblyError, read
    from mlplatform_cdk.local import deploy, server
    from mlplatform_cdk.local.settings import Settings

    state_dir = state_dir.resolve()
    try:
        settings = Settings(state_dir=state_dir, port=port, clock_factor=clock_factor)
        running = server.start(settings, leashed=False)
    except (ValueError, server.ServerFailed) as failure:
        raise CommandFailed(str(failure)) from failure
    try:
        if not empty:
            folder = assembly or assembly_of(Path.cwd(), state_dir / "cdk.out", context=context, validate=False)
            with ERR.status("deploying …") as status:
                report = deploy.deploy(
                    read(folder),
                    running.settings,
                    on_event=lambda event: status.update(f"{event.stack} {event.logical_id} {event.status}"),
                )
            for stack in report.stacks:
                OUT.print(f"[green]✓[/] {stack.name}: {stack.resources} resources in {stack.seconds:.1f} s")
            for line in not_honoured(report):
                OUT.print(f"[yellow]not honoured:[/] {line}", soft_wrap=True)
    except (AssemblyError, deploy.DeploymentFailed, CommandFailed) as failure:
        _stop(running, state_dir)
        raise CommandFailed(str(failure)) from failure
    OUT.print("\nFor boto3, the AWS CLI and the cdk CLI:", style="bold")
    for name, value in {
        "AWS_ENDPOINT_URL": running.endpoint_url,
        "AWS_REGION": running.settings.region,
        "AWS_ACCESS_KEY_ID": running.settings.account,
        "AWS_SECRET_ACCESS_KEY": "embedded",
    }.items():
        OUT.print(f"export {name}={value}", soft_wrap=True)


@app.command()
def down(state_dir: StateDir = DEFAULT_STATE) -> None:
    """Stop the embedded AWS and remove all that it wrote."""
    from mlplatform_cdk.local import server
    from mlplatform_cdk.local.settings import NoEmbeddedAws

    state_dir = state_dir.resolve()
    try:
        running = server.running(state_dir)
    except NoEmbeddedAws as nothing:
        raise CommandFailed(str(nothing)) from nothing
    _stop(running, state_dir)
    OUT.print("stopped; nothing is left of it")


def _stop(running: "server.Server", state_dir: Path) -> None:  # noqa: F821 -- its module is heavy and imported late
    running.stop()
    shutil.rmtree(state_dir)
    if state_dir.parent.name == DEFAULT_STATE.parent.name and not any(state_dir.parent.iterdir()):
        state_dir.parent.rmdir()
