"""`python -m kiosk_agent`: runs one kiosk until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from types import FrameType

import structlog
from pydantic import ValidationError

from kiosk_agent.agent import Agent
from kiosk_agent.settings import Settings


def _arguments(argv: list[str]) -> dict[str, str]:
    """What the command line says; the rest comes from XINGLIN_KIOSK_* and the defaults."""
    parser = argparse.ArgumentParser(prog="kiosk_agent", description="Xinglin kiosk")
    parser.add_argument("--port", help="port of the touch screen on loopback")
    parser.add_argument("--backend", help="address of the backend, e.g. http://127.0.0.1:8000")
    parser.add_argument("--state-dir", help="folder of credential and journal")
    parser.add_argument("--devices", help="file with the addresses of the devices")
    parser.add_argument("--index", help="this kiosk's entry in the devices file")
    parser.add_argument("--enrolment-code", help="one-time code, needed once")
    given = vars(parser.parse_args(argv))
    return {name: value for name, value in given.items() if value is not None}


def _configure_logging() -> None:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )


def main(argv: list[str]) -> int:
    """Run the kiosk; 0 after an orderly end, 2 for settings that cannot work."""
    _configure_logging()
    try:
        settings = Settings(**_arguments(argv))  # type: ignore[arg-type]  # pydantic parses text
        agent = Agent(settings)
    except (ValidationError, OSError) as error:
        sys.stderr.write(f"kiosk: {error}\n")
        return 2

    def end(_signal: int, _frame: FrameType | None) -> None:
        # `shutdown` waits for `serve`, which runs in this very thread.
        threading.Thread(target=agent.stop_serving, name="end").start()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    agent.start()
    agent.serve()
    agent.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
