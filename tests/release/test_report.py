"""Does the report of a release tell what happened, to whoever opens the file?"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import boto3
import pytest
from aws_cdk import App, Environment
from aws_cdk.assertions import Template
from moto import mock_aws

from mlplatform_cdk.foundation import ArtifactStore, Keys, PlatformStack
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.release.report import ReleaseReport
from mlplatform_cdk.release.report.runtime import axes, handler, measured
from mlplatform_cdk.release.report.runtime.charts import line_chart, shares_chart
from mlplatform_cdk.release.report.runtime.measured import Line
from mlplatform_cdk.release.report.runtime.page import report
from mlplatform_cdk.release.report.runtime.story import NoStory, Story, story
from mlplatform_cdk.runtimekit import aws, release_facts, release_records
from tests.release.gates_world import make_table
from tests.release.stories import BEGAN, ENDPOINT, RELEASE, VERSION, beginning, released, rolled_back, told


def page_of(records: list[Any], outcome: str = "") -> str:
    one = story(records, outcome)
    return report(one, measured.lines(one, {}))


class Tags(HTMLParser):
    """Every tag with its attributes, and the tags that are not closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("records", [released(), released(bake_hours=1), rolled_back(), beginning(), beginning()[:1]])
def test_the_file_needs_nothing_from_elsewhere(records: list[Any]) -> None:
    html = page_of(records)
    tags = Tags(html)

    assert tags.open == []
    assert not [tag for tag, _ in tags.seen if tag in ("script", "link", "img", "iframe", "object")]
    assert not [attributes for _, attributes in tags.seen if {"src", "srcset", "onload", "onclick"} & {*attributes}]
    assert "@import" not in html
    assert "url(" not in html


def test_the_pictures_are_well_formed() -> None:
    pictures = re.findall(r"<svg.*?</svg>", page_of(released()), re.DOTALL)

    assert len(pictures) == 10  # five of the shift, five of the bake
    for picture in pictures:
        ET.fromstring(picture)


def test_a_release_that_went_back_says_why() -> None:
    html = page_of(rolled_back())

    assert '<span class="badge bad">went back</span>' in html
    assert "480 of 9021 took longer" in html
    assert "<dt>most traffic on green</dt><dd>20 %</dd>" in html


def test_a_release_says_who_approved_it() -> None:
    html = page_of(released())

    assert '<span class="badge good">released</span>' in html
    assert "the queue of the call centre is quiet" in html
    assert "look again" not in html  # a look that decides nothing is no decision


def test_what_people_wrote_is_text() -> None:
    html = page_of([told(0, "Plan", "<script>alert(1)</script>", who='"><b>', reason="a & b")])

    assert "<script" not in html
    assert "a &amp; b" in html


def test_a_long_bake_does_not_squeeze_the_shift_out_of_the_picture() -> None:
    long, short = story(released(), ""), story(released(bake_hours=1), "")

    assert [title for title, *_ in long.scenes] == ["The shift", "The bake"]
    (_, start, end), _ = long.scenes
    assert end - start < timedelta(hours=2)
    assert [title for title, *_ in short.scenes] == ["The release"]


def test_a_report_of_nothing_is_refused() -> None:
    with pytest.raises(NoStory, match="needs a record"):
        story([], "")


def test_greens_share_is_drawn_as_steps_from_where_it_stood() -> None:
    one = story(beginning(), "")
    time = axes.Time(one.start, BEGAN + timedelta(minutes=10), one.end)

    picture = shares_chart(one.shares, time, [])

    (points,) = re.findall(r'<polyline class="green" points="([^"]*)"', picture)
    heights = {point.split(",")[1] for point in points.split()}
    assert len(heights) == 1  # five percent all along, since it had them before the picture begins


def test_a_line_without_a_value_says_so() -> None:
    one = story(beginning(), "")

    assert "nothing was measured here" in line_chart(Line(title="p99", unit="ms"), axes.Time(BEGAN, BEGAN, one.end), [])


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0"), (4.24, "4.2 s"), (65, "1 min 5 s"), (3900, "1 h 5 min"), (90061, "1 d 1 h"), (7 * 86400, "7 d")],
)
def test_a_length_of_time_is_told_by_its_two_greatest_units(seconds: float, said: str) -> None:
    assert release_facts.since(seconds) == said


@pytest.mark.parametrize("greatest", [0, 0.0003, 0.9, 1, 7.2, 99, 100, 48_113])
def test_an_axis_of_values_ends_at_or_above_the_greatest_in_few_steps(greatest: float) -> None:
    top, step = axes.top_of(greatest)

    assert top >= greatest
    assert 2 <= round(top / step) <= 5


@pytest.mark.parametrize("length", [2, 19, 61, 3600, 93_000, 700_000])
def test_an_axis_of_time_has_few_marks(length: int) -> None:
    time = axes.Time(BEGAN, BEGAN, BEGAN + timedelta(seconds=length))

    marks = [*time.marks()]

    assert 2 <= len(marks) <= 9
    assert marks[0] == (0, "0")


