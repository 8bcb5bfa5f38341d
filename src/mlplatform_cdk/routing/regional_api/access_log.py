"""What a line of the access log says: who asked for what, what came of it, how long it took; no body, no secret.

Names: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
"""

import json

_CALLER = ("apiKeyId", "caller", "sourceIp", "user", "userAgent")
_REQUEST = ("domainName", "httpMethod", "path", "protocol", "requestId", "requestTimeEpoch", "resourcePath", "stage")
_OUTCOME = ("status", "responseLatency", "responseLength", "wafResponseCode", "xrayTraceId", "extendedRequestId")
_PARTS = {
    "authorizer": ("error", "principalId"),
    "error": ("message", "responseType"),
    "identity": _CALLER,
    "integration": ("error", "latency", "requestId", "status"),
}

FIELDS = (*_REQUEST, *_OUTCOME, *(f"{part}.{name}" for part, names in _PARTS.items() for name in names))
LINE = json.dumps({name: f"$context.{name}" for name in FIELDS}, separators=(",", ":"))
