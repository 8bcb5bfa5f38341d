"""Which calls does code make that lies in several modules, packages and assets?"""

import os
import zipfile
from pathlib import Path

import pytest

from mlplatform_cdk.assembly.check.permissions.check import Permissions
from mlplatform_cdk.assembly.check.templates import Template
from tests.assembly.check.conftest import Make, function, role


def found(made: Template) -> list[str]:
    return sorted({finding.rule for finding in Permissions().findings(made)})


def test_code_is_read_from_folders_and_from_zip_files(template: Make, tmp_path: Path) -> None:
    text = "from . import world\ndef handle(e, c):\n  world.look()\n"
    world = "import boto3\ndef look():\n  boto3.client('ecr').describe_images()\ndef change():\n  boto3.client('s3')"
    folder = tmp_path / "asset"
    (folder / "app").mkdir(parents=True)
    (folder / "app/main.py").write_text(text)
    (folder / "app/world.py").write_text(world)
    (folder / "app/__init__.py").write_text("")
    with zipfile.ZipFile(tmp_path / "asset.zip", "w") as archive:
        for file in folder.rglob("*.py"):
            archive.write(file, file.relative_to(folder))
    for asset in (folder, tmp_path / "asset.zip"):
        code = function("", Handler="app.main.handle", Code={"S3Bucket": "b", "S3Key": "key.zip"})
        made = template({"Role": role(), "Function": code}, assets={"key.zip": asset})
        assert found(made) == ["permission-missing[ecr:DescribeImages]"], asset


TELLERS = [
    pytest.param("world.found('describe_model')", {"sagemaker:DescribeModel"}, id="a text"),
    pytest.param("world.found(operation='describe_model')", {"sagemaker:DescribeModel"}, id="a keyword"),
    pytest.param("world.World().found('describe_model')", {"sagemaker:DescribeModel"}, id="a method"),
    pytest.param("world.found(NAME)", {"sagemaker:DescribeEndpoint"}, id="a name, among those that its module says"),
    pytest.param("world.found(role='describe_model')", set(), id="another parameter"),
]


@pytest.mark.parametrize(("call", "actions"), TELLERS)
def test_an_operation_whose_name_a_function_is_given_is_found_where_it_is_called(
    template: Make, tmp_path: Path, call: str, actions: set[str]
) -> None:
    (tmp_path / "world.py").write_text(
        "import boto3\n"
        "def found(operation='', role=None):\n  getattr(boto3.client('sagemaker'), operation)()\n"
        "class World:\n  def found(self, operation):\n    getattr(boto3.client('sagemaker'), operation)()\n"
    )
    (tmp_path / "main.py").write_text(f"import world\nNAME = 'describe_endpoint'\ndef handle(e, c):\n  {call}\n")
    code = function("", Handler="main.handle", Code={"S3Bucket": "b", "S3Key": "key.zip"})

    made = template({"Role": role(), "Function": code}, assets={"key.zip": tmp_path})

    assert found(made) == sorted(f"permission-missing[{action}]" for action in actions)


REEXPORTS = [
    pytest.param("from app import World\ndef handle(e, c):\n  World().look()", id="a class of a package"),
    pytest.param("from app import World as W\ndef handle(e, c):\n  W().look()", id="by another name"),
    pytest.param("import app\ndef handle(e, c):\n  app.World().look()", id="through the package"),
    pytest.param("from app import World\ndef made():\n  return World()\ndef handle(e, c):\n  made().look()", id="made"),
]


@pytest.mark.parametrize("text", REEXPORTS)
def test_what_a_package_hands_on_is_followed_to_where_it_stands(template: Make, tmp_path: Path, text: str) -> None:
    world = "import boto3\nclass World:\n  def look(self):\n    boto3.client('ecr').describe_images()\n"
    other = "\n  def change(self):\n    boto3.client('ecr').delete_repository()\n"
    folder = tmp_path / "asset"
    (folder / "app/inner").mkdir(parents=True)
    (folder / "main.py").write_text(text)
    (folder / "app/__init__.py").write_text("from app.inner import World\n")
    (folder / "app/inner/__init__.py").write_text("from .world import World\n")
    (folder / "app/inner/world.py").write_text(world + other)
    code = function("", Handler="main.handle", Code={"S3Bucket": "b", "S3Key": "key.zip"})

    made = template({"Role": role(), "Function": code}, assets={"key.zip": folder})

    assert found(made) == ["permission-missing[ecr:DescribeImages]"]


def test_packages_that_hand_each_other_on_are_read_once(template: Make, tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("from two import thing\n")
    (tmp_path / "two.py").write_text("from one import thing\n")
    (tmp_path / "main.py").write_text("from one import thing\ndef handle(e, c):\n  thing()\n")
    code = function("", Handler="main.handle", Code={"S3Bucket": "b", "S3Key": "key.zip"})

    assert found(template({"Role": role(), "Function": code}, assets={"key.zip": tmp_path})) == []


def test_code_that_changed_between_two_looks_is_read_again(template: Make, tmp_path: Path) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    code = folder / "index.py"
    asked = {"Role": role("s3:PutObject"), "Function": function("", Code={"S3Key": "code.zip"})}
    made = template(asked, assets={"code.zip": folder})
    code.write_text("import boto3\ndef handle(e, c):\n  boto3.client('s3').put_object()")
    assert found(made) == []

    code.write_text("import boto3\ndef handle(e, c):\n  boto3.client('s3').delete_object()")
    os.utime(code, ns=(0, code.stat().st_mtime_ns + 1_000_000_000))

    assert found(made) == ["permission-missing[s3:DeleteObject]", "permission-unused[s3:PutObject]"]
