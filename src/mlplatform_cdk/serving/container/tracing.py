"""The trace that a request belongs to, taken over from whoever called: into the log's lines and into the answer.

X-Ray's header: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
OpenTelemetry's, the W3C's: https://www.w3.org/TR/trace-context/#traceparent-header
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

XRAY, TRACEPARENT = "x-amzn-trace-id", "traceparent"
ATTRIBUTES, INFERENCE_ID = "x-amzn-sagemaker-custom-attributes", "x-amzn-sagemaker-inference-id"
TARGET_MODEL = "x-amzn-sagemaker-target-model"  # what the caller of a multi-model endpoint named, below its prefix
_ROOT = re.compile(r"(?:^|;)\s*Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?=;|\s|$)")
_W3C = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
# What an answer hands back of its request, under the name that it came by; SageMaker's own first.
HANDED_BACK = {
    ATTRIBUTES: "X-Amzn-SageMaker-Custom-Attributes",
    INFERENCE_ID: "X-Amzn-SageMaker-Inference-Id",
    XRAY: "X-Amzn-Trace-Id",
    TRACEPARENT: "traceparent",
}


@dataclass(frozen=True, slots=True)
class Trace:
    """One trace.

    :param trace_id: 32 hexadecimal digits, as OpenTelemetry writes it.
    """

    trace_id: str

    @property
    def xray_id(self) -> str:
        """The same as X-Ray writes it."""
        return f"1-{self.trace_id[:8]}-{self.trace_id[8:]}"


def trace_of(headers: Mapping[str, str]) -> Trace | None:
    """The trace that ``headers`` tell; ``None`` for no header, or one that is not well formed.

    :param headers: names in lower case; the W3C's header wins over X-Ray's.
    """
    told = headers.get(TRACEPARENT)
    if told is not None:
        match = _W3C.fullmatch(told)
        if match is not None:
            return Trace(match[1])
    told = headers.get(XRAY)
    match = None if told is None else _ROOT.search(told)
    return None if match is None else Trace(match[1] + match[2])


def handed_back(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The headers of an answer that repeat its request's: custom attributes, inference id, trace.

    :param headers: the request's, names in lower case.
    """
    return tuple((name, headers[key]) for key, name in HANDED_BACK.items() if key in headers)


def log_fields(headers: Mapping[str, str]) -> dict[str, str]:
    """What a log line about one request says of it: trace, inference id and target model, where it has them."""
    fields: dict[str, str] = {}
    trace = trace_of(headers)
    if trace is not None:
        fields |= {"trace_id": trace.trace_id, "xray_trace_id": trace.xray_id}
    if INFERENCE_ID in headers:
        fields["inference_id"] = headers[INFERENCE_ID]
    if TARGET_MODEL in headers:
        fields["target_model"] = headers[TARGET_MODEL]
    return fields
