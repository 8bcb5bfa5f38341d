"""The process that the embedded AWS is: moto's application with our adapters, and the end of all its children.

Run by ``server.start``; the standard input is a leash: when ``--leashed``, its end is the end of this process.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import gc
import json
import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from mlplatform_cdk.local import settings as local_settings
from mlplatform_cdk.local.settings import HOST, SETTINGS_VARIABLE, STATE_FILE, Settings

LOG = logging.getLogger(__name__)

if TYPE_CHECKING:
    from types import FrameType

    from werkzeug.serving import BaseWSGIServer


def main(arguments: list[str] | None = None) -> None:
    """Serve until a signal or the leash ends it."""
    parser = argparse.ArgumentParser(description="the embedded AWS")
    parser.add_argument("--leashed", action="store_true", help="end when the standard input ends")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    if options.leashed:
        threading.Thread(target=_follow_the_leash, name="leash", daemon=True).start()
    status = 0
    try:
        serve(Settings.from_json(os.environ[SETTINGS_VARIABLE]))
    except Exception:
        status = 1
        LOG.exception("the embedded AWS could not go on")
    finally:
        _end_everything(status)


def serve(settings: Settings) -> None:
    """Answer requests; the settings file appears once the port is known and the adapters stand."""
    os.environ["MOTO_ACCOUNT_ID"] = settings.account
    gc.disable()  # while all is imported that stays: looking for garbage there would be a quarter of the start
    server = _listen(settings)
    settings = settings.with_port(server.port)
    local_settings.use(settings)
    os.environ[SETTINGS_VARIABLE] = settings.to_json()
    os.environ["MOTO_PORT"] = str(settings.port)
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # 1,300 images in each region, which nothing here starts
    from mlplatform_cdk.local import adapters

    adapters.install_all()
    # All of moto stays until the end: the garbage collector need not look through it again and again.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()
    _announce(settings)
    server.serve_forever()


def _listen(settings: Settings) -> BaseWSGIServer:
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    application = DomainDispatcherApplication(create_backend_app)
    return make_server(HOST, settings.port, application, threaded=True, request_handler=MotoRequestHandler)


def _announce(settings: Settings) -> None:
    state = {"pid": os.getpid(), "settings": json.loads(settings.to_json())}
    unfinished = settings.state_dir / f".{STATE_FILE}"
    unfinished.write_text(json.dumps(state))
    unfinished.replace(settings.state_dir / STATE_FILE)


def _follow_the_leash() -> None:
    while sys.stdin.buffer.read(4096):
        continue
    os.kill(os.getpid(), signal.SIGTERM)


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _end_everything(status: int) -> None:
    """Run what was registered for the end, then end the group: no job or endpoint outlives its AWS."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    atexit._run_exitfuncs()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.getpgrp() == os.getpid():
            os.killpg(os.getpgrp(), signal.SIGTERM)
    os._exit(status)


if __name__ == "__main__":
    main()
