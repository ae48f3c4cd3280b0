"""`python -m tests.bench NAME`: figures against a floor measured in the same run; non-zero beyond a limit."""

from __future__ import annotations

import sys

import click
from rich.console import Console

from tests.bench import booking as claims
from tests.bench import booking_http as kiosks
from tests.bench import journey as journeys
from tests.bench import pages as busiest
from tests.bench import reconcile as bills
from tests.bench import rush as openings

console = Console(highlight=False)


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Measure Xinglin on this machine. Without a name: all of it."""
    if context.invoked_subcommand is None:
        status = busiest.run(console, patients=100_000, charges=1_000_000, rounds=60)
        sys.exit(journeys.run(console, patients=20, parallel=4) or status)


@main.command()
@click.option("--patients", default=100_000, show_default=True)
@click.option("--charges", default=1_000_000, show_default=True)
@click.option("--rounds", default=60, show_default=True, help="How often each page is asked for.")
def pages(patients: int, charges: int, rounds: int) -> None:
    """The ten busiest pages and calls on a large PostgreSQL."""
    sys.exit(busiest.run(console, patients=patients, charges=charges, rounds=rounds))


@main.command()
@click.option("--bookings", default=2_000, show_default=True, help="How many a run books.")
@click.option("--repeats", default=3, show_default=True)
@click.option("--clients", default=16, show_default=True)
@click.option(
    "--half", type=click.Choice(["both", "service", "http"]), default="both", show_default=True
)
def booking(bookings: int, repeats: int, clients: int, half: str) -> None:
    """Bookings a second: the service against bare psycopg, and through the real server over HTTP."""
    halves = {"service": claims.run, "http": kiosks.run}
    chosen = halves.values() if half == "both" else [halves[half]]
    status = [run(console, bookings=bookings, repeats=repeats, clients=clients) for run in chosen]
    sys.exit(max(status))


@main.command()
@click.option("--patients", default=20, show_default=True)
@click.option("--parallel", default=4, show_default=True)
@click.option("--running", is_flag=True, help="Use the demo that runs at XINGLIN_PORT_BASE.")
def journey(patients: int, parallel: int, running: bool) -> None:
    """Visits a minute, from the ID card to the last payment, on a demo of its own."""
    sys.exit(journeys.run(console, patients=patients, parallel=parallel, running=running))


@main.command()
@click.option("--payments", default=200_000, show_default=True)
def reconcile(payments: int) -> None:
    """A day's bill of a payment channel, fetched and held against the books, on PostgreSQL."""
    sys.exit(bills.run(console, payments=payments))


@main.command()
@click.option("--people", default=5_000, show_default=True)
@click.option("--places", default=1_000, show_default=True, help="A multiple of 25.")
@click.option("--repeats", default=3, show_default=True, help="Runs on PostgreSQL.")
@click.option("--sqlite/--no-sqlite", default=True, show_default=True)
def rush(people: int, places: int, repeats: int, sqlite: bool) -> None:
    """The opening at 07:00: a crowd at once, through real web processes."""
    sys.exit(openings.run(console, people=people, places=places, repeats=repeats, sqlite=sqlite))


if __name__ == "__main__":
    main()
