"""The whole web application, and a request that ends one of its threads by an exception no thread catches."""

from __future__ import annotations

import ctypes
import os
import threading

import gevent

from wsgi import app as site


class Fault(BaseException):
    """Passes every `except Exception`."""


@site.get("/pid")
def pid() -> str:
    return str(os.getpid())


@site.get("/end/<name>")
def end(name: str) -> str:
    (ident,) = [thread.ident for thread in threading.enumerate() if thread.name == name]
    # gevent's thread identities are the addresses of its greenlets.
    greenlet = ctypes.cast(ident or 0, ctypes.py_object).value
    gevent.kill(greenlet, Fault)
    return str(os.getpid())


app = site
