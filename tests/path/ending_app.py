"""The whole web application, of which a request of a test can end a thread, whatever that thread catches."""

from __future__ import annotations

import ctypes
import os
import threading

import gevent

from wsgi import app as site


class Fault(BaseException):
    """Nothing but the end of a thread catches it."""


@site.get("/pid")
def pid() -> str:
    return str(os.getpid())


@site.get("/end/<name>")
def end(name: str) -> str:
    (ident,) = [thread.ident for thread in threading.enumerate() if thread.name == name]
    greenlet = ctypes.cast(
        ident or 0, ctypes.py_object
    ).value  # gevent's identities are the addresses of its greenlets
    gevent.kill(greenlet, Fault)
    return str(os.getpid())


app = site
