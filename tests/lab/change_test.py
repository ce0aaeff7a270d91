"""The way to the target changes in the middle of a scan: the scan waits or asks again, says what happened, and is right."""

import subprocess
import sys
import time
from pathlib import Path

from network import BUILD
from scan import read_json
from twohosts import TARGET, TwoHosts, main, run

PORTS = 3000
RATE = 1500
OPEN = range(7, PORTS, 50)


class ChangeTest(TwoHosts):
    open_ports = OPEN

    def scan(self, *options):
        command = ["ip", "netns", "exec", self.near, BUILD / "portolan", "-sS", "-n", "-p", f"1-{PORTS}", "--max-rate", str(RATE),
                   *options, "-oJ", f"/tmp/{self.near}.jsonl", TARGET]  # fmt: skip
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)

    def finish(self, scan):
        """What it said; its states are right."""
        said, _ = scan.communicate(timeout=60)
        report = Path(f"/tmp/{self.near}.jsonl")
        found = read_json(report.read_text())
        states = {port: verdict.state for (_, _, port), verdict in (found.ports | found.corrections).items()}
        report.unlink()
        wrong = {port: states.get(port) for port in range(1, PORTS + 1) if states.get(port) != ("closed", "open")[port in OPEN]}
        self.assertFalse(wrong, said)
        self.assertEqual(scan.returncode, 0, said)
        return said

    def test_a_link_that_is_down_for_three_seconds(self):
        scan = self.scan()
        time.sleep(0.7)
        run("ip", "-n", self.far, "link", "set", "v", "down")  # the other end: here only the carrier goes
        time.sleep(3)
        run("ip", "-n", self.far, "link", "set", "v", "up")
        said = self.finish(scan)
        self.assertIn("the way to the targets is gone", said)
        self.assertRegex(said, r"back after [2-9]\.\d seconds; \d+ probes are sent again")

    def test_our_address_changes(self):
        scan = self.scan()
        time.sleep(0.7)
        run("ip", "-n", self.near, "address", "add", "198.18.0.77/24", "dev", "v")
        run("ip", "-n", self.near, "address", "del", "198.18.0.1/24", "dev", "v")  # takes the other along: same network
        time.sleep(0.2)
        run("ip", "-n", self.near, "address", "replace", "198.18.0.77/24", "dev", "v")
        said = self.finish(scan)
        self.assertRegex(said, r"the way to the targets is (gone|back)|our address towards the targets has changed")


if __name__ == "__main__":
    sys.exit(main())
