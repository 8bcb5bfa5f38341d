"""When the stacks go, does anything stay that costs money, answers, or is in no list of what stays?"""

import json
from dataclasses import dataclass, field, replace

import psutil
import pytest

from mlplatform_cdk.assembly import teardown
from mlplatform_cdk.assembly.cost import Usage, packaged
from mlplatform_cdk.local import deploy, server
from tests.end_to_end.leftovers import Leftover, leftovers, missing, of_standing_stacks, unlisted
from tests.end_to_end.rehearsal import Rehearsal, eventually

GROUPS_OF_JOBS = {"/aws/sagemaker/ProcessingJobs", "/aws/sagemaker/TrainingJobs"}


@dataclass
class Destroyed:
    """What was running when the stacks began to go, and what is there after they went."""

    running: dict[str, int] = field(default_factory=dict)
    stacks: list[str] = field(default_factory=list)
    left: set[Leftover] = field(default_factory=set)
    plan: teardown.Plan | None = None


def serving_processes(rehearsal: Rehearsal) -> list[psutil.Process]:
    """The containers of endpoints."""
    running = server.running(rehearsal.settings.state_dir)
    children = psutil.Process(running.pid).children(recursive=True)
    return [one for one in children if "mlplatform_cdk.serving.container" in one.cmdline()]


def keep_busy(rehearsal: Rehearsal) -> None:
    """Whatever may stand in the way: runs, releases, what was captured and not finished, and people in Studio."""
    platform, sagemaker, s3 = rehearsal.platform, rehearsal.client("sagemaker"), rehearsal.client("s3")
    rehearsal.retraining.start("interrupted", "{}")
    artifacts = platform.parameter("foundation/artifacts-bucket")
    for key in ("capture/a/b.jsonl", "capture/a/b.jsonl"):
        s3.put_object(Bucket=artifacts, Key=key, Body=b"{}")
    s3.delete_object(Bucket=artifacts, Key="capture/a/b.jsonl")
    s3.create_multipart_upload(Bucket=artifacts, Key="capture/half")
    s3.put_object(Bucket=platform.parameter("foundation/access-logs-bucket"), Key="Lake/log", Body=b"GET")
    (domain,) = (one["DomainId"] for one in sagemaker.list_domains()["Domains"])
    sagemaker.create_user_profile(DomainId=domain, UserProfileName="visitor")
    owned = {"OwnershipSettings": {"OwnerUserProfileName": "visitor"}}
    sagemaker.create_space(
        DomainId=domain, SpaceName="scratch", SpaceSharingSettings={"SharingType": "Private"}, **owned
    )
    for space in ("developer-lab", "scratch"):
        sagemaker.create_app(DomainId=domain, SpaceName=space, AppType="JupyterLab", AppName="default")


def keep_releasing(rehearsal: Rehearsal) -> None:
    """One releases the live version again, and the others wait for their turn."""
    version = json.dumps({"model_package_arn": rehearsal.packages()[-1]})
    for number in range(3):
        rehearsal.releases.start(f"interrupted-{number}", version)


@pytest.fixture(scope="module")
def destroyed(last_rehearsal: Rehearsal) -> Destroyed:
    """The stacks, gone while everything ran; the account has what a person could not undo by hand."""
    rehearsal, seen = last_rehearsal, Destroyed()
    assert serving_processes(rehearsal)
    keep_busy(rehearsal)
    jobs, states = rehearsal.client("sagemaker").list_processing_jobs, rehearsal.client("stepfunctions")
    machines = {
        "MlPlatform-Dev-Training": rehearsal.platform.parameter("training/pipeline-arn"),
        "MlPlatform-Dev-Serving": rehearsal.platform.parameter("serving/release-arn"),
    }
    eventually(lambda: jobs(StatusEquals="InProgress")["ProcessingJobSummaries"] or None, "a job of the run")

    for stack in reversed(rehearsal.assembly.all_stacks()):
        if stack.name.endswith("-Serving"):
            keep_releasing(rehearsal)
        if stack.name in machines:
            found = states.list_executions(stateMachineArn=machines[stack.name], statusFilter="RUNNING")
            seen.running[stack.name] = len(found["executions"])
        report = deploy.destroy(replace(rehearsal.assembly, stacks=(stack,), stages=()), rehearsal.settings)
        seen.stacks.extend(one.name for one in report.stacks)
    found = leftovers(rehearsal.client, besides=of_standing_stacks(rehearsal.client))
    seen.left = {one for one in found if not one[1].startswith("inbox-")}
    seen.plan = teardown.plan(rehearsal.assembly, packaged(), Usage())
    return seen


def test_the_stacks_go_in_the_order_of_the_plan_while_everything_runs(destroyed: Destroyed) -> None:
    assert destroyed.plan is not None
    assert destroyed.stacks == [one.stack for one in destroyed.plan.steps]
    assert destroyed.running == {"MlPlatform-Dev-Training": 1, "MlPlatform-Dev-Serving": 3}


def test_nothing_stays_but_what_the_plan_lists_by_name(destroyed: Destroyed) -> None:
    assert destroyed.plan is not None
    assert unlisted(destroyed.left, destroyed.plan.kept) == []
    assert {one.name for one in destroyed.plan.kept if one.type == "log group"} == GROUPS_OF_JOBS
    assert missing(destroyed.left, destroyed.plan.kept) == set()


def test_no_process_of_an_endpoint_stays(last_rehearsal: Rehearsal, destroyed: Destroyed) -> None:
    assert serving_processes(last_rehearsal) == []
