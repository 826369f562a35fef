"""The application for gunicorn: `gunicorn -c gunicorn.conf.py wsgi:app`."""

from __future__ import annotations

import sys
from typing import Final

from app import create_app
from ltp import logs
from ltp import settings as settings_module
from ltp.errors import LTPError

_CANNOT_LOAD: Final = (
    4  # with this status gunicorn ends; with any other it restarts the process again and again
)

try:
    _settings = settings_module.load()
    logs.configure("web", _settings.log_level)
    app = create_app(_settings, database_may_be_away=True)  # gunicorn.conf.py has waited for the database
except LTPError as error:
    print(error, file=sys.stderr, flush=True)  # noqa: T201
    sys.exit(_CANNOT_LOAD)
