"""flask-sse as its documentation shows it: a greenlet and a Redis subscription per browser. REDIS_URL from
the environment.
"""

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402

from flask import Flask  # noqa: E402
from flask_sse import sse  # noqa: E402

app = Flask(__name__)
app.config["REDIS_URL"] = os.environ["REDIS_URL"]
app.register_blueprint(sse, url_prefix="/")
