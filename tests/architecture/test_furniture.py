"""Every domain is a room with the same furniture: a newcomer guesses the right file."""

from __future__ import annotations

from tests.architecture.tree import ROOT, source_files

FURNITURE = {
    "__init__.py",
    "api.py",
    "backoffice",  # a package where the pages are many
    "backoffice.py",
    "errors.py",
    "handlers",
    "handlers.py",
    "models",  # this and its like are packages where one file would be too long
    "models.py",
    "ports.py",
    "queries",
    "queries.py",
    "ports",
    "rules",
    "rules.py",
    "schemas.py",
    "service.py",
    "services",
    "tasks.py",
    "tasks",
    "templates",
    "verify",
    "verify.py",  # proves the domain's invariants from its rows
    "views",
    "views.py",  # the frozen values that queries return
}

DOMAINS = (
    "billing",
    "clinical",
    "engagement",
    "identity",
    "logistics",
    "organization",
    "patients",
    "queueing",
    "radiotherapy",
    "research",
    "scheduling",
    "telemedicine",
)

# What one domain needs beyond the common furniture, with the reason in its module's docstring.
EXTRA = {
    ("clinical", "workstation.py"),
    ("scheduling", "examinations.py"),
    ("identity", "audit_trail.py"),
    ("identity", "audit_words.py"),
    ("identity", "duties.py"),
    ("identity", "login.py"),
    ("identity", "passwords.py"),
    ("identity", "totp.py"),
}


def test_domains_hold_the_common_furniture_only() -> None:
    strange = {
        str(path)
        for path in source_files(".py", ".html")
        if path.parts[0] == "backend"
        and path.parts[1] in DOMAINS
        and path.parts[2] not in FURNITURE
        and path.parts[1:3] not in EXTRA
    }
    assert strange == set()


def test_the_init_of_a_domain_is_a_docstring_only() -> None:
    for domain in DOMAINS:
        file = ROOT / "backend" / domain / "__init__.py"
        if file.exists():
            text = file.read_text(encoding="utf-8").strip()
            assert text.startswith('"""'), file
            assert text.count('"""') == 2, file
            assert text.endswith('"""'), file


def test_templates_lie_in_a_folder_of_their_domain() -> None:
    """Jinja searches all of them as one tree: `templates/<domain>/page.html` cannot collide."""
    wrong = [
        str(path)
        for path in source_files(".html")
        if path.parts[0] == "backend"
        and path.parts[1] in DOMAINS
        and path.parts[2:4] != ("templates", path.parts[1])
    ]
    assert wrong == []
