"""Launcher of a command that ends with its parent process, even if the parent is killed.

    python launcher.py PARENT LIFELINE COMMAND...

PARENT is the parent's process id. LIFELINE is the read end of a pipe; only the parent holds the
write end. The command replaces this process, so its id, signals and exit status are the command's
own. This file runs by its path and imports nothing of the project, so that it starts at once.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def tie_by_kernel(parent: int) -> None:
    """Let the Linux kernel kill this process and its command when `parent` ends."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # the parent ended before prctl
        sys.exit(1)


def tie_by_pipe(lifeline: int) -> None:
    """Start a process that kills this one's group when the pipe closes; for other systems."""
    group = os.getpgrp()
    if os.fork() != 0:
        return
    # It must survive the signals of a graceful stop, and not hold the command's output open.
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
