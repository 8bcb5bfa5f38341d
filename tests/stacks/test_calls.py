"""Does every role allow exactly what is called under it, as ``mlplatform check`` sees the calls?"""

from collections.abc import Iterator, Mapping

import pytest

from mlplatform_cdk.assembly.check.accepted import split_by_app
from mlplatform_cdk.assembly.check.permissions.check import Permissions
from mlplatform_cdk.assembly.check.templates import Template, templates
from mlplatform_cdk.assembly.findings import Finding
from mlplatform_cdk.assembly.reader import read
from tests.stacks.conftest import Platform


@pytest.fixture(scope="module")
def looked_at(platforms: Mapping[str, Platform], beside: Mapping[str, Platform]) -> Mapping[str, tuple[Template, ...]]:
    # The code of the function in a VPC is another's.
    every = {name: one for name, one in {**platforms, **beside}.items() if name != "function"}
    folders = {name: {stack.path.parent for stack in one.stacks.values()} for name, one in every.items()}
    return {
        f"{name}/{folder.name}": templates(read(folder)) for name, those in folders.items() for folder in sorted(those)
    }


@pytest.fixture(scope="module")
def findings(looked_at: Mapping[str, tuple[Template, ...]]) -> Mapping[str, tuple[Finding, ...]]:
    permissions = Permissions()
    return {
        name: tuple(found for template in those for found in permissions.findings(template))
        for name, those in looked_at.items()
    }


def test_no_role_lacks_a_permission_or_has_one_too_many_without_a_reason(
    looked_at: Mapping[str, tuple[Template, ...]], findings: Mapping[str, tuple[Finding, ...]]
) -> None:
    opened = {name: split_by_app(those, findings[name])[0] for name, those in looked_at.items()}

    assert {name: [said(one) for one in found] for name, found in opened.items() if found} == {}


def test_no_reason_stands_where_a_roles_permissions_are_just_right(
    looked_at: Mapping[str, tuple[Template, ...]], findings: Mapping[str, tuple[Finding, ...]]
) -> None:
    needless = {
        f"{path}: {rule}"
        for name, those in looked_at.items()
        for path, rule in reasons(those)
        if not any(one.rule == rule and f"{one.construct_path}/".startswith(f"{path}/") for one in findings[name])
    }

    assert needless == set()


def reasons(those: tuple[Template, ...]) -> Iterator[tuple[str, str]]:
    for template in those:
        for path, rule, _ in template.acknowledged:
            if rule.startswith("permission-"):
                yield path, rule


def said(finding: Finding) -> str:
    return f"{finding.construct_path}: {finding.rule}: {finding.message}"
