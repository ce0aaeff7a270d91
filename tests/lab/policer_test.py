"""A firewall that lets so many SYNs a second through and drops the rest in silence: no open port is missed."""

import json
import os
import subprocess
import sys
import unittest

from network import BUILD

NOT_POSSIBLE = 77
PORTS = 500
OPEN = set(range(7, PORTS, 25))
TARGET = "198.18.0.2"
LISTEN = f"""
import socket, time
keep = [socket.create_server(("{TARGET}", port)) for port in {sorted(OPEN)}]
print("ready", flush=True)
time.sleep(600)
"""
POLICER = "tcp flags & (syn|ack) == syn limit rate over {}/second burst {} packets drop"


def run(*command, text=None):
    subprocess.run(command, check=True, capture_output=True, input=text, text=True)


class PolicerTest(unittest.TestCase):
    def setUp(self):
        self.near, self.far = f"pp{os.getpid()}-near", f"pp{os.getpid()}-far"
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
        listener = subprocess.Popen(["ip", "netns", "exec", self.far, sys.executable, "-c", LISTEN], stdout=subprocess.PIPE)
        self.addCleanup(listener.wait)
        self.addCleanup(listener.kill)
        self.addCleanup(listener.stdout.close)
        self.assertEqual(listener.stdout.readline(), b"ready\n")

    def filter(self, *rules):
        chain = "\n".join(["table ip t {", "chain in {", "type filter hook input priority filter", *rules, "}", "}"])
        run("ip", "netns", "exec", self.far, "nft", "-f", "-", text=chain)

    def assert_right(self, other):
        command = ["ip", "netns", "exec", self.near, BUILD / "portolan", "-sS", "-n", "-p", f"1-{PORTS}", "-oJ", "-", TARGET]
        result = subprocess.run(command, capture_output=True, text=True, timeout=100)
        self.assertEqual(result.returncode, 0, result.stderr)
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        found = {line["port"] for line in lines if line["type"] == "port" and line["state"] == "open"}
        (host,) = (line for line in lines if line["type"] == "host")
        self.assertEqual(found, OPEN)
        self.assertEqual(sum(group["count"] for group in host["not_shown"] if group["state"] == other), PORTS - len(OPEN))

    def test_a_firewalled_host_behind_it(self):
        ports = ", ".join(map(str, sorted(OPEN)))
        self.filter(POLICER.format(1000, 20), f"tcp flags syn tcp dport != {{ {ports} }} drop")
        self.assert_right("filtered")

    def test_a_host_that_resets_behind_it(self):
        self.filter(POLICER.format(1000, 20))
        self.assert_right("closed")


def main():
    if os.geteuid() != 0:
        print("network namespaces need root")
        return NOT_POSSIBLE
    return 0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
