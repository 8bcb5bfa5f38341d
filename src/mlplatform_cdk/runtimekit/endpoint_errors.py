"""What ``InvokeEndpoint`` says with 400 as of a wrong request, though its own region is at fault."""

import json
import re

# As AWS says it of an endpoint that was deleted, failed, or is not there yet.
_GONE = re.compile(r"Endpoint \S+ of account \S+ not found")
_TOO_FAST = "Rate exceeded"


def is_gone(message: str) -> bool:
    """Whether a ``ValidationError`` says that there is no endpoint of that name.

    :param message: of the error.
    """
    return _GONE.match(message) is not None


def is_regions_own(body: bytes) -> bool:
    """Whether an error of status 400 is the region's: its endpoint is gone, or SageMaker throttles.

    SageMaker's ``ThrottlingException`` has status 400, and no message where an endpoint has too much to do:
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html
    https://github.com/opensearch-project/ml-commons/issues/2429

    :param body: of the answer.
    """
    try:
        said = json.loads(body)
    except ValueError:
        return False
    if not isinstance(said, dict) or not {"message", "Message"} & said.keys():
        return False
    message = said.get("message", said.get("Message"))
    return message is None or (isinstance(message, str) and (message == _TOO_FAST or is_gone(message)))
