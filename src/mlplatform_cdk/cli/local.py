"""``mlplatform local``: the embedded AWS on this machine, up and down."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlplatform_cdk.cli.console import ERR, OUT, CommandFailed
from mlplatform_cdk.cli.deployments import not_honoured
from mlplatform_cdk.cli.synth import Context, assembly_of

if TYPE_CHECKING:
    from mlplatform_cdk.local.server import Server
    from mlplatform_cdk.local.settings import Settings

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
    clock_factor: Annotated[float, typer.Option(help="How many seconds a second of a Wait state takes here.")] = 0.05,
    state_dir: StateDir = DEFAULT_STATE,
    empty: Annotated[bool, typer.Option("--empty", help="Deploy nothing: the cdk CLI will.")] = False,
) -> None:
    """Start the embedded AWS, deploy the app into it, and leave it running."""
    from mlplatform_cdk.assembly import AssemblyError
    from mlplatform_cdk.local.deploy import DeploymentFailed
    from mlplatform_cdk.local.server import ServerFailed, start
    from mlplatform_cdk.local.settings import Settings

    state_dir = state_dir.resolve()
    try:
        server = start(Settings(state_dir=state_dir, port=port, clock_factor=clock_factor), leashed=False)
    except (ValueError, ServerFailed) as failure:
        raise CommandFailed(str(failure)) from failure
    try:
        if not empty:
            _deploy(assembly or assembly_of(Path.cwd(), state_dir / "cdk.out", context=context, validate=False), server)
    except (AssemblyError, DeploymentFailed, CommandFailed) as failure:
        _stop(server, state_dir)
        raise CommandFailed(str(failure)) from failure
    _show_exports(server.settings)


@app.command()
def down(state_dir: StateDir = DEFAULT_STATE) -> None:
    """Stop the embedded AWS and remove all that it wrote."""
    from mlplatform_cdk.local.server import running
    from mlplatform_cdk.local.settings import NoEmbeddedAws

    state_dir = state_dir.resolve()
    try:
        server = running(state_dir)
    except NoEmbeddedAws as nothing:
        raise CommandFailed(str(nothing)) from nothing
    _stop(server, state_dir)
    OUT.print("stopped; nothing is left of it")


def _deploy(assembly: Path, server: "Server") -> None:
    from mlplatform_cdk.assembly import read
    from mlplatform_cdk.local.deploy import deploy

    with ERR.status("deploying …") as status:
        report = deploy(
            read(assembly),
            server.settings,
            on_event=lambda event: status.update(f"{event.stack} {event.logical_id} {event.status}"),
        )
    for stack in report.stacks:
        OUT.print(f"[green]✓[/] {stack.name}: {stack.resources} resources in {stack.seconds:.1f} s")
    for line in not_honoured(report):
        OUT.print(f"[yellow]not honoured:[/] {line}", soft_wrap=True)


def _show_exports(settings: "Settings") -> None:
    from mlplatform_cdk.local.docker import write_program

    OUT.print("\n# For boto3, the AWS CLI and the cdk CLI:", style="bold")
    for name, value in {
        "AWS_ENDPOINT_URL": settings.endpoint_url,
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,  # boto3 and version 1 of the AWS CLI read no other
        "AWS_ACCESS_KEY_ID": settings.account,
        "AWS_SECRET_ACCESS_KEY": "embedded",
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DOCKER": write_program(settings),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }.items():
        OUT.print(f"export {name}={value}", soft_wrap=True)


def _stop(server: "Server", state_dir: Path) -> None:
    server.stop()
    shutil.rmtree(state_dir)
    if state_dir.parent.name == DEFAULT_STATE.parent.name and not any(state_dir.parent.iterdir()):
        state_dir.parent.rmdir()
