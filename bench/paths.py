#!/usr/bin/env python3
"""Portolan beside Nmap over paths that delay, lose, filter and limit: a far host, lossy ones, firewalled ones, one that
limits its resets. Each line is one program over one path: its time, the ratio to Portolan's in the same run, and how
many states were wrong.

Runs in network namespaces of its own; needs root. See README.md."""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pair
import peers

FAR = "198.51.100.1"  # behind the target as a router: who is 40 ms away is no neighbour
TIMEOUT_S = 300
LIMITED_PPS = 200


class Case(NamedTuple):
    """A path, the host at its end, and how Nmap is run on it."""

    name: str
    ports: int
    listening: int
    nmap: dict  # name: (options, least ratio of its time to ours)
    delay_ms: int = 0  # of the round trip
    loss_percent: int = 0  # each way
    firewalled: bool = False  # what does not listen drops
    limited: bool = False  # resets are limited to LIMITED_PPS
    rounds: int = 3  # of ours

    @property
    def target(self):
        return FAR if self.delay_ms else pair.TARGET

    @property
    def other(self):
        """The state of ports on which nobody listens."""
        return "filtered" if self.firewalled else "closed"


CASES = [
    Case("far", 20000, 100, {"-T4": (["-T4"], 20), "--min-rate 10000": (["--min-rate", "10000"], 1)},
         delay_ms=40, loss_percent=1),
    Case("lossy", 5000, 100, {"default": ([], 10)}, loss_percent=10, rounds=10),
    Case("firewalled", 1000, 20, {"-T4": (["-T4"], 4)}, firewalled=True, rounds=7),
    Case("firewalled-10k", 10000, 20, {"--min-rate 50000": (["--min-rate", "50000"], 1)}, firewalled=True,
         rounds=7),
    Case("lossy-all", 65535, 200, {"--min-rate 50000": (["--min-rate", "50000"], 1)}, loss_percent=10,
         rounds=7),
    Case("limited", 5000, 20, {}, limited=True),
]  # fmt: skip


class ShapedPair(pair.Pair):
    """The two namespaces joined as a case asks for."""

    def __init__(self, case, build):
        super().__init__("paths")
        self.case, self.build, self.relay = case, build, None

    def join(self):
        if not self.case.delay_ms:
            super().join()
            return
        for name in self.names.values():
            pair.run("ip", "-n", name, "tuntap", "add", "dev", "eth0", "mode", "tap")
            pair.run("ip", "-n", name, "link", "set", "eth0", "txqueuelen", "10000")
        scanner, target = (f"/run/netns/{name}" for name in self.names.values())
        half_us = self.case.delay_ms * 1000 // 2
        command = [self.build / "tests/lab/relay", scanner, "eth0", target, "eth0", str(half_us)]
        self.relay = subprocess.Popen(command, stdout=subprocess.PIPE)
        self.relay.stdout.readline()  # ready

    def down(self):
        if self.relay:
            self.relay.kill()
            self.relay.wait()
        super().down()

    def filter(self, listening):
        """What the target's end of the path drops."""
        case = self.case
        lose = f"numgen random mod 100 < {case.loss_percent} drop" if case.loss_percent else ""
        ports = ", ".join(map(str, sorted(listening)))
        closed = f"ip protocol tcp tcp dport != {{ {ports} }} drop" if case.firewalled else ""
        icmp = "ip protocol icmp drop" if case.firewalled else ""
        limit = f"tcp flags & rst == rst limit rate over {LIMITED_PPS}/second drop" if case.limited else ""
        rules = f"""
        table ip path {{
          chain in {{ type filter hook input priority 0; {lose}
            {closed}
            {icmp}
          }}
          chain out {{ type filter hook output priority 0; {lose}
            {limit}
          }}
        }}"""
        with self.inside("target"):
            subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)


