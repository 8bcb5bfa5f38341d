"""What is said of an app that does not synthesize?"""

import sys
from pathlib import Path

import pytest

from mlplatform_cdk.assembly.synthesize import SynthesisFailed, synthesize

BUCKET = "from aws_cdk import App, Stack, aws_s3 as s3\ns3.Bucket(Stack(App(), 'Data'), 'Lake', "


def app(folder: Path, program: str) -> Path:
    (folder / "app.py").write_text(program)
    (folder / "cdk.json").write_text(f'{{"app": "{sys.executable} app.py"}}')
    return folder


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        pytest.param("import sys; sys.exit('name one: dev or prod')", "name one: dev or prod", id="its own sentence"),
        pytest.param("raise ValueError('[Serving] no such type')", "[Serving] no such type", id="an error"),
        pytest.param("raise KeyError", "KeyError", id="an error without words"),
        pytest.param("import sys; sys.exit(3)", "the app failed without a word", id="a status alone"),
        pytest.param(f"{BUCKET}bucket_name='UPPER')", "Invalid S3 bucket name (value: UPPER)", id="CDK's refusal"),
        pytest.param(
            f"{BUCKET}encryption_key='abc')",
            "Passed to parameter props of new aws-cdk-lib.aws_s3.Bucket: "
            "Unable to deserialize value as aws-cdk-lib.aws_s3.BucketProps | undefined",
            id="jsii's refusal of a type",
        ),
        pytest.param("", "ended well but wrote no assembly; call app.synth()", id="an app that never synthesizes"),
    ],
)
def test_the_apps_last_word_is_the_reason(tmp_path: Path, program: str, sentence: str) -> None:
    with pytest.raises(SynthesisFailed) as failure:
        synthesize(app(tmp_path, program), tmp_path / "cdk.out", validate=False)

    assert str(failure.value).endswith(sentence)
    assert len(str(failure.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("{bad", "must be JSON, got: ", id="no JSON"),
        pytest.param("[]", 'must name its app, as in {"app": "python app.py"}', id="a list"),
        pytest.param('{"app": 1}', 'must name its app, as in {"app": "python app.py"}', id="no command"),
    ],
)
def test_settings_that_name_no_app_are_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "cdk.json").write_text(text)

    with pytest.raises(SynthesisFailed) as failure:
        synthesize(tmp_path, tmp_path / "cdk.out")

    assert problem in str(failure.value)


@pytest.mark.parametrize("output", [".", "cdk.json"])
def test_what_is_no_assembly_is_never_removed(tmp_path: Path, output: str) -> None:
    app(tmp_path, "")

    with pytest.raises(SynthesisFailed, match="must be empty or a cloud assembly, got something else; name another"):
        synthesize(tmp_path, tmp_path / output)

    assert (tmp_path / "cdk.json").exists()
