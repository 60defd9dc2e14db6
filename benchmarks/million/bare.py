"""The peer of profile requests: a Flask application that answers a constant, on the same server.

Run as a process of its own: ``python bare.py PORT THREADS``.
"""

import sys

from flask import Flask, Response
from waitress import serve

app = Flask(__name__)
ANSWER = '{"user_id": 1, "username": "admin", "email": "admin@test.com"}\n'


@app.get("/api/user/profile")
def read_profile() -> Response:
    """Answer the constant."""
    return Response(ANSWER, content_type="application/json")


if __name__ == "__main__":
    serve(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        threads=int(sys.argv[2]),
        asyncore_use_poll=True,
        ident=None,
    )
