#!/usr/bin/env python3
"""faults.py PROGRAM SHIM [EACH [SCAN...]]: lets one call of a scan fail after the other (fail.c): the n-th allocation, the n-th system call,
outright, halfway, or interrupted; every n up to EACH, and EACH of them spread evenly over those beyond. Whatever fails, the
scan ends by itself, with a documented status and a line that says why; or it is not impressed, and right.

Runs in a network namespace of its own. Prints a line for each kind of failure, and ends with 1 if anything was wrong."""

import collections
import concurrent.futures
import errno
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

INSIDE = "PORTOLAN_TORTURE"
ALL = 1 << 62
LIMIT_S = 30
SHORT = -1
DOCUMENTED = {0, 64, 65, 66, 69, 70, 71, 73, 74, 75, 77}
PORTS = 20
AT_A_TIME = 4 * os.cpu_count()  # most of their time is waiting

# What fails, and how. A call that does not occur in a scan is passed over.
FAULTS = {
    "malloc": [errno.ENOMEM],
    "read": [errno.EINTR, errno.EIO, SHORT],
    "write": [errno.EINTR, errno.ENOSPC, SHORT],
    "pread64": [errno.EIO, SHORT],
    "recv": [errno.EINTR, errno.ECONNRESET, SHORT],
    "recvmsg": [errno.EINTR, errno.ENOMEM],
    "send": [errno.ENOBUFS, errno.EPIPE],
    "sendto": [errno.ENOBUFS, errno.EPERM],
    "sendmmsg": [errno.EINTR, errno.ENOBUFS, errno.EPERM, SHORT],
    "getrandom": [errno.EINTR],
    "open64": [errno.EMFILE, errno.EACCES],
    "fcntl64": [errno.EMFILE],
    "prctl": [errno.EINVAL],
    "socket": [errno.EMFILE, errno.EPERM],
    "socketpair": [errno.EMFILE],
    "bind": [errno.EADDRINUSE],
    "connect": [errno.EADDRNOTAVAIL],
    "setsockopt": [errno.ENOMEM],
    "getsockname": [errno.ENOBUFS],
    "pipe2": [errno.EMFILE],
    "eventfd": [errno.EMFILE],
    "signalfd": [errno.EMFILE],
    "epoll_create1": [errno.EMFILE],
    "epoll_ctl": [errno.ENOSPC],
    "poll": [errno.EINTR],
    "ppoll": [errno.EINTR],
    "fstat64": [errno.EIO],
    "dup2": [errno.EMFILE],
    "fdatasync": [errno.EIO],
    "fsync": [errno.EIO],
    "fork": [errno.EAGAIN],
    "mmap64": [errno.ENOMEM],
}

# The sandbox is one of them, and off in the others: of its allocations, see main.
SCANS = {
    "raw": ["-sS", "-n", "--no-sandbox"],
    "connect": ["-sT", "--dns-servers", "127.0.0.1:9", "--no-sandbox"],
    "store": ["-sT", "-n", "--store", "{directory}/store", "--then", "true", "--no-sandbox"],
    "sandbox": ["-sS", "-n"],
}


def enter():
    """Run this script anew in a namespace of its own, unless it is in one."""
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "-n" if os.geteuid() == 0 else "-rn", sys.executable, *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


