"""``python -m orpolicy``: the command line, also where no script is installed."""

from __future__ import annotations

from orpolicy.cli.main import run

if __name__ == "__main__":
    run()
