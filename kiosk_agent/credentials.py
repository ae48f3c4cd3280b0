"""The kiosk's credential on disk: written once at enrolment, readable by its owner alone."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Credential:
    """Who this kiosk is to the backend; `secret` goes into the Authorization header only."""

    kiosk_id: str
    name: str
    hospital_name: str
    location_name: str
    secret: str

    def __repr__(self) -> str:
        return f"Credential(kiosk_id={self.kiosk_id!r}, name={self.name!r})"


class CredentialStore:
    """One file `credential.json`, mode 0600, replaced atomically."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "credential.json"

    def load(self) -> Credential | None:
        """The stored credential, or None when this kiosk has never enrolled.

        Raises ValueError when the file exists and cannot be read as a credential: a person must
        look, since enrolling again would leave a second kiosk in the fleet.
        """
        if not self._path.exists():
            return None
        try:
            return Credential(**json.loads(self._path.read_text(encoding="utf-8")))
        except (TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"{self._path} is damaged: remove it and enrol again") from error

    def save(self, credential: Credential) -> None:
        """Store `credential`, durable before this returns."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = self._path.with_suffix(".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(credential), file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self._path)