def wrong_states(text, case, listening):
    """How many ports a report in Nmap's XML has wrong."""
    seen, counts = set(), Counter()
    for host in ElementTree.fromstring(text).iter("host"):
        for port in host.iter("port"):
            state = port.find("state").get("state")
            counts[state] += 1
            if state == "open":
                seen.add(int(port.get("portid")))
        for extra in host.iter("extraports"):
            counts[extra.get("state")] += int(extra.get("count"))
    false_open = len(seen - listening)
    misjudged = max(0, case.ports - len(listening) - counts[case.other] - false_open)
    return len(listening - seen) + false_open + misjudged


def scan(network, case, name, command, listening):
    """(seconds, wrong states)"""
    seconds, text = peers.run_timed(network, name, [*command, "-sS", "-n", f"-p1-{case.ports}", "-oX", "-", case.target], TIMEOUT_S)
    return seconds, wrong_states(text, case, listening)


def scan_limited(network, case, portolan, listening):
    """(seconds, wrong states, seconds until every open port was told)"""
    with tempfile.NamedTemporaryFile() as report, network.inside("scanner"):
        command = [portolan, "-sS", "-n", f"-p1-{case.ports}", "-oX", report.name, "-oL", "-", case.target]
        start = told = time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for _ in process.stdout:
                told = time.monotonic()
        end = time.monotonic()
        return end - start, wrong_states(report.read(), case, listening), told - start


def show(case, name, times, wrong, note=""):
    median = statistics.median(times)
    spread = f"{min(times):.2f} to {max(times):.2f}"
    print(f"{case.name:16}{name:20}{median:8.2f}  {spread:18}{sum(wrong):4} in {len(times):2}   {note}", flush=True)


def measure_limited(network, case, portolan, listening):
    seconds, wrong, told = scan_limited(network, case, portolan, listening)
    pace = (case.ports - len(listening)) / LIMITED_PPS
    show(case, "portolan", [seconds], [wrong],
         f"{seconds / pace:.2f} of the limiter's {pace:.1f} s; open ports known after {told:.2f} s")  # fmt: skip
    return wrong == 0 and told < 2


def measure(network, case, options, listening):
    """Did Portolan keep what the case asks for?"""
    portolan = [options.build / "portolan"]
    if case.limited:
        return measure_limited(network, case, portolan[0], listening)
    ours = [scan(network, case, "portolan", portolan, listening) for _ in range(case.rounds)]
    times, wrong = zip(*ours)
    show(case, "portolan", times, wrong)
    kept = sum(wrong) <= (1 if case.loss_percent else 0)
    for name, (arguments, least) in case.nmap.items():
        seconds = [scan(network, case, "nmap", ["nmap", *arguments], listening) for _ in range(1 if least > 1 else options.nmap_rounds)]
        ratio = statistics.median(taken for taken, _ in seconds) / statistics.median(times)
        show(case, f"nmap {name}", *zip(*seconds), f"{ratio:.2f} times ours (asked for: {least})")
        kept = kept and ratio >= least
    return kept


def run_case(case, options):
    listening = set(random.Random(options.seed).sample(range(1, case.ports + 1), case.listening))
    with ShapedPair(case, options.build) as network:
        network.route_to_target(f"{FAR}/32")
        network.filter(listening)
        sockets = peers.listen_on(network, listening)
        try:
            return measure(network, case, options, listening)
        finally:
            for opened in sockets.values():
                opened.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path(__file__).resolve().parent.parent / "build")
    parser.add_argument("--only", default=",".join(case.name for case in CASES), help="cases, with commas")
    parser.add_argument("--nmap-rounds", type=int, default=3, help="of Nmap where it is quick")
    parser.add_argument("--seed", type=int, default=1, help="which ports listen")
    options = parser.parse_args()
    print(f"{'path':16}{'program':20}{'median s':>8}  {'least to most':18}wrong")
    kept = [run_case(case, options) for case in CASES if case.name in options.only.split(",")]
    sys.exit(not all(kept))


if __name__ == "__main__":
    main()
