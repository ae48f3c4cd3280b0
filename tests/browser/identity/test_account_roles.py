"""The form of a new account offers a department only to roles whose work has one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from backend.identity import backoffice
from backend.identity.rules import ROLE_PERMISSIONS, Role
from backend.kernel.uow import Database
from backend.web_parts import Parts
from tests.factories.clinic import make_clinic
from tests.factories.serving import serving
from tests.factories.webapp import ActorSwitch, make_app, staff_actor


def test_a_department_is_offered_where_it_counts(
    sqlite_database: Database, tmp_path: Path, browser_context: Callable[..., BrowserContext]
) -> None:
    clinic = make_clinic(sqlite_database)
    switch = ActorSwitch()
    switch.actor = staff_actor(clinic.hospital_id, *ROLE_PERMISSIONS[Role.ADMINISTRATOR])
    app = make_app(sqlite_database, tmp_path, switch, backoffice.blueprint, parts=Parts())
    with serving(app) as served:
        page = browser_context(viewport={"width": 1440, "height": 900}).new_page()
        page.goto(f"{served.url}/backoffice/accounts/new")
        role, department = page.get_by_label("角色"), page.get_by_label("范围")
        role.select_option("doctor")
        department.select_option("乳腺外科")
        role.select_option("cashier")
        expect(department).to_be_disabled()
        expect(department).to_have_value("")
        role.select_option("doctor")
        expect(department).to_be_enabled()
