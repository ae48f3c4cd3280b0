"""The printer's TCP port: one connection at a time, as port 9100 has it; others wait their turn."""

from __future__ import annotations

import select
import socket
import threading

from hardware_drivers.simulators.printer.mechanism import ConnectionBrokenError, PrinterMechanism


class PrinterSimulator:
    """A printer listening on 127.0.0.1; port 0 takes a free one."""

    def __init__(self, port: int = 0) -> None:
        self.mechanism = PrinterMechanism()
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._wake, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name=f"printer-{self.port}", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The address a kiosk is configured with."""
        return f"tcp://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Switch it off."""
        self._waker.send(b"x")
        self._thread.join()
        for each in (self._listener, self._wake, self._waker):
            each.close()

    def _run(self) -> None:
        while True:
            ready = select.select([self._listener, self._wake], [], [])[0]
            if self._wake in ready:
                return
            link, _address = self._listener.accept()
            with link:
                if not self._serve(link):
                    return

    def _serve(self, link: socket.socket) -> bool:
        """Serve one connection to its end; False when the printer was switched off meanwhile."""
        try:
            while True:
                ready = select.select([link, self._wake], [], [])[0]
                if self._wake in ready:
                    return False
                data = link.recv(65536)
                if not data:
                    return True
                answer = self.mechanism.receive(data)
                if answer:
                    link.sendall(answer)
        except (OSError, ConnectionBrokenError):
            return True  # the cable went, at either end
        finally:
            self.mechanism.hang_up()
