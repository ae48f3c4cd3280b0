"""Typed settings of one kiosk, from XINGLIN_KIOSK_* and the command line, read once."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """How this kiosk runs. Times are seconds.

    `index` picks this kiosk's entry in the devices file; a kiosk that stands alone has one entry.
    """

    model_config = SettingsConfigDict(env_prefix="XINGLIN_KIOSK_", frozen=True)

    port: int = Field(default=8010, ge=0, le=65535)
    backend: str = "http://127.0.0.1:8000"
    state_dir: Path = Path("var/kiosk")
    devices: Path = Path("devices.json")
    index: int = Field(default=0, ge=0)
    enrolment_code: str = ""

    heartbeat_seconds: float = Field(default=5.0, gt=0)
    connect_timeout: float = Field(default=3.0, gt=0)
    read_timeout: float = Field(default=10.0, gt=0)
    devices_wait: float = Field(default=60.0, gt=0)

    idle_seconds: float = Field(default=60.0, gt=0)
    warning_seconds: float = Field(default=15.0, gt=0)
    done_seconds: float = Field(default=20.0, gt=0)
    payment_seconds: float = Field(default=180.0, gt=0)
    closing_seconds: float = Field(default=15.0, gt=0)

    @field_validator("backend")
    @classmethod
    def _http_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("backend must be an http(s) address, e.g. http://127.0.0.1:8000")
        return value.rstrip("/")
