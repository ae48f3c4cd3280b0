"""Xinglin: one Flask application, a modular monolith (see docs/adr and the README)."""
