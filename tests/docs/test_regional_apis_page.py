"""Does docs/regional-apis.md say what is?"""

import re
from pathlib import Path

from botocore.loaders import Loader

from mlplatform_cdk.local.adapters.api_gateway import exchange, fronts
from mlplatform_cdk.routing import regional_api
from mlplatform_cdk.routing.regional_api import methods
from mlplatform_cdk.routing.regional_api.authorization import FIVE_MINUTES
from mlplatform_cdk.routing.regional_api.authorizer.runtime import keys, rs256
from mlplatform_cdk.routing.regional_api.firewall import THIRTY_THOUSAND
from mlplatform_cdk.routing.regional_api.throttle import ONE_HUNDRED_A_SECOND

PAGE = (Path(__file__).parents[2] / "docs" / "regional-apis.md").read_text(encoding="utf-8")
RUNTIME = Loader().load_service_model("sagemaker-runtime", "service-2")["shapes"]
GATEWAY = Loader().load_service_model("apigateway", "service-2")["shapes"]


def test_the_program_builds_a_plan_with_the_names_of_the_page() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, object] = {}
    exec(program, names)
    plan = names["plan"]

    assert f"`{plan.regional_name('eu-west-1')}`" in PAGE  # type: ignore[attr-defined]
    assert f"`{plan.target_name('eu-west-1')}`" in PAGE  # type: ignore[attr-defined]


def test_the_limits_are_those_of_the_service_models() -> None:
    timeout = GATEWAY["Integration"]["members"]["timeoutInMillis"]["documentation"]

    assert RUNTIME["CustomAttributesHeader"]["max"] == 1024
    assert "29,000 milliseconds" in timeout
    assert exchange.LARGEST_BODY == 10 * 2**20
    for said in ("| 10 MB |", "| 1,024 characters |", "| 29 s |", "25 MB"):
        assert said in PAGE


def test_the_statuses_of_the_page_are_those_of_sagemakers_errors() -> None:
    codes = {shape["error"]["httpStatusCode"] for shape in RUNTIME.values() if "error" in shape}

    assert codes == {*methods._ERRORS} - {403}
    assert all(str(code) in PAGE for code in codes)
    assert f"unknown is {methods._UNKNOWN}" in PAGE


def test_what_a_stale_verdict_says_is_on_the_page() -> None:
    assert f"`{methods.STALE}`" in PAGE


def test_every_way_to_know_callers_is_on_the_page() -> None:
    for name in ("iam", "api_key", "jwt", "cognito"):
        assert hasattr(regional_api.Authorization, name)
        assert f"`Authorization.{name}(" in PAGE


def test_the_defaults_of_the_page_are_those_of_the_code() -> None:
    default = ONE_HUNDRED_A_SECOND

    assert f"`Throttle(rate={default.rate}, burst={default.burst})`" in PAGE
    assert f"{THIRTY_THOUSAND.rate:,} in five minutes" in PAGE
    assert FIVE_MINUTES.total_seconds() == 300
    assert (rs256._LEAST_BITS, keys._KEPT_SECONDS) == (2048, 3600)


def test_the_fronts_are_where_the_page_says() -> None:
    assert f"`GET {fronts.PATH}`" in PAGE
