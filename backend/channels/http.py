"""HTTP to the channels: sessions that keep off a proxy for this machine, and files too large for memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO
from urllib.parse import urlsplit

import requests

from backend.billing.ports import GatewayUnknown

LOOPBACK = ("127.0.0.1", "localhost")
PIECE = 256 * 1024
#: Of a file, and of each one in an archive: far more than a hospital's day, far less than a disk.
LARGEST = 1 << 30


def session_to(address: str) -> requests.Session:
    """A session for ``address``; this machine is never reached through a proxy, whatever the environment says."""
    session = requests.Session()
    session.trust_env = urlsplit(address).hostname not in LOOPBACK
    return session


def fetch_file(
    address: str,
    file: IO[bytes],
    *,
    timeout: float,
    headers: Mapping[str, str] | None = None,
    when_absent: type[Exception] = GatewayUnknown,
) -> None:
    """Write what lies at ``address`` to ``file``, following no redirection.

    ``when_absent`` for a 404; GatewayUnknown for any other answer, a broken line or more than LARGEST bytes.
    """
    size = 0
    try:
        with (
            session_to(address) as session,
            session.get(
                address, headers=headers, timeout=timeout, stream=True, allow_redirects=False
            ) as answer,
        ):
            if answer.status_code == 404:
                raise when_absent("no bill: HTTP 404")
            if answer.status_code != 200:
                raise GatewayUnknown(f"no bill: HTTP {answer.status_code}")
            for piece in answer.iter_content(PIECE):
                size += len(piece)
                if size > LARGEST:
                    raise GatewayUnknown("a bill larger than any")
                file.write(piece)
    except requests.RequestException as error:
        raise GatewayUnknown(f"the download broke off: {type(error).__name__}") from error
