"""Runs at a release's end: its records and its metrics become one HTML file beside the models."""

from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.release.report.runtime.measured import lines
from mlplatform_cdk.release.report.runtime.page import report
from mlplatform_cdk.release.report.runtime.story import story
from mlplatform_cdk.runtimekit import logs, release_facts, release_records, s3, settings

_LOG = logs.logger("report")


def handle(event: Mapping[str, Any], context: object) -> dict[str, str]:  # noqa: ARG001 - Lambda's signature
    """Write the report of the release in ``event``; the same release again gives a newer one in its place.

    What an execution brought back or completed after another one is told with that other one's release, in its place.

    :param event: ``endpoint``, ``release`` (the execution's ARN), and as far as known ``outcome`` (a word).
    """
    endpoint, release = event["endpoint"], event["release"]
    logs.bind(execution=release, step="Report")
    records = release_records.whole(release_records.table_name(), endpoint, release)
    told = story(records, event.get("outcome", ""))
    html = report(told, lines(told, told.variants))
    name = release_facts.execution_name(told.records[0].release)
    uri = f"{settings.required('REPORTS_URI')}{endpoint}/{name}.html"
    s3.write_bytes(uri, html.encode(), content_type="text/html; charset=utf-8")
    _LOG.info("written", extra={"report": uri})
    return {"report": uri}
