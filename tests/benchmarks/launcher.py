"""Start one command and say what it took: ``launcher.py OUTPUT COMMAND…`` prints JSON.

A process of its own, and a small one: what ``wait4`` calls the peak of a child is never less than the peak of the
process that started it, and a benchmark's own process has imported half of its neighbours.

With ``ORPOLICY_BENCH_TREE`` the memory of all processes of the command is added up every 50 ms (Linux: what they share
counts once), so that work which is spread over several processes is not taken for less.
"""

import json
import os
import sys
import time

PERIOD = 0.05


def measure(output: str, command: list[str], *, tree: bool) -> dict[str, float]:
    target = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    actions = [(os.POSIX_SPAWN_DUP2, target, 1), (os.POSIX_SPAWN_DUP2, target, 2)]
    start = time.perf_counter()
    child = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    peak = watch(child) if tree else 0
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - start
    scale = 1 if sys.platform == "darwin" else 1024
    return {
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak": max(peak, usage.ru_maxrss * scale),
        "code": os.waitstatus_to_exitcode(status),
    }


def watch(child: int) -> int:
    """Return the most memory that a process and those below it held at one moment, in bytes."""
    peak = 0
    while not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        peak = max(peak, sum(weigh(one) for one in list_tree(child)))
        time.sleep(PERIOD)
    return peak


def list_tree(root: int) -> list[int]:
    found = [root]
    for one in found:
        try:
            with open(f"/proc/{one}/task/{one}/children") as file:  # noqa: PTH123 - pathlib is larger than all of this
                found.extend(int(word) for word in file.read().split())
        except OSError:  # it has ended, or there is no such file on this system
            continue
    return found


def weigh(process: int) -> int:
    try:
        with open(f"/proc/{process}/smaps_rollup") as file:  # noqa: PTH123 - as above
            return sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))
    except OSError:
        return 0


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2:], tree="ORPOLICY_BENCH_TREE" in os.environ)))
