#!/usr/bin/env python3
"""What a scan of 198.18.0.0/15 (131,072 hosts) on 10 ports takes of memory: less than 100 MB over all processes, whether
every host answers or none does."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import labtest
import scan
from network import ROOT

sys.path.insert(0, str(ROOT / "bench"))
import pair  # noqa: E402
import peaks  # noqa: E402

NETWORK = "198.18.0.0/15"
HOSTS = 1 << 17
PORTS = "1-10"
PORT_COUNT = 10
LIMIT_KB = 100_000
TIMEOUT_S = 240
RATE = ["--min-rate", "200000"]  # the network is ours, and the test should not take an hour


def run(network, command, output):
    """Runs the command to its end; returns (exit status, the sum of the peaks of all its processes in kB)."""
    with network.inside("scanner"):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    watch = peaks.Watch(process.pid)
    try:
        status = process.wait(TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
    return status, sum(watch.stop().values())


class Memory(unittest.TestCase):
    def setUp(self):
        self.network = pair.Pair("memory")
        self.enterContext(self.network)
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def scan(self, *options):
        command = [scan.PORTOLAN, "-sS", "-Pn", "-n", "-p", PORTS, *RATE, *options, NETWORK]
        with open(self.directory / "output", "wb") as output:
            status, peak = run(self.network, command, output)
        self.assertEqual(status, 0, (self.directory / "output").read_text()[-2000:])
        print(f"{peak} kB ", end="", file=sys.stderr, flush=True)
        self.assertLess(peak, LIMIT_KB)

    def test_when_every_host_answers(self):
        self.network.route_to_target(NETWORK)
        reports = [self.directory / name for name in ("xml", "json")]
        self.scan("-oX", reports[0], "-oJ", reports[1])
        with open(reports[1], encoding="ascii") as lines:
            closed = sum(json.loads(line).get("state") == "closed" for line in lines)
        self.assertGreater(closed, 0.99 * HOSTS * PORT_COUNT)

    def test_when_no_host_answers(self):
        self.network.route_to_target(NETWORK, answers=False)
        self.scan("--max-retries", "1", "-oX", self.directory / "xml")


if __name__ == "__main__":
    sys.exit(labtest.main())
