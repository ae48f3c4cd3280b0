"""The settings: read from ``XINGLIN_*`` once, typed and frozen; unsafe production values are refused.

Every field's description is the README's configuration table; a test compares the two.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Environment(StrEnum):
    """What the program is run for."""

    DEMO = "demo"
    PRODUCTION = "production"
    TEST = "test"


class Settings(BaseSettings):
    """All configuration of the backend. Secrets left empty are made once in the data folder, outside production."""

    model_config = SettingsConfigDict(env_prefix="XINGLIN_", frozen=True, extra="ignore")

    env: Environment = Field(
        Environment.DEMO,
        description="demo, test or production; production refuses demo accounts and unset secrets",
    )
    port_base: int = Field(
        8000,
        ge=1024,
        le=65000,
        description="backend on this port, kiosks from +10, sandbox (phone, bank) on +20 and +21, device bench on +30",
    )
    bind: str = Field("127.0.0.1", description="address the backend listens on")
    public_url: str = Field(
        "",
        description="address patients reach the backend at, in QR codes and notifications; empty = loopback",
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=5,
        description="reverse proxies in front whose X-Forwarded-For and -Proto count; 0 = who connects is the caller",
    )
    data_dir: Path = Field(
        Path("var"), description="folder for the database, logs, keys and audit heads"
    )
    database_url: str = Field(
        "", description="SQLAlchemy URL (postgresql+psycopg://…); empty = SQLite in the data folder"
    )
    redis_url: str = Field(
        "", description="Redis URL; required with PostgreSQL and more than one web process"
    )
    web_threads: int = Field(
        64, ge=4, le=256, description="threads of the one web process on SQLite"
    )
    web_processes: int = Field(
        1, ge=1, le=64, description="web processes of one `xinglin web` on PostgreSQL"
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="signs sessions and links; 32+ characters; empty = made in the data folder",
    )
    key_ring: SecretStr = Field(
        SecretStr(""),
        description='encryption keys as JSON {"id": "base64 of 32 bytes"}; the last one encrypts; empty = made',
    )
    blind_index_key: SecretStr = Field(
        SecretStr(""), description="base64 of 32 bytes for exact-match search; empty = made"
    )
    wechatpay_file: Path | None = Field(
        None,
        description="JSON file with the merchant's WeChat Pay keys; empty = the sandbox's, outside production",
    )
    alipay_file: Path | None = Field(
        None,
        description="JSON file with the application's Alipay keys; empty = the sandbox's, in production not offered",
    )
    bank_file: Path | None = Field(
        None,
        description="JSON file with the bank's card terminals; empty = the sandbox's, in production no cards",
    )
    insurance_file: Path | None = Field(
        None,
        description="JSON file with the national insurance contract; empty = the sandbox's, in production none",
    )
    einvoice_file: Path | None = Field(
        None,
        description="JSON file with the electronic bill account; empty = the sandbox's, in production none",
    )
    idle_minutes: int = Field(
        15, ge=1, le=240, description="minutes without an act after which staff are logged out"
    )
    hold_minutes: int = Field(
        15,
        ge=1,
        le=120,
        description="minutes an unpaid booking keeps its slot, where the policy file says nothing else",
    )
    rush_inside: int = Field(
        200, ge=1, le=5000, description="people of one opening line who may choose at the same time"
    )
    silence_hours: int = Field(
        24,
        ge=1,
        le=240,
        description="hours an unknown payment or refund is asked about before a person is told",
    )
    booking_policy_file: Path | None = Field(
        None,
        description="TOML file with the rules of booking, see docs/booking-policy.md; empty = the usual rules",
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")

    @model_validator(mode="after")
    def _refuse_unsafe(self) -> Self:
        if self.env is Environment.PRODUCTION:
            missing = [
                name.upper()
                for name in ("secret_key", "key_ring", "blind_index_key")
                if not getattr(self, name).get_secret_value()
            ]
            if missing:
                raise ValueError(f"production needs XINGLIN_{', XINGLIN_'.join(missing)}")
            if self.wechatpay_file is None:
                raise ValueError("production needs XINGLIN_WECHATPAY_FILE")
            if not self.public_url.startswith("https://"):
                raise ValueError("production needs an https XINGLIN_PUBLIC_URL")
        if self.redis_url and self.is_sqlite:
            raise ValueError("XINGLIN_REDIS_URL needs PostgreSQL in XINGLIN_DATABASE_URL")
        if self.web_processes > 1 and (self.is_sqlite or not self.redis_url):
            raise ValueError("several web processes need PostgreSQL and XINGLIN_REDIS_URL")
        return self

    @property
    def url(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self.data_dir / 'xinglin.db'}"

    @property
    def is_sqlite(self) -> bool:
        """True on the embedded default; only the server's own set-up may ask."""
        return self.url.startswith("sqlite")

    @property
    def is_distributed(self) -> bool:
        """True when jobs and live messages travel over Redis between processes."""
        return bool(self.redis_url)

    @property
    def external_url(self) -> str:
        """Where patients' phones and the payment platform reach this backend, without a trailing slash."""
        return (self.public_url or f"http://127.0.0.1:{self.port_base}").rstrip("/")

    @property
    def demands_second_factor(self) -> bool:
        """True everywhere but in the demo: administrators work with a second factor or not at all."""
        return self.env is not Environment.DEMO

    @property
    def is_production(self) -> bool:
        """True in production, where nothing made for the demo is allowed."""
        return self.env is Environment.PRODUCTION


