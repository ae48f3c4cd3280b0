"""A kind of import contract that import-linter does not have: rooms keep their furniture private.

Used by `[tool.importlinter]` in pyproject.toml; see docs/adr and the architecture's rule that a
domain's models are imported by that domain only.
"""

from __future__ import annotations

from typing import Any

import grimp
from importlinter import Contract, ContractCheck, fields, output


class PrivateFurnitureContract(Contract):
    """Modules of one name below any child of a container are imported by that child alone.

    Options: `container`, for example `backend`; `furniture`, the module names that stay at home,
    for example `models`; `allowed_importers`, modules (with what is below them) that may look.
    """

    type_name = "private_furniture"

    container = fields.StringField()
    furniture = fields.SetField(subfield=fields.StringField())
    allowed_importers = fields.SetField(subfield=fields.StringField(), required=False)

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        """Find every direct import of a private module from another room."""
        container = str(self.container)
        allowed = [str(name) for name in self._names(self.allowed_importers)]
        trespasses = []
        for room in sorted(graph.find_children(container)):
            for name in sorted(self._names(self.furniture)):
                private = f"{room}.{name}"
                if private not in graph.modules:
                    continue
                for module in sorted({private, *graph.find_descendants(private)}):
                    for importer in sorted(graph.find_modules_that_directly_import(module)):
                        if not any(_is_within(importer, home) for home in [room, *allowed]):
                            trespasses.append((importer, module))
        return ContractCheck(kept=not trespasses, metadata={"trespasses": trespasses})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line an import."""
        for importer, module in check.metadata["trespasses"]:
            output.print_error(f"{importer} imports {module}, which is private to its domain")

    @staticmethod
    def _names(value: Any) -> set[str]:
        return set(value or ())


def _is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
