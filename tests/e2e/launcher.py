"""Run tap and target again and again without importing them: `python launcher.py DESCRIPTOR`.

Importing takes most of the time of a short run. This program has imported everything, and forks
for each run that it is told of over the socket DESCRIPTOR; the child then is what the command
`tap-pluvo` is, or the one that the job names: a process of its own, with its own arguments,
variables and exit code.

It is sent the path of a job, with the descriptors for standard output and standard error, and
answers with the process id. It is then asked for the exit code, and answers when the process has
ended; until then nobody else gets its id.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from pathlib import Path

from tap_pluvo.command_line import main as tap_pluvo
from target_pluvo.command_line import main as target_pluvo

PROGRAMS = {"tap-pluvo": tap_pluvo, "target-pluvo": target_pluvo}


def wait_for_a_job(channel: socket.socket) -> None:
    """Return in a child that has a job to do; end when there will be no more."""
    while True:
        path, descriptors, *_ = socket.recv_fds(channel, 4096, 2)
        if not path:
            sys.exit()
        if not (child := os.fork()):
            channel.close()
            signal.signal(signal.SIGHUP, signal.SIG_DFL)  # also where all this runs under `nohup`
            job = json.loads(Path(os.fsdecode(path)).read_bytes())
            sys.argv = [job.get("program", "tap-pluvo"), *job["arguments"]]
            os.environ.clear()
            os.environ.update(job["variables"])
            os.chdir(job["folder"])
            for target, descriptor in enumerate(descriptors, 1):
                os.dup2(descriptor, target)
                os.close(descriptor)
            return
        for descriptor in descriptors:
            os.close(descriptor)
        channel.sendall(b"%d\n" % child)
        channel.recv(1)
        _, status = os.waitpid(child, 0)
        channel.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    wait_for_a_job(socket.socket(fileno=int(sys.argv[1])))
    sys.exit(PROGRAMS[sys.argv[0]]())