#: Every sealed value begins with the id of its key.
LONGEST_KEY_ID = 32


class Secrets:
    """The three secrets in force, in the shapes the program uses."""

    def __init__(self, secret_key: str, keys: dict[str, bytes], blind_index_key: bytes) -> None:
        self.secret_key = secret_key
        self.keys = keys
        self.blind_index_key = blind_index_key


def load_secrets(settings: Settings) -> Secrets:
    """The configured secrets; outside production those left empty are made once and kept (mode 0600).

    ValueError for a secret of the wrong length or shape; the message names the variable, never its value.
    """
    stored = {} if settings.is_production else _stored_secrets(settings.data_dir / "secrets.json")
    secret_key = settings.secret_key.get_secret_value() or stored["secret_key"]
    keys = _ring(settings.key_ring.get_secret_value() or stored["key_ring"])
    blind = _key_bytes(settings.blind_index_key.get_secret_value() or stored["blind_index_key"])
    if len(secret_key) < 32:
        raise ValueError("XINGLIN_SECRET_KEY needs 32 characters or more")
    if not keys or any(key is None for key in keys.values()):
        raise ValueError('XINGLIN_KEY_RING needs JSON {"id": "base64 of 32 bytes"}')
    if not all(name.isascii() and 1 <= len(name) <= LONGEST_KEY_ID for name in keys):
        raise ValueError(f"XINGLIN_KEY_RING: an id is 1 to {LONGEST_KEY_ID} ASCII characters")
    if blind is None:
        raise ValueError("XINGLIN_BLIND_INDEX_KEY needs base64 of 32 bytes")
    return Secrets(secret_key, {name: key for name, key in keys.items() if key}, blind)


def _ring(text: str) -> dict[str, bytes | None]:
    """The ring in ``text`` in its order; empty when it is none, None for a key that is none."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return {name: _key_bytes(key) for name, key in found.items()} if isinstance(found, dict) else {}


def _key_bytes(text: object) -> bytes | None:
    """The 32 bytes of a key written in base64, or None."""
    try:
        key = base64.b64decode(str(text), validate=True)
    except ValueError:
        return None
    return key if len(key) == 32 else None


def _stored_secrets(path: Path) -> dict[str, str]:
    """Read the made secrets, making them first when absent; safe when two processes start together."""
    if not path.exists():
        _make_secrets(path)
    stored: dict[str, str] = json.loads(path.read_text())
    return stored


def _make_secrets(path: Path) -> None:
    """Write fresh secrets whole under another name and link them in place; the first to do so wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = {
        "secret_key": secrets.token_urlsafe(48),
        "key_ring": json.dumps({"k1": base64.b64encode(secrets.token_bytes(32)).decode()}),
        "blind_index_key": base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    # mkstemp: a name of its own and mode 0600 from the first moment.
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".secrets-")
    with os.fdopen(descriptor, "w") as file:
        json.dump(made, file)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first: its secrets are the ones in force
    finally:
        os.unlink(draft)
