"""The WSGI application that gunicorn serves: ``backend.wsgi:app``, one program a process.

On the embedded database this one process also does the background work.
"""

from __future__ import annotations

from backend import serving
from backend.app import create_app
from backend.background import Background, wake_workers_after_commits
from backend.bootstrap import build_program
from backend.kernel import logging
from backend.settings import Settings

settings = Settings()
serving.refuse_greenlets_over_sqlite(settings)
logging.configure(settings.log_level)
program = build_program(settings)
app = create_app(program)

if settings.is_distributed:
    wake_workers_after_commits(program)
else:
    background = Background(program)
    background.start()

_socketio = app.extensions["xinglin_socketio"]
_socketio.start_background_task(app.extensions["xinglin"].live.run_beats)
