"""`python -m hardware_drivers.simulators.bench`: run the bench until SIGTERM or Ctrl-C, then leave
nothing behind.
"""

from __future__ import annotations

import argparse
import logging
import signal
import socket
import sys
import threading
from pathlib import Path
from types import FrameType

from werkzeug.serving import make_server

from hardware_drivers.simulators.bench.app import create_app
from hardware_drivers.simulators.bench.devices import KioskDevices, running_devices
from hardware_drivers.simulators.pcscd import READERS_A_SET, PcscdError

HOST = "127.0.0.1"


def main(arguments: list[str] | None = None) -> int:
    """Run the bench. Ends 0 after a signal, 1 with a message when something it needs cannot be had."""
    options = _parser().parse_args(arguments)
    ending = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        ending.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # Request lines would fill the terminal with the page's polling.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    try:
        listener = socket.create_server((HOST, options.port))
    except OSError:
        sys.stderr.write(
            f"端口 {options.port} 已被占用，请用 --port 换一个，或结束占用它的程序。\n"
        )
        return 1
    try:
        with (
            listener,
            running_devices(
                options.dir,
                options.kiosks,
                reader_set=options.readers,
                wait=options.wait,
                first_printer_port=options.port + 1 if options.port else 0,
            ) as kiosks,
        ):
            _serve(listener, kiosks, ending)
    except OSError as error:
        sys.stderr.write(f"设备台无法启动，打印机端口从 {options.port + 1} 起：{error.strerror}\n")
        return 1
    except PcscdError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _serve(listener: socket.socket, kiosks: list[KioskDevices], ending: threading.Event) -> None:
    """Serve the page on the listening socket until `ending` is set."""
    port = listener.getsockname()[1]
    server = make_server(HOST, port, create_app(kiosks), threaded=True, fd=listener.fileno())
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    serving.start()
    sys.stdout.write(f"http://{HOST}:{port}/\n")
    sys.stdout.flush()
    ending.wait()
    server.shutdown()
    serving.join()
    server.server_close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hardware_drivers.simulators.bench", description=__doc__)
    parser.add_argument(
        "--port",
        type=int,
        default=8030,
        help="port of the page, printers follow; 0 takes free ones",
    )
    parser.add_argument("--kiosks", type=int, default=4, choices=range(1, READERS_A_SET + 1))
    parser.add_argument(
        "--dir", type=Path, required=True, help="where devices.json and the serial lines go"
    )
    parser.add_argument(
        "--readers", choices=("kiosk", "test"), default="kiosk", help="set of virtual readers"
    )
    parser.add_argument(
        "--wait", type=float, default=0.0, help="seconds to wait for virtual readers in use"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
