"""What a caller uses: one object that asks the best region, and another where that one fails."""

import ssl
import uuid
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult, urlsplit

from mlplatform_cdk.runtimekit.client.answers import Answer
from mlplatform_cdk.runtimekit.client.authorization import Authorization, Iam
from mlplatform_cdk.runtimekit.client.budget import Budget
from mlplatform_cdk.runtimekit.client.call import Call, Shared
from mlplatform_cdk.runtimekit.client.http_wire import HttpWire
from mlplatform_cdk.runtimekit.client.policy import Breaking, Hedging, Limits, Retries, Watching
from mlplatform_cdk.runtimekit.client.regions import Regions, RegionStatus
from mlplatform_cdk.runtimekit.client.verdicts import Verdicts
from mlplatform_cdk.runtimekit.client.wire import Wire

IDEMPOTENCY_KEY = "X-Idempotency-Key"
INFERENCE_ID = "X-Amzn-SageMaker-Inference-Id"
_INVOCATIONS = "/invocations"
_LONGEST_KEY = 128
_LONGEST_INFERENCE_ID = 64  # by botocore's model of InvokeEndpoint
_HERE = {"127.0.0.1", "::1", "localhost"}
_OURS = {"host", "content-length", "content-type", "accept", "authorization", "x-api-key", IDEMPOTENCY_KEY.lower()}


def regional_urls(domain_name: str, regions: Iterable[str]) -> dict[str, str]:
    """Region to the URL of its API alone, by the names that a ``MultiRegionEndpoint`` gives.

    :param domain_name: the one name of all regions, such as ``models.example.com``.
    :param regions: such as ``["eu-west-1", "eu-central-1"]``.
    """
    return {region: f"https://{region}.{domain_name}" for region in regions}


