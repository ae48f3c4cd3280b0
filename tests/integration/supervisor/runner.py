"""The runner under test, as a process: `python runner.py FOLDER SPECS.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from backend.supervisor import PortBusyError, ProcessSpec, Supervisor


def main() -> int:
    """Run the programs of the JSON file; print `ALL READY` once they are."""
    folder = Path(sys.argv[1])
    specs = [ProcessSpec(**entry) for entry in json.loads(Path(sys.argv[2]).read_text())]
    supervisor = Supervisor(specs, log_dir=folder / "log", state_file=folder / "processes.json")
    try:
        return supervisor.run(lambda: print("ALL READY", flush=True))
    except PortBusyError as error:
        print(error, flush=True)
        return 3


if __name__ == "__main__":
    sys.exit(main())
