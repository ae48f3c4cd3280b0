"""Command line: `--port 8020 --dir DIR` serves, `keys DIR` only makes the keys."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from backend.sandbox.keys import ensure_keys
from backend.sandbox.platform import Timing
from backend.sandbox.server import HOST, serve

DEFAULT_PORT = 8020


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["keys"]:
        parser = argparse.ArgumentParser(prog="sandbox keys")
        parser.add_argument("dir", type=Path)
        parser.add_argument("--port", type=int, default=DEFAULT_PORT)
        options = parser.parse_args(given[1:])
        ensure_keys(options.dir, base_url=f"http://{HOST}:{options.port}")
        return 0
    defaults = Timing()
    parser = argparse.ArgumentParser(prog="sandbox", description="WeChat Pay v3 and a phone")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free port")
    parser.add_argument(
        "--bank-port", type=int, help="the bank's TCP port; the next one when not given"
    )
    parser.add_argument("--dir", type=Path, required=True, help="keys and state live here")
    parser.add_argument(
        "--retry-seconds",
        type=_seconds_list,
        default=defaults.retry_seconds,
        help="waits between deliveries of a refused notification, comma separated",
    )
    parser.add_argument("--settle-seconds", type=float, default=defaults.settle_seconds)
    options = parser.parse_args(given)
    timing = Timing(retry_seconds=options.retry_seconds, settle_seconds=options.settle_seconds)
    try:
        bank_port = options.bank_port
        if bank_port is None:
            bank_port = options.port + 1 if options.port else 0
        serve(options.dir, port=options.port, bank_port=bank_port, timing=timing)
    except OSError as error:
        sys.stderr.write(f"sandbox: cannot serve: {error}\n")
        return 1
    return 0


def _seconds_list(text: str) -> tuple[float, ...]:
    values = tuple(float(part) for part in text.split(","))
    if any(value < 0 for value in values):
        raise argparse.ArgumentTypeError("seconds cannot be negative")
    return values


if __name__ == "__main__":
    sys.exit(main())
