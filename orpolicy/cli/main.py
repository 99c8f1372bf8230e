"""The entry point of ``orpolicy``, kept small because it is paid for at every start."""

from __future__ import annotations

import sys

import orpolicy

TYPE_CHECKING = False  # ``typing`` takes longer to import than the version to print
if TYPE_CHECKING:
    from typing import NoReturn


def run() -> NoReturn:
    """Run the command line.

    A bare ``--version`` is answered here: scripts and editors ask for it often, and click alone takes longer to
    import than the answer.
    """
    if sys.argv[1:] in (["--version"], ["-V"]):
        print(f"orpolicy {orpolicy.__version__}")
        sys.exit(0)
    from orpolicy.cli.verbs import command  # noqa: PLC0415 - see above

    command.main(prog_name="orpolicy")