class RegionClient:
    """Asks a model that several regions serve, and falls over from one to the next on its own.

    One for a process, used by all its threads; a process that forks makes it after the fork.

    :param urls: region to the URL of its API, as ``regional_urls`` gives them.
    :param authorization: how requests prove who sends them; default: ``Iam()``, signed by AWS credentials.
    :param prefer: regions that come first, in this order; default: none, so that measured latency alone decides.
    :param limits: how long a call may take; default: 15 s, of which 5 s an attempt.
    :param retries: how often it is tried again; default: three times, and all calls together no more than their budget.
    :param hedging: asks another region beside a slow one; default: none, a call asks one region at a time.
    :param breaking: when a region is left alone, and how it is returned to.
    :param watching: how often the regions' own verdicts are looked at, so that one that was drained or whose model
        answers wrongly is not asked; None: never; default: every 30 s.
    :param tls: trust other than the system's, or the client's certificate for mutual TLS.
    :param wire: in place of the network, for tests; URLs may then be ``http`` too.
    :param path: what is asked below each URL, such as ``/predictions`` of a function of features; default:
        ``/invocations``.
    :param keyed: whether requests carry ``X-Idempotency-Key``: a function of features refuses it where it keeps no
        answers (``answered=``), so any other path than ``/invocations`` must say which; default: yes, at that path.
    """

    def __init__(  # noqa: PLR0913 - each argument but the first has a default
        self,
        urls: Mapping[str, str],
        *,
        authorization: Authorization | None = None,
        prefer: Sequence[str] = (),
        limits: Limits = Limits(),  # noqa: B008 -- a frozen value
        retries: Retries = Retries(),  # noqa: B008 -- a frozen value
        hedging: Hedging | None = None,
        breaking: Breaking = Breaking(),  # noqa: B008 -- a frozen value
        watching: Watching | None = Watching(),  # noqa: B008 -- a frozen value
        tls: ssl.SSLContext | None = None,
        wire: Wire | None = None,
        path: str = _INVOCATIONS,
        keyed: bool | None = None,
    ) -> None:
        if not urls:
            raise ValueError("a client needs at least one region, got none")
        if unknown := [region for region in prefer if region not in urls]:
            raise ValueError(f"prefer must name regions of urls ({', '.join(urls)}), got {', '.join(unknown)}")
        if keyed is None and path != _INVOCATIONS:
            raise ValueError(
                f"keyed must be given for {path}: True where it keeps answers (FeatureFunction(answered=...)), "
                "False where it does not and would refuse every request"
            )
        self._keyed = keyed is not False
        bases = {region: _checked(region, url, plain=wire is not None) for region, url in urls.items()}
        wire = wire or HttpWire(tls=tls)
        hedges = hedging or Hedging()
        known = Regions([*urls], prefer=prefer, rules=breaking, chance=wire.chance)
        health = {region: f"{base}/health" for region, base in bases.items()}
        self._shared = Shared(
            urls={region: f"{base}{path}" for region, base in bases.items()},
            authorization=authorization or Iam(),
            wire=wire,
            regions=known,
            limits=limits,
            retries=retries,
            hedging=hedging,
            retry_budget=Budget(share=retries.share, reserve=retries.reserve),
            hedge_budget=Budget(share=hedges.share, reserve=hedges.reserve),
            verdicts=None
            if watching is None
            else Verdicts(wire=wire, urls=health, rules=watching, limits=limits, regions=known),
        )

    def invoke(
        self,
        body: bytes | str,
        *,
        content_type: str = "application/json",
        accept: str = "application/json",
        idempotency_key: str | None = None,
        idempotent: bool = True,
        headers: Mapping[str, str] | None = None,
        deadline_s: float | None = None,
    ) -> Answer:
        """Ask the best region, and another where that one fails.

        :param body: the request, as the model takes it.
        :param content_type: of the request.
        :param accept: the content type of the answer.
        :param idempotency_key: 1 to 128 visible ASCII characters that all attempts carry; the model gets it as the
            inference id, too, where it has 64 at most and ``headers`` name no other; a client that is not ``keyed``
            takes none; default: a new UUID.
        :param idempotent: whether the request may be processed twice, as a prediction may; where it may not, it is
            tried again only if it was certainly not processed, and never hedged.
        :param headers: further ones, such as ``X-Amzn-SageMaker-Custom-Attributes``.
        :param deadline_s: seconds until the caller stops waiting; default: that of ``limits``.
        :raises CallRefused: when a region says that the request is wrong (any status but 2xx, 429 and 5xx of a
            passing fault).
        :raises CallFailed: when no region answers, within what a call may spend.
        :raises NoCredentials: when there is nothing to sign with.
        """
        if idempotency_key is not None and not self._keyed:
            raise ValueError(f"idempotency_key needs a client with keyed=True, got {idempotency_key!r}")
        key = uuid.uuid4().hex if idempotency_key is None else idempotency_key
        if len(key) > _LONGEST_KEY or not _visible(key):
            raise ValueError(f"idempotency_key must be 1 to {_LONGEST_KEY} visible ASCII characters, got {key!r}")
        seconds = self._shared.limits.deadline_s if deadline_s is None else deadline_s
        if not seconds > 0:  # which is so for what is no number, too
            raise ValueError(f"deadline_s must be above 0, got {seconds:g}")
        further = _further(headers or {})
        own = {"Content-Type": content_type, "Accept": accept} | ({IDEMPOTENCY_KEY: key} if self._keyed else {})
        if len(key) <= _LONGEST_INFERENCE_ID and INFERENCE_ID.lower() not in map(str.lower, further):
            own[INFERENCE_ID] = key  # what API Gateway hands on to the endpoint, and data capture keeps
        call = Call(
            shared=self._shared,
            headers=_sendable(own | further),
            body=body.encode() if isinstance(body, str) else body,
            key=key,
            idempotent=idempotent,
            deadline=self._shared.wire.now() + seconds,
        )
        return call.run()

    def status(self) -> tuple[RegionStatus, ...]:
        """What this client knows of each region now, the best first."""
        return self._shared.regions.status(self._shared.wire.now())

    def close(self) -> None:
        """Close the connections; calls that still run may fail."""
        self._shared.wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


def _checked(region: str, url: str, *, plain: bool) -> str:
    """``url`` without its last slash, if a request may be sent there; ``plain``: over HTTP, too."""
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and (plain or parts.hostname in _HERE))
    if not secure or not parts.hostname or parts.query or parts.fragment or not _has_port(parts):
        raise ValueError(f"the URL of {region} must be https://host or https://host/path, got {url!r}")
    return url.rstrip("/")


def _has_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _further(headers: Mapping[str, str]) -> dict[str, str]:
    for name in headers:
        if name.lower() in _OURS:
            raise ValueError(f"the header {name} is the client's own; it has a parameter, or is not yours to set")
    return dict(headers)


def _sendable(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not (_visible(name) and ":" not in name and _visible(value.replace(" ", ""))):
            raise ValueError(f"a header must be visible ASCII characters, got {name!r}: {value!r}")
    return headers


def _visible(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and " " not in text