class Run:
    """One scan in which one call fails."""

    def __init__(self, tools, options, call, nth, how):
        self.directory = Path(tempfile.mkdtemp(prefix="portolan-torture-"))
        try:
            self.run(tools, options, call, nth, how)
            self.fault = self.judge(tools.port)
        finally:
            shutil.rmtree(self.directory)

    def run(self, tools, options, call, nth, how):
        state = self.directory / "state"
        state.write_bytes(bytes(16))
        torture = {"LD_PRELOAD": tools.shim, "TORTURE_STATE": str(state), "TORTURE_CALL": call, "TORTURE_NTH": str(nth), "TORTURE_HOW": str(how)}
        own = [option.format(directory=self.directory) for option in options]
        report = [word for letter in "XJ" for word in (f"-o{letter}", self.directory / letter)]
        process = subprocess.Popen(
            [tools.program, *own, "-p", f"1-{PORTS},{tools.port}", "127.0.0.1", *report],
            env=os.environ | torture,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.hung = False
        try:
            _, self.said = process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            self.hung = True
            os.killpg(process.pid, signal.SIGKILL)
            _, self.said = process.communicate()
        self.status = process.returncode
        self.calls, self.failed = struct.unpack("QQ", state.read_bytes())

    def is_whole(self, port):
        """Do the reports say that the scan is complete, and what is true?"""
        if ElementTree.parse(self.directory / "X").getroot().find("runstats/finished").get("exit") != "success":
            return False
        lines = [json.loads(line) for line in (self.directory / "J").read_text().splitlines()]
        if any(line["type"] == "host" and line["reason"] == "no-route" for line in lines):
            return True  # what the kernel said when it was asked for the way
        states = {line["port"]: line["state"] for line in lines if line["type"] == "port"}
        return states == dict.fromkeys(range(1, PORTS + 1), "closed") | {port: "open"}

    def judge(self, port):
        """What is wrong, or None."""
        if self.hung:
            return "does not end"
        if self.status not in DOCUMENTED:
            return f"ends with {self.status}"
        if self.status != 0:
            return None if self.said.startswith("portolan: ") else "does not say why it failed"
        try:
            whole = self.is_whole(port)
        except (OSError, ValueError, ElementTree.ParseError, AttributeError, KeyError) as error:
            return f"says that all is well, and its report is broken: {error}"
        return None if whole or "memory ran out" in self.said else "says that all is well, and it is not"


class Tools:
    def __init__(self, program, shim):
        self.program = os.path.abspath(program)
        self.shim = os.path.abspath(shim)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.listener.getsockname()[1]


def spread(count, each):
    """Numbers from 1 to count: the first `each`, and as many of the rest, evenly."""
    first = range(1, min(count, each) + 1)
    rest = max(count - each, 0)
    steps = min(rest, each)
    return [*first, *(each + 1 + i * rest // steps for i in range(steps))]


def count(tools, scan, call):
    """How often it is called when nothing fails."""
    run = Run(tools, SCANS[scan], call, 0, 0)
    if run.fault:
        raise SystemExit(f"{scan}: without any failure: {run.fault}: {run.said}")
    return run.calls


def report(scan, call, how, calls, runs):
    """Prints a line for this kind of failure, and one for each run that went wrong; returns how many did."""
    kind = "short" if how == SHORT else errno.errorcode[how]
    failed = sum(run.failed for _, run in runs)
    ended = dict(collections.Counter(run.status for _, run in runs))
    print(f"{scan:8} {call:13} {kind:14} {calls:5} calls, {failed:5} failed; ended with {ended}", flush=True)
    wrong = [(nth, run) for nth, run in runs if run.fault]
    for nth, run in wrong:
        print(f"    WRONG: number {nth}: {run.fault}: {run.said.strip()[-300:]}", flush=True)
    return len(wrong)


def main():
    enter()
    tools = Tools(*sys.argv[1:3])
    each = int(sys.argv[3]) if len(sys.argv) > 3 else ALL
    scans = sys.argv[4:] or SCANS
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        # libseccomp loses rules, or frees twice, when it gets no memory. A process is then ended by its incomplete list of
        # calls, or by libc: before the first packet, but without a line that says why.
        kinds = [(scan, call) for scan in scans for call in FAULTS if (scan, call) != ("sandbox", "malloc")]
        counts = pool.map(lambda kind: count(tools, *kind), kinds)
        calls = {kind: number for kind, number in zip(kinds, counts) if number > 0}
        faults = [(scan, call, how) for scan, call in calls for how in FAULTS[call]]
        started = {
            fault: [(n, pool.submit(Run, tools, SCANS[fault[0]], fault[1], n, fault[2])) for n in spread(calls[fault[:2]], each)]
            for fault in faults
        }
        wrong = sum(report(*fault, calls[fault[:2]], [(n, run.result()) for n, run in started[fault]]) for fault in faults)
    print(f"{wrong} of {sum(map(len, started.values()))} went wrong")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
