"""Two hosts on a link of their own, for tests in which the way between them is what matters."""

import os
import subprocess
import sys
import unittest

NOT_POSSIBLE = 77
TARGET = "198.18.0.2"
LISTEN = """
import socket, sys, time
keep = [socket.create_server((sys.argv[1], int(port))) for port in sys.argv[2:]]
print("ready", flush=True)
time.sleep(600)
"""


def run(*command, text=None):
    subprocess.run(command, check=True, capture_output=True, input=text, text=True)


class TwoHosts(unittest.TestCase):
    """The near one is 198.18.0.1; on the far one, TARGET, these ports are open."""

    open_ports = ()

    def setUp(self):
        self.near, self.far = f"pw{os.getpid()}-near", f"pw{os.getpid()}-far"
        for name in (self.near, self.far):
            run("ip", "netns", "add", name)
            self.addCleanup(run, "ip", "netns", "del", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
            run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        run("ip", "-n", self.near, "link", "add", "v", "type", "veth", "peer", "name", "v", "netns", self.far)
        run("ip", "-n", self.near, "address", "add", "198.18.0.1/24", "dev", "v")
        run("ip", "-n", self.far, "address", "add", f"{TARGET}/24", "dev", "v")
        for name in (self.near, self.far):
            run("ip", "-n", name, "link", "set", "v", "up")
        ports = map(str, sorted(self.open_ports))
        listener = subprocess.Popen(
            ["ip", "netns", "exec", self.far, sys.executable, "-c", LISTEN, TARGET, *ports],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
        self.addCleanup(listener.wait)
        self.addCleanup(listener.kill)
        self.addCleanup(listener.stdout.close)
        self.assertEqual(listener.stdout.readline(), b"ready\n")


def main():
    """Runs the tests of the calling program. Exit status 77: they cannot run here."""
    if os.geteuid() != 0:
        print("network namespaces need root")
        return NOT_POSSIBLE
    return 0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1
