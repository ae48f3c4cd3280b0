"""Encryption at rest and the blind index: AES-256-GCM with a key ring; HMAC-SHA-256 under a key of its own.

A sealed value is ``0x01 | length of key id | key id | nonce (12) | ciphertext and tag``; the context (table and
column) is authenticated with it, so a value moved to another column does not open.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FORMAT = 1
NONCE_BYTES = 12
TAG_BYTES = 16


class SealBroken(Exception):
    """A sealed value cannot be opened: unknown key, other context, or changed bytes."""


class KeyRing:
    """The keys in force. The last key of the ring seals; all of them open."""

    def __init__(self, keys: Mapping[str, bytes], blind_index_key: bytes) -> None:
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._sealing_id = list(keys)[-1]
        self._blind_index_key = blind_index_key

    @property
    def sealing_id(self) -> str:
        """The id of the newest key, which seals."""
        return self._sealing_id

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of all keys, the oldest first."""
        return tuple(self._ciphers)

    @staticmethod
    def prefix(key_id: str) -> bytes:
        """How every value begins that this key sealed."""
        name = key_id.encode("ascii")
        return bytes([FORMAT, len(name)]) + name

    def seal(self, text: str, context: str) -> bytes:
        """Encrypt ``text`` for ``context`` (``table.column``)."""
        nonce = os.urandom(NONCE_BYTES)
        body = self._ciphers[self._sealing_id].encrypt(nonce, text.encode(), context.encode())
        return self.prefix(self._sealing_id) + nonce + body

    def open(self, blob: bytes, context: str) -> str:
        """Decrypt what ``seal`` made for the same context; SealBroken otherwise."""
        name, nonce, body = self._parts(blob)
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise SealBroken(f"no key {name!r} in the ring")
        try:
            return cipher.decrypt(nonce, body, context.encode()).decode()
        except InvalidTag as error:
            raise SealBroken("the value was changed or belongs elsewhere") from error

    def blind_index(self, text: str, purpose: str) -> bytes:
        """A 32-byte fingerprint for exact-match search; equal for equal text and purpose, useless without the key."""
        message = f"{purpose}\0{text.strip().upper()}".encode()
        return hmac.new(self._blind_index_key, message, hashlib.sha256).digest()

    @staticmethod
    def _parts(blob: bytes) -> tuple[str, bytes, bytes]:
        end = 2 + blob[1] if len(blob) > 1 else 0
        name, body = blob[2:end], blob[end + NONCE_BYTES :]
        if not end or blob[0] != FORMAT or len(body) < TAG_BYTES or not name.isascii():
            raise SealBroken("not a sealed value")
        return name.decode("ascii"), blob[end : end + NONCE_BYTES], body
