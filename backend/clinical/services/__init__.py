"""Clinical's commands, one module a subject; ``backend.clinical.service`` is their door."""
