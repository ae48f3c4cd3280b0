"""The WSGI application that gunicorn serves: ``backend.wsgi:app``, one program a process.

On the embedded database this one process also does the background work.
"""

from __future__ import annotations

import gc

from backend import serving
from backend.app import create_app
from backend.background import Background, wake_workers_after_commits
from backend.bootstrap import build_program
from backend.kernel import greenlets, logging
from backend.settings import Settings

settings = Settings()
serving.refuse_greenlets_over_sqlite(settings)
logging.configure(settings.log_level)
if greenlets.are_in_charge():
    greenlets.teach_psycopg()
program = build_program(settings)
app = create_app(program)

if settings.is_distributed:
    wake_workers_after_commits(program)
else:
    background = Background(program)
    background.start()

_socketio = app.extensions["xinglin_socketio"]
_socketio.start_background_task(app.extensions["xinglin"].live.run_beats)

# What is loaded by now stays for the life of the process: the collector need not go through it again and again, nor
# come after every few hundred objects where one page makes thousands.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 20)
