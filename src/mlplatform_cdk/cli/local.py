"""``mlplatform local``: the embedded AWS on this machine, up and down."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from mlplatform_cdk.cli.console import ERR, OUT, CommandFailed
from mlplatform_cdk.cli.deployments import at_place_of, not_honoured
from mlplatform_cdk.cli.rehearse import app as rehearse
from mlplatform_cdk.cli.synth import Context, assembly_of

if TYPE_CHECKING:
    from mlplatform_cdk.assembly import Assembly
    from mlplatform_cdk.local.server import Server
    from mlplatform_cdk.local.settings import Settings

DEFAULT_STATE = Path(".mlplatform/local")
StateDir = Annotated[Path, typer.Option("--state-dir", help="The folder that holds all of it.")]

app = typer.Typer(no_args_is_help=True, help="The embedded AWS: real templates, jobs and containers on this machine.")
app.add_typer(rehearse, name="rehearse")


@app.command()
def up(
    context: Context = None,
    assembly: Annotated[
        Path | None, typer.Option(help="Deploy this cloud assembly instead of synthesizing ./cdk.json.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port on 127.0.0.1; 0 picks a free one.")] = 0,
    clock_factor: Annotated[float, typer.Option(help="How many seconds a second of a Wait state takes here.")] = 0.05,
    state_dir: StateDir = DEFAULT_STATE,
    empty: Annotated[bool, typer.Option("--empty", help="Deploy nothing: the cdk CLI will.")] = False,
) -> None:
    """Start the embedded AWS, deploy the app into it, and leave it running."""
    from mlplatform_cdk.assembly import AssemblyError, read
    from mlplatform_cdk.local.deploy import DeploymentFailed
    from mlplatform_cdk.local.server import LOG_FILE, ServerFailed, require_none, start
    from mlplatform_cdk.local.settings import Settings

    state_dir = state_dir.resolve()
    _require_own(state_dir)
    try:
        require_none(state_dir)
        settings = Settings(state_dir=state_dir, port=port, clock_factor=clock_factor)
        cloud = None if empty else read(assembly or _synthesized(context, state_dir))
        server = start(at_place_of(cloud, settings) if cloud else settings, leashed=False)
    except (ValueError, ServerFailed) as failure:
        if not (state_dir / LOG_FILE).exists():  # it never ran: what it would have deployed goes, too
            _remove(state_dir)
        raise CommandFailed(str(failure)) from failure
    try:
        if cloud:
            _deploy(cloud, server)
    except (AssemblyError, DeploymentFailed) as failure:
        server.stop()
        _remove(state_dir)
        raise CommandFailed(str(failure)) from failure
    _show_exports(server.settings)


@app.command()
def down(state_dir: StateDir = DEFAULT_STATE) -> None:
    """Stop the embedded AWS and remove all that it wrote."""
    from mlplatform_cdk.local.server import running
    from mlplatform_cdk.local.settings import NoEmbeddedAws

    state_dir = state_dir.resolve()
    _require_own(state_dir)
    try:
        running(state_dir).stop()
    except NoEmbeddedAws as nothing:
        if not state_dir.exists():
            raise CommandFailed(str(nothing)) from nothing
    _remove(state_dir)
    OUT.print("stopped; nothing is left of it")


def _require_own(state_dir: Path) -> None:
    """Refuse a folder with files of others: all of it goes when the embedded AWS goes."""
    from mlplatform_cdk.local.server import LOG_FILE

    if state_dir.exists() and any(state_dir.iterdir()) and not (state_dir / LOG_FILE).exists():
        raise CommandFailed(f"--state-dir must be new, empty or an embedded AWS's own, got {state_dir}; name another")


def _synthesized(context: list[str] | None, state_dir: Path) -> Path:
    try:
        return assembly_of(Path.cwd(), state_dir / "cdk.out", context=context, validate=False)
    except CommandFailed:
        _remove(state_dir)
        raise


def _deploy(assembly: "Assembly", server: "Server") -> None:
    from mlplatform_cdk.local.deploy import deploy

    with ERR.status("deploying …") as status:
        report = deploy(
            assembly,
            server.settings,
            on_event=lambda event: status.update(f"{event.stack} {event.logical_id} {event.status}"),
        )
    for stack in report.stacks:
        OUT.print(f"[green]✓[/] {stack.name}: {stack.resources} resources in {stack.seconds:.1f} s")
    for line in not_honoured(report):
        OUT.print(f"[yellow]not honoured:[/] {escape(line)}", soft_wrap=True)


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
        OUT.print(f"export {name}={value}", markup=False, soft_wrap=True)


def _remove(state_dir: Path) -> None:
    if state_dir.exists():
        shutil.rmtree(state_dir)
    parent = state_dir.parent
    if parent.name == DEFAULT_STATE.parent.name and parent.exists() and not any(parent.iterdir()):
        parent.rmdir()
