"""A firewall that lets so many SYNs a second through and drops the rest in silence: no open port is missed."""

import json
import subprocess
import sys

from network import BUILD
from twohosts import TARGET, TwoHosts, main, run

PORTS = 500
OPEN = set(range(7, PORTS, 25))
POLICER = "tcp flags & (syn|ack) == syn limit rate over {}/second burst {} packets drop"


class PolicerTest(TwoHosts):
    open_ports = OPEN

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


if __name__ == "__main__":
    sys.exit(main())
