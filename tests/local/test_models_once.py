"""What do sessions of one process share of AWS's service models?"""

from __future__ import annotations

import os
from typing import Any

import boto3
import pytest
from botocore import hooks
from botocore.compat import accepts_kwargs
from botocore.session import get_session

from mlplatform_cdk.local.models_once import read_models_once

WHOLE = "/{Bucket}/{Key+}"


@pytest.fixture(autouse=True)
def _once() -> None:
    read_models_once()


def client(service: str) -> Any:
    return boto3.Session().client(
        service, region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"
    )


def test_a_second_session_looks_for_no_service_and_reads_no_model_again(monkeypatch: pytest.MonkeyPatch) -> None:
    client("s3")
    monkeypatch.setattr(os, "listdir", lambda folder: pytest.fail(f"listed {folder}"))
    monkeypatch.setattr("botocore.loaders.json.loads", lambda *_, **__: pytest.fail("read a model"))

    assert client("s3").meta.service_model.operation_names


def test_each_session_has_s3s_operations_whole_though_clients_cut_the_bucket_off() -> None:
    def path(loader: Any) -> str:
        return str(loader.load_service_model("s3", "service-2")["operations"]["GetObject"]["http"]["requestUri"])

    s3 = client("s3")
    s3.generate_presigned_url("get_object", Params={"Bucket": "a", "Key": "b"})

    assert s3.meta.service_model.operation_model("GetObject").http["requestUri"] != WHOLE
    assert path(get_session().get_component("data_loader")) == WHOLE


def test_a_handler_is_known_to_take_anything_without_its_whole_signature() -> None:
    class Handler:
        def method(self, **_: Any) -> None: ...

        def __call__(self, **_: Any) -> None: ...

    def narrow(request: Any) -> None: ...

    for handler in (Handler().method, Handler(), narrow, lambda **_: None):
        assert bool(hooks.accepts_kwargs(handler)) == bool(accepts_kwargs(handler))
