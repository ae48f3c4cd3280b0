"""What the sandbox's HTTP platforms share: a connection that breaks under a request."""

from __future__ import annotations

import socket

from flask import Response, request


def cut() -> Response:
    """Break the connection under the request, as a lost answer looks to the merchant."""
    connection = request.environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    return Response(status=504)
