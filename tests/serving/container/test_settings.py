"""Does the environment say what the container does, and is every setting documented?"""

import sys
from dataclasses import fields
from pathlib import Path

import pytest

from mlplatform_cdk.runtimekit.settings import SettingError
from mlplatform_cdk.serving.container.limits import Limits
from mlplatform_cdk.serving.container.settings import Settings, table

PAGE = Path(__file__).parents[3] / "docs" / "serving.md"


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.read({}) == Settings()
    assert Settings.read({"LANES": ""}) == Settings()


def test_every_kind_of_setting_is_read() -> None:
    told = {"LANES": "3", "MAX_BATCH_DELAY_MS": "2.5", "ALLOW_CPU": "True", "ENGINE": "openvino", "BIND_HOST": "::1"}

    settings = Settings.read(told)

    assert (settings.lanes, settings.max_batch_delay_ms, settings.allow_cpu) == (3, 2.5, True)
    assert (settings.engine, settings.host) == ("openvino", "::1")


def test_every_limit_has_a_variable_and_its_own_default() -> None:
    variables = {f"MAX_{one.name.upper()}": one.name for one in fields(Limits)}
    told = {variable: str(number) for number, variable in enumerate(variables, 1)}

    assert Settings.read({}).limits() == Limits()
    assert Settings.read(told).limits() == Limits(**{name: int(told[one]) for one, name in variables.items()})


def test_a_request_may_be_as_large_as_sagemakers_real_time_endpoints_take() -> None:
    assert Settings().max_body_bytes == 25 * 2**20 > 25_000_000


BATCH = {"SAGEMAKER_BATCH": "true"}


@pytest.mark.parametrize(
    ("told", "body", "deadline"),
    [
        (BATCH, 25 * 2**20, 600_000),
        (BATCH | {"SAGEMAKER_MAX_PAYLOAD_IN_MB": "6"}, 25 * 2**20, 600_000),
        (BATCH | {"SAGEMAKER_MAX_PAYLOAD_IN_MB": "100"}, 100 * 2**20, 600_000),
        (BATCH | {"SAGEMAKER_MAX_PAYLOAD_IN_MB": "0"}, sys.maxsize, 600_000),
        (BATCH | {"SAGEMAKER_MAX_PAYLOAD_IN_MB": "100", "MAX_BODY_BYTES": "5", "DEADLINE_MS": "7"}, 5, 7),
        ({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "100"}, 25 * 2**20, None),
    ],
)
def test_a_batch_transform_says_how_large_requests_are_and_waits_for_answers(
    told: dict[str, str], body: int, deadline: float | None
) -> None:
    settings = Settings.read(told)

    assert (settings.max_body_bytes, settings.deadline_ms) == (body, deadline)


@pytest.mark.parametrize(
    ("variable", "text", "sentence"),
    [
        ("LANES", "0", "LANES must be a whole number, 1 to 256, got '0'"),
        ("LANES", "2.5", "LANES must be a whole number, 1 to 256, got '2.5'"),
        ("MAX_BODY_BYTES", "many", "MAX_BODY_BYTES must be a whole number, 1 or more, got 'many'"),
        ("MAX_BATCH_DELAY_MS", "31", "MAX_BATCH_DELAY_MS must be a number, 0 to 30, got '31'"),
        ("DEADLINE_MS", "nan", "DEADLINE_MS must be a number, 1 or more, got 'nan'"),
        ("ALLOW_CPU", "perhaps", "ALLOW_CPU must be true or false, got 'perhaps'"),
    ],
)
def test_what_a_variable_cannot_mean_is_told_in_one_sentence(variable: str, text: str, sentence: str) -> None:
    with pytest.raises(SettingError) as raised:
        Settings.read({variable: text})

    assert str(raised.value) == f"the environment variable {sentence}"


def test_every_default_lies_in_its_range() -> None:
    for one in fields(Settings):
        least, most = one.metadata["least"], one.metadata["most"]
        if one.default is not None and least is not None:
            assert least <= one.default <= (most or float("inf")), one.name


def test_the_page_shows_the_settings_as_they_are() -> None:
    assert table() in PAGE.read_text(encoding="utf-8")
