"""A caller of a model that two regions serve: it is answered while one of them is."""

import json
import sys
from typing import Any

from mlplatform_cdk.runtimekit.client import CallFailed, CallRefused, Hedging, RegionClient, regional_urls

client = RegionClient(regional_urls("models.example.com", ["eu-west-1", "eu-central-1"]), hedging=Hedging())


def predict(rows: list[list[float]], order: str) -> Any:
    """What the model says of ``rows``; ``order`` names the request, however often it is sent."""
    answer = client.invoke(json.dumps({"inputs": {"features": rows}}), idempotency_key=order)
    return json.loads(answer.body)


try:
    sys.stdout.write(json.dumps(predict([[1.0, 2.0, 3.0]], order="order-17")) + "\n")
except CallRefused as refused:
    sys.exit(f"the request is wrong: {refused}")
except CallFailed as failed:
    sys.exit(f"try again later: {failed}")
finally:
    client.close()
