"""Do cdk-nag's four packs and cfn-lint find anything in an API?"""

from contextlib import suppress
from pathlib import Path

from aws_cdk import App, Validations
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks

from mlplatform_cdk.routing.regional_api import Authorization
from tests import linting
from tests.routing.regional_api.building import HERE, Built

JWT = Authorization.jwt(issuer="https://id.example.com/", audience=["models"])


def test_cdk_nag_and_cfn_lint_find_nothing_in_an_api(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    for authorization in (Authorization.iam(), Authorization.api_key(), JWT):
        built = Built(app=app, name=authorization.kind.replace("_", ""), authorization=authorization)
    s3.CfnBucket(built.stack, "Unchecked")
    packs = (AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks)
    Validations.of(app).add_plugins(*(pack(app) for pack in packs))

    with suppress(RuntimeError):  # for the bucket
        app.synth()

    found = (tmp_path / "validation-report.json").read_text()
    assert "jwt/Unchecked" in found  # the packs have looked
    assert "/Api" not in found
    templates = sorted(tmp_path.glob("*.template.json"))
    assert len(templates) == 3
    assert [linting.findings(one, HERE.region) for one in templates] == [[], [], []]
