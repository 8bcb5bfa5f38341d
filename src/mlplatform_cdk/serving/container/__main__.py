"""``python -m mlplatform_cdk.serving.container [serve]``: serve the model that SageMaker has put into ``model``."""

import signal
import sys
import threading

from mlplatform_cdk.runtimekit import job, logs, settings
from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.serving.container.model import Model
from mlplatform_cdk.serving.container.server import Server
from mlplatform_cdk.serving.container.service import Service

_LARGEST_BODY = 6 * 1024 * 1024  # what SageMaker's real-time endpoints take
_GRACE_SECONDS = 25  # SageMaker kills a container 30 seconds after SIGTERM
_log = logs.logger("serving")


class _Process:
    """Listens at once, loads the model meanwhile, and ends on SIGTERM or when the model cannot be served."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._code = 0

    def run(self) -> int:
        """Serve until told to stop; the exit code is 1 when the model could not be loaded."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._ended.set())
        service, server = self._listen()
        threading.Thread(target=self._load, args=(service,), daemon=True).start()
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self._ended.wait()
        drained = server.stop(grace_seconds=_GRACE_SECONDS)
        _log.info("stopped", extra={"all_requests_answered": drained})
        return self._code

    def _listen(self) -> tuple[Service, Server]:
        service = Service()
        address = settings.optional("BIND_HOST", "0.0.0.0")  # noqa: S104 - a container is reached from outside it
        port = int(settings.number("SAGEMAKER_BIND_TO_PORT", 8080, least=0, most=65535))
        limit = int(settings.number("MAX_BODY_BYTES", _LARGEST_BODY, least=1))
        server = Server((address, port), service, body_limit=limit)
        _log.info("listening", extra={"port": server.server_port})
        return service, server

    def _load(self, service: Service) -> None:
        try:
            threads = int(settings.number("INFERENCE_THREADS", 1, least=1))
            model = Model.load(job.model_dir(), threads=threads)
            service.serve(model)
            golden = len(model.manifest.golden_requests)
            _log.info("ready", extra={"run_id": model.manifest.run_id, "golden_requests": golden})
        except KnownError as error:
            self._fail(str(error))
        except Exception as error:  # noqa: BLE001 - the last place that can still tell the reason
            _log.exception("unexpected")
            self._fail(f"the model could not be loaded, with an unexpected {type(error).__name__}: {error}")

    def _fail(self, reason: str) -> None:
        _log.error(reason)
        self._code = 1
        self._ended.set()


def main(arguments: list[str]) -> int:
    """Serve; ``serve``, which SageMaker passes, may be said or not."""
    if arguments not in ([], ["serve"]):
        sys.stderr.write(f"the container takes no argument but serve, got {' '.join(arguments)}\n")
        return 2
    try:
        return _Process().run()
    except (KnownError, OSError) as error:
        _log.error(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
