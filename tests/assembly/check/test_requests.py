"""Does the code behind a custom resource deal with Delete, where it compares the request's type with texts?"""

import textwrap

import pytest

from mlplatform_cdk.assembly.check.traps import traps
from tests.assembly.check.conftest import Make, function, role

THING = {"Type": "Custom::Thing", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}}}


def rules(template: Make, body: str) -> set[str]:
    code = "def handle(e, c):\n  kind = e['RequestType']\n" + textwrap.indent(body, "  ")
    return {one.rule for one in traps(template({"Role": role(), "Function": function(code), "Thing": THING}))}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("if kind == 'Create':\n  make()", id="nothing else"),
        pytest.param("if 'Create' == kind:\n  return make()\nsend(e)", id="an answer only"),
        pytest.param("if kind == 'Create':\n  make()\nelif kind == 'Update':\n  change()", id="a change"),
        pytest.param("if kind in ('Create', 'Update'):\n  make()\nreport(e)", id="what every request gets"),
        pytest.param("if kind == 'Create' or kind == 'Update':\n  make()", id="one of two"),
        pytest.param("if kind != 'Create':\n  print(e)\n  return\nmake()", id="leaving at once"),
    ],
)
def test_code_that_only_creates_is_found(template: Make, body: str) -> None:
    assert "trap-15-custom-resource-only-creates" in rules(template, body)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("if kind == 'Create':\n  make()\nelse:\n  remove()", id="another branch"),
        pytest.param("if kind == 'Create':\n  return make()\nremove()", id="what follows a return"),
        pytest.param("if kind not in ['Create', 'Update']:\n  remove()\nelse:\n  make()", id="turned around"),
        pytest.param(
            "try:\n  if kind == 'Create':\n    return make()\nfinally:\n  send(e)\nremove()", id="a return in a try"
        ),
        pytest.param("if e.get('old'):\n  return 1\nif kind == 'Create':\n  make()\nelse:\n  remove()", id="more"),
        pytest.param("if kind == 'Create' and e['new']:\n  make()\nelse:\n  remove()", id="more of a condition"),
        pytest.param("{'Create': make}.get(kind, remove)()", id="a table"),
        pytest.param("new = kind == 'Create'\nmake() if new else remove()", id="a variable"),
        pytest.param("match kind:\n  case 'Create':\n    make()\n  case _:\n    remove()", id="a match"),
    ],
)
def test_code_that_does_something_for_other_requests_or_may_is_not(template: Make, body: str) -> None:
    assert "trap-15-custom-resource-only-creates" not in rules(template, body)
