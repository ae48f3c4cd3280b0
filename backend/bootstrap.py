"""Joins what the domains leave open: models to the metadata, ports to adapters, events to subscribers."""

from __future__ import annotations

import importlib
import pkgutil

import backend
from backend.kernel import idempotency, live, outbox  # noqa: F401 - their tables belong to the schema


def import_models() -> None:
    """Import every domain's ``models``, so that the metadata is whole."""
    for package in pkgutil.iter_modules(backend.__path__):
        if not package.ispkg or package.name in {"kernel", "contracts", "sandbox", "migrations"}:
            continue
        path = importlib.import_module(f"backend.{package.name}").__path__
        if any(module.name == "models" for module in pkgutil.iter_modules(path)):
            importlib.import_module(f"backend.{package.name}.models")
