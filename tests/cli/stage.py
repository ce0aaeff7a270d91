"""The stage of these tests: a network namespace with loopback and one link that leads nowhere, and Portolan run in it, with
privilege or without."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAM = ""
INSIDE = "PORTOLAN_STAGE"
LINK = "pt-cli-a"
NO_PRIVILEGE = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", "--"]


def enter(more):
    """Run this script anew in a namespace, unless it is in one already; then set up what is in it."""
    if INSIDE not in os.environ:
        flags = ["-n", *more] if os.geteuid() == 0 else ["-rn", *more]
        os.environ[INSIDE] = "1"
        for name in ("SUDO_UID", "SUDO_GID"):
            os.environ.pop(name, None)
        os.execvp("unshare", ["unshare", *flags, sys.executable, *sys.argv])
    Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1")  # a link that speaks by itself cannot be counted
    for command in (
        "ip link set lo up",
        f"ip link add {LINK} type veth peer name pt-cli-b",
        f"ip link set {LINK} up",
        "ip link set pt-cli-b up",
        f"ip address add 198.18.0.1/24 dev {LINK}",
    ):
        subprocess.run(command.split(), check=True)


def is_root():
    """Real root, not the root of a user namespace that holds nobody else."""
    return sum(int(line.split()[2]) for line in Path("/proc/self/uid_map").read_text().splitlines()) > 65534


def packets_sent():
    """How many packets have left by any interface, loopback included."""
    lines = Path("/proc/net/dev").read_text().splitlines()[2:]
    return sum(int(line.split(":")[1].split()[9]) for line in lines)


def command(arguments, privileged=True):
    return [*([] if privileged else NO_PRIVILEGE), PROGRAM, *arguments]


def run(*arguments, privileged=True, timeout=60, **options):
    """Portolan with these arguments, its output captured as text."""
    options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("stdout", subprocess.PIPE)
    return subprocess.run(
        command(arguments, privileged), stderr=subprocess.PIPE, text=True, errors="backslashreplace", timeout=timeout, **options
    )


class StageTest(unittest.TestCase):
    """A directory of its own for each test, and listeners on loopback."""

    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="portolan-"))
        self.addCleanup(shutil.rmtree, self.directory)

    def file(self, text, name="file"):
        path = self.directory / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def listen(self, address="127.0.0.1"):
        """A port that accepts connections until the test ends."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        self.addCleanup(listener.close)
        listener.bind((address, 0))
        listener.listen(128)
        return listener.getsockname()[1]


def main(*more):
    """To be called by the script: its first argument is the program.
    more  further namespaces, as options of unshare"""
    global PROGRAM
    PROGRAM = os.path.abspath(sys.argv[1])
    enter(more)
    unittest.main(module="__main__", argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
