"""The rules of a whole test run, as a pytest plugin (`addopts` in pyproject.toml loads it).

- nothing is skipped or expected to fail: a run that has such a test ends non-zero;
- the summary names the real services used, and `--require-services` fails a run without them.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.services import used

_SERVICES = "services_used"
_services = pytest.StashKey[dict[str, str]]()
_not_run: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-services",
        default="",
        metavar="NAMES",
        help="fail unless these services were really used, e.g. postgresql,redis,pcscd,chromium",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_services] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped or hasattr(report, "wasxfail"):
        _not_run.append(report.nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take the list of services a finished xdist worker used."""
    node.config.stash[_services].update(getattr(node, "workeroutput", {}).get(_SERVICES, {}))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    config = session.config
    worker_output = getattr(config, "workeroutput", None)
    if worker_output is not None:
        worker_output[_SERVICES] = used.used_services()
        return
    config.stash[_services].update(used.used_services())
    if exitstatus == pytest.ExitCode.OK and (_not_run or _missing_services(config)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    services = config.stash[_services]
    if services:
        terminalreporter.section("real services used")
        for name, version in sorted(services.items()):
            terminalreporter.line(f"{name} {version}")
    if missing := _missing_services(config):
        terminalreporter.line(f"not used, but required: {', '.join(missing)}", red=True)
    if _not_run:
        terminalreporter.line(f"skipped or xfailed, which fails the run: {_not_run}", red=True)


def _missing_services(config: pytest.Config) -> list[str]:
    required = str(config.getoption("--require-services"))
    return [name for name in required.split(",") if name and name not in config.stash[_services]]
