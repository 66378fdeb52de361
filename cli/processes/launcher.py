"""Runs a command that does not outlive the process that wanted it, even if that is killed.

    python launcher.py PARENT LIFELINE COMMAND...

PARENT is that process's id; LIFELINE a pipe's read end, whose write end PARENT alone holds.
The command takes this process over, so its id, signals and exit status are the command's own.
This file is run by its path and imports nothing of the project: it has to start at once.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def tie_by_kernel(parent: int) -> None:
    """Linux: the kernel kills this process, and what it becomes, when `parent` ends."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it ended before the kernel was told
        sys.exit(1)


def tie_by_pipe(lifeline: int) -> None:
    """Elsewhere: a second process in this one's group kills the group when the pipe closes."""
    group = os.getpgrp()
    if os.fork() != 0:
        return
    # It must stay when the group is asked to stop, and hold no end of the command's output.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.read(lifeline, 1)
    os.killpg(group, signal.SIGKILL)


def main() -> None:
    parent, lifeline, *command = sys.argv[1:]
    os.set_inheritable(int(lifeline), False)
    if sys.platform == "linux":
        tie_by_kernel(int(parent))
    else:
        tie_by_pipe(int(lifeline))
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is meant
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
