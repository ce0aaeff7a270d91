#!/usr/bin/env python3
"""While a scan runs, packets are thrown at it that look like answers and are none; how many, PORTOLAN_GARBAGE says, and 10 million
if nobody does. The scan ends as one in peace: the same states, and memory stays as it was; what was ignored is counted by
reason. Prints the numbers."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import labtest
import scan
from network import BUILD, ROOT

sys.path.insert(0, str(ROOT / "bench"))
import pair  # noqa: E402

NETWORK = "198.18.0.0/28"
HOSTS = 16
OPEN_PORTS = (22, 80, 443)
LAST_PORT = 500
COUNT = int(os.environ.get("PORTOLAN_GARBAGE", 10_000_000))
A_SECOND = 150_000  # so many are thrown, or more; the scan is made to last as long
SEED = 1
TICK_S = 0.1
GROWTH_KB = 4_000  # what a scan touches for the first time as it goes on, whoever throws at it
REASONS = {"truncated", "bad header", "bad checksum", "not proved"}


def resident_kb(pid):
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    return int(found[1]) if found else None


def worker_of(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else None


class Garbage(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.network = pair.Pair("garbage")
        self.enterContext(self.network)
        self.network.route_to_target(NETWORK)
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        with self.network.inside("target"):
            for port in OPEN_PORTS:
                listener = self.enterContext(socket.socket())
                listener.bind(("", port))
                listener.listen(4096)

    def start(self, name, rate):
        command = [scan.PORTOLAN, "-sS", "-n", "-Pn", "-p", f"1-{LAST_PORT}", "--max-rate", str(rate), NETWORK]
        with self.network.inside("scanner"):
            outputs = ["-oJ", self.directory / name, "--store", self.directory / f"{name}.store"]
            return subprocess.Popen([*command, *outputs], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def throw(self):
        command = [BUILD / "tests/lab/garbage", "eth0", pair.SCANNER_MAC, pair.SCANNER, NETWORK.split("/")[0], str(COUNT), str(SEED)]
        with self.network.inside("target"):
            return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def watch(self, process):
        """To the end of the scan; the sizes that its packet process had."""
        sizes = []
        worker = None
        while process.poll() is None:
            worker = worker or worker_of(process.pid)
            sizes.append(worker and resident_kb(worker))
            time.sleep(TICK_S)
        self.assertEqual(process.returncode, 0)
        return [size for size in sizes if size]

    def read(self, name):
        lines = [json.loads(line) for line in (self.directory / name).read_text().splitlines()]
        states = {(line["ip"], line["port"]): line["state"] for line in lines if line["type"] == "port"}
        folded = {(line["ip"], fold["state"], fold["ports"]) for line in lines if line["type"] == "host" for fold in line["not_shown"]}
        return states, folded, next(line for line in lines if line["type"] == "summary")

    def test_garbage_changes_nothing(self):
        rate = int(HOSTS * LAST_PORT / (COUNT / A_SECOND))
        self.watch(self.start("peace", 20_000))
        thrower = self.throw()
        began = time.monotonic()
        sizes = self.watch(self.start("garbage", rate))
        took = time.monotonic() - began
        thrown, _ = thrower.communicate(timeout=600)
        thrown_took = time.monotonic() - began
        self.assertEqual(thrower.returncode, 0)

        states, folded, _ = self.read("peace")
        states_under, folded_under, summary = self.read("garbage")
        print(f"\nthrown: {thrown.strip()} in {thrown_took:.1f} s; the scan took {took:.1f} s", file=sys.stderr)
        print(f"received: {summary['packets_received']}; ignored: {summary.get('rejected_by')}; lost by us: {summary['drops']}", file=sys.stderr)
        print(f"resident: {sizes[0]} kB, at most {max(sizes)} kB, at the end {sizes[-1]} kB", file=sys.stderr)
        self.assertEqual(len(states), HOSTS * len(OPEN_PORTS))
        self.assertEqual(states_under, states)
        self.assertEqual(folded_under, folded)
        self.assertLessEqual(REASONS, summary["rejected_by"].keys())
        self.assertEqual(sum(summary["rejected_by"].values()), summary["rejected"])
        self.assertGreater(summary["rejected"], min(COUNT, 1_000_000) // 20)
        told = [scan.PORTOLAN, "report", self.directory / "garbage.store", "-oJ", self.directory / "told"]
        subprocess.run(told, stdin=subprocess.DEVNULL, check=True, timeout=60)
        _, _, summary_told = self.read("told")
        self.assertEqual(summary_told["rejected_by"], summary["rejected_by"])
        self.assertLess(max(sizes) - max(sizes[: len(sizes) // 2]), GROWTH_KB, "in the second half of the scan")


if __name__ == "__main__":
    sys.exit(labtest.main())
