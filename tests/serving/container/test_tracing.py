"""Whose trace is a request part of, and what of a request comes back with its answer?"""

import pytest

from mlplatform_cdk.serving.container.tracing import handed_back, log_fields, trace_of

ID = "5759e988bd862e3fe1be46a994272793"
XRAY = "1-5759e988-bd862e3fe1be46a994272793"


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amzn-trace-id": f"Root={XRAY}"},
        {"x-amzn-trace-id": f"Root={XRAY};Parent=53995c3f42cd8ad8;Sampled=1"},
        {"x-amzn-trace-id": f"Self=1-67891234-12456789abcdef012345678;Root={XRAY}"},
        {"traceparent": f"00-{ID}-00f067aa0ba902b7-01"},
        {"traceparent": f"cc-{ID}-00f067aa0ba902b7-01-what-the-future-will-be-like"},
        {"traceparent": f"00-{ID}-00f067aa0ba902b7-01", "x-amzn-trace-id": "Root=1-00000000-000000000000000000000001"},
        {"traceparent": "broken", "x-amzn-trace-id": f"Root={XRAY}"},
    ],
)
def test_a_trace_is_taken_over_from_either_header(headers: dict[str, str]) -> None:
    trace = trace_of(headers)

    assert trace is not None
    assert (trace.trace_id, trace.xray_id) == (ID, XRAY)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-amzn-trace-id": "Sampled=1"},
        {"x-amzn-trace-id": "Root=1-5759e988-bd862e3fe1be46a99427279"},
        {"traceparent": f"ff-{ID}-00f067aa0ba902b7-01"},
        {"traceparent": f"00-{'0' * 32}-00f067aa0ba902b7-01"},
        {"traceparent": f"00-{ID}-{'0' * 16}-01"},
        {"traceparent": f"00-{ID.upper()}-00f067aa0ba902b7-01"},
    ],
)
def test_what_is_not_well_formed_is_no_trace(headers: dict[str, str]) -> None:
    assert trace_of(headers) is None
    assert log_fields(headers) == {}


def test_a_request_finds_its_own_words_in_its_answer() -> None:
    headers = {
        "x-amzn-sagemaker-custom-attributes": "a=1",
        "x-amzn-sagemaker-inference-id": "42",
        "x-amzn-trace-id": f"Root={XRAY}",
        "x-amzn-sagemaker-target-model": "a.tar.gz",
        "accept": "text/csv",
    }

    assert dict(handed_back(headers)) == {
        "X-Amzn-SageMaker-Custom-Attributes": "a=1",
        "X-Amzn-SageMaker-Inference-Id": "42",
        "X-Amzn-Trace-Id": f"Root={XRAY}",
    }
    assert log_fields(headers) == {
        "trace_id": ID,
        "xray_trace_id": XRAY,
        "inference_id": "42",
        "target_model": "a.tar.gz",
    }
