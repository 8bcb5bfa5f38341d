"""``mlplatform ab-test status``: the variants of a test, their shares, and what they have gathered."""

import json

import typer

from mlplatform_cdk.cli.ab_test.view import Name, Seen, find, look
from mlplatform_cdk.cli.console import OUT
from mlplatform_cdk.cli.release.options import AsJson, EndpointUrl, Profile, Region, cloud
from mlplatform_cdk.runtimekit import release_facts as facts
from mlplatform_cdk.runtimekit.ab_test.tallies import Tally


def status(
    test: Name = None,
    as_json: AsJson = False,
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Show the test that runs, or its last run: variants, shares, samples, and what the last look came to."""
    with cloud(region, profile, endpoint_url):
        seen = look(find(test))
        if as_json:
            typer.echo(json.dumps(seen.to_mapping(), indent=2, sort_keys=True))
        else:
            _draw(seen)


def _draw(seen: Seen) -> None:
    from rich.table import Table
    from rich.text import Text

    known = seen.state
    standing = known.status if known else ("begins" if seen.execution else "has never run")
    looks = f"  {known.looks} of at most {known.plan.looks} looks, since {known.started}" if known else ""
    OUT.print(Text.assemble((seen.address.name, "bold"), f" on {seen.address.endpoint}  ", (standing, "cyan"), looks))
    if known is None:
        return
    metric = known.plan.metric.name
    table = Table("variant", "version", "share", "keys", metric, "", box=None, pad_edge=False, header_style="dim")
    for arm, tally in zip(known.arms, seen.gathered, strict=True):
        version = facts.label(arm.version) if arm.version else ""
        table.add_row(
            arm.variant, Text(version), f"{arm.share:.1%}", f"{tally.exposed:,}", _mean(tally, metric), Text(arm.out)
        )
    OUT.print(table)
    if seen.said:
        OUT.print(Text(seen.said), soft_wrap=True)
        OUT.print(Text(seen.report, style="dim"), soft_wrap=True)


def _mean(tally: Tally, metric: str) -> str:
    sums = tally.metrics.get(metric)
    return f"{float(sums.total / sums.count):.4g} of {sums.count:,}" if sums and sums.count else ""
