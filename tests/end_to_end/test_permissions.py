"""Does a permission that a role lacks fail here, by name, and not first in an account?"""

from tests.end_to_end.permissions import without
from tests.end_to_end.rehearsal import Rehearsal


def test_a_job_that_may_not_read_fails_its_run_naming_role_and_action(rehearsal: Rehearsal) -> None:
    assert rehearsal.report.run is not None
    job = rehearsal.client("sagemaker").describe_processing_job(
        ProcessingJobName=f"breast-cancer-{rehearsal.report.run.name}-preprocess"
    )
    before = rehearsal.packages()

    with without(rehearsal.client("iam"), job["RoleArn"], "s3:GetObject") as role:
        run = rehearsal.retrain("job-may-not-read", {})

    assert (run.status, run.error) == ("FAILED", "Preprocess")
    for words in ("AccessDenied", f"assumed-role/{role}/", "s3:GetObject", "raw/breast-cancer/patients.csv"):
        assert words in (run.cause or "")
    assert run.cause in rehearsal.inbox.about(run.name)["Message"]
    assert rehearsal.packages() == before


def test_a_function_that_may_not_register_fails_its_run_naming_role_and_action(rehearsal: Rehearsal) -> None:
    pages = rehearsal.client("lambda").get_paginator("list_functions").paginate()
    functions = [one for page in pages for one in page["Functions"]]
    (register,) = [one for one in functions if one["FunctionName"].startswith("MlPlatform-Dev-Training-RetrainingRegi")]
    before = rehearsal.packages()

    with without(rehearsal.client("iam"), register["Role"], "sagemaker:CreateModelPackage") as role:
        run = rehearsal.retrain("may-not-register", {})

    assert (run.status, run.error) == ("FAILED", "Register")
    for words in ("AccessDenied", f"assumed-role/{role}/", "sagemaker:CreateModelPackage"):
        assert words in (run.cause or "")
    assert rehearsal.packages() == before