@pytest.mark.parametrize(
    ("length", "period"),
    [
        (timedelta(seconds=20), 60),
        (timedelta(hours=3), 60),
        (timedelta(hours=26), 540),
    ],
)
def test_periods_are_whole_minutes_and_no_more_than_a_line_shows(length: timedelta, period: int) -> None:
    assert measured.period_of(length) == period


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "RELEASE_RECORDS_TABLE": "records",
        "REPORTS_URI": "s3://artifacts/releases/",
    }.items():
        monkeypatch.setenv(name, value)
    aws.client.cache_clear()
    with mock_aws():
        make_table()
        boto3.client("s3").create_bucket(Bucket="artifacts")
        yield boto3.client("cloudwatch")
    aws.client.cache_clear()


def test_the_step_writes_the_file_beside_the_models(cloud: Any) -> None:
    step = {"endpoint": ENDPOINT, "release": RELEASE, "version": VERSION, "who": "alice"}
    release_records.record("records", **step, step="Shift", decision="shift to 5 percent", percent=5.0)

    answer = handler.handle({"endpoint": ENDPOINT, "release": RELEASE, "outcome": "aborted"}, None)

    assert answer == {"report": "s3://artifacts/releases/dev-churn/one.html"}
    stored = boto3.client("s3").get_object(Bucket="artifacts", Key="releases/dev-churn/one.html")
    assert stored["ContentType"] == "text/html; charset=utf-8"
    assert '<span class="badge bad">aborted</span>' in stored["Body"].read().decode()


def test_a_release_that_another_execution_brought_back_is_told_in_one_file(cloud: Any) -> None:
    dead, recovery = RELEASE, RELEASE.replace(":one", ":two")
    plain = {"endpoint": ENDPOINT, "version": VERSION, "who": "alice", "step": "s"}
    variants = {"variants": {"green": "b", "blue": "a"}}
    release_records.record("records", **plain, release=dead, decision="beside", metrics=variants)
    release_records.record("records", **plain, release=recovery, decision="taken up", metrics={"left_by": dead})

    answer = handler.handle({"endpoint": ENDPOINT, "release": recovery}, None)

    assert answer == {"report": "s3://artifacts/releases/dev-churn/one.html"}
    told = story(release_records.whole("records", ENDPOINT, recovery), "")
    assert told.variants == {"green": "b", "blue": "a"}


def test_the_lines_come_from_cloudwatch_where_it_has_them(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # moto itself knows no percentiles; the embedded AWS does.
    plain = {name: (metric, "Average" if "p" in kind else kind) for name, (metric, kind) in measured._ASKED.items()}
    monkeypatch.setattr(measured, "_ASKED", plain)
    one = story(rolled_back(), "")
    names = {"green": "b", "blue": "a"}
    for variant, latency, failed in (("a", 8_000, 0), ("b", 40_000, 3)):
        where = [{"Name": "EndpointName", "Value": ENDPOINT}, {"Name": "VariantName", "Value": variant}]
        at = BEGAN + timedelta(minutes=18, seconds=5)
        for metric, value in (("ModelLatency", latency), ("Invocations", 100), ("Invocation5XXErrors", failed)):
            datum = {"MetricName": metric, "Dimensions": where, "Timestamp": at, "Value": value}
            cloud.put_metric_data(Namespace="AWS/SageMaker", MetricData=[datum])

    found = {line.title: line for line in measured.lines(one, names)}

    assert [value for _, value in found["Latency, 99th percentile"].green] == [40.0]
    assert [value for _, value in found["Failed requests"].green] == [3.0]
    assert [value for _, value in found["Failed requests"].blue] == [0.0]
    assert [value for _, value in found["Requests"].blue] == [100]


def test_what_the_model_refused_is_no_failure(cloud: Any) -> None:
    at = BEGAN
    series = {"green_requests": {at: 100.0}, "green_model": {at: 9.0}, "green_refused": {at: 9.0}}

    assert measured._of_side(series, "green")["errors"] == [(at, 0.0)]


def test_the_function_writes_the_reports_of_its_endpoint_and_nothing_else() -> None:
    stack = PlatformStack(App(), "Serving", env=Environment(account="123456789012", region="eu-west-1"))
    key = Keys(stack, "Keys").data
    store = ArtifactStore(stack, "Artifacts", key=key)
    records = ReleaseRecords(stack, "Records", key=key)

    ReleaseReport(stack, "Report", endpoint_name=ENDPOINT, records=records, artifacts=store, key=key)

    template = Template.from_stack(stack)
    (policy,) = [
        one["Properties"]["PolicyDocument"]["Statement"]
        for name, one in template.find_resources("AWS::IAM::ManagedPolicy").items()
        if name.startswith("ReportWriteRole")
    ]
    allowed = {
        action: one
        for one in policy
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    }
    assert "releases/dev-churn/*" in str(allowed["s3:PutObject"]["Resource"])
    assert not {"dynamodb:PutItem", "s3:GetObject", "s3:DeleteObject"} & {*allowed}


def test_a_story_has_the_traffic_that_it_was_told() -> None:
    one: Story = story(rolled_back(), "")

    assert [share for _, share in one.shares] == [0, 5, 20, 0]
