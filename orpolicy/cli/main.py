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
    if None in (sys.stdin, sys.stdout, sys.stderr):
        _open_nowhere()
    import gc  # noqa: PLC0415 - see above

    gc.disable()  # imports make no garbage, and looking for it takes a tenth of their time; a verb turns it on
    try:
        from orpolicy.cli.verbs import command  # noqa: PLC0415 - see above

        command.main(prog_name="orpolicy")
    except KeyboardInterrupt:  # before a verb began: from there on, it says so itself
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def _open_nowhere() -> None:
    """Give a program that was started without a standard stream (``>&-``) one that leads nowhere.

    Descriptors are taken from below, so that no file that is opened later gets what is written to a closed one.
    """
    import os  # noqa: PLC0415 - seldom needed

    while os.open(os.devnull, os.O_RDWR) < 3:
        pass
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115 - as long as the program
