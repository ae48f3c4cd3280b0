"""The web process as gunicorn serves it, but for one thing: while the file ``drop`` stands in the data folder, live
messages are committed and then lost on their way to the clients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend import wsgi
from backend.kernel.live import Emitter


class LossyEmitter:
    """Loses what it should carry while ``sign`` exists."""

    def __init__(self, inner: Emitter, sign: Path) -> None:
        self._inner = inner
        self._sign = sign

    def emit(self, stream: str, no: int, payload: dict[str, Any]) -> None:
        if not self._sign.exists():
            self._inner.emit(stream, no, payload)


assert wsgi.program.database.emitter is not None
wsgi.program.database.emitter = LossyEmitter(
    wsgi.program.database.emitter, wsgi.settings.data_dir / "drop"
)
app = wsgi.app
