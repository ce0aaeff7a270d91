#!/usr/bin/env python3
"""How long does an idle scan of 1,000 ports take, 10 of them open: Portolan and Nmap through the same zombie, in turns. Runs in
the practice network of tests/lab; needs root. See README.md."""

import argparse
import os
import random
import socket
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests/lab"))

import labtest  # noqa: E402
import scan  # noqa: E402
import truth  # noqa: E402
from network import HAS_ZOMBIE, NO_ZOMBIE, Network  # noqa: E402

OPEN_COUNT = 10
PORTS = range(1, 1001)
TIMEOUT_S = 300


def measure(network, program, target):
    """(seconds of the whole process, open ports)"""
    pn = ["-Pn"] if program == "nmap" else []
    command = [program, "-sI", truth.ZOMBIE, "-n", *pn, "-p1-1000", "-oX", "-", target.v4]
    start = time.monotonic()
    status, out, err = scan.run(network, command, TIMEOUT_S)
    seconds = time.monotonic() - start
    if status:
        sys.exit(f"{program}: exit status {status}: {err.strip()}")
    found = scan.read_xml(out).ports
    return seconds, {port for (_, _, port), verdict in found.items() if verdict.state == "open"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not HAS_ZOMBIE:
        sys.exit(NO_ZOMBIE)
    programs = {"portolan": scan.PORTOLAN, "nmap": "nmap"}
    seconds, wrong = {name: [] for name in programs}, dict.fromkeys(programs, 0)
    target = truth.BY_NAME["shut"]
    network = Network(f"idle{os.getpid()}")
    labtest.take_down_on_signals(network)
    with network:
        with network.inside(target.name):
            opened = {port: socket.create_server(("", port), backlog=128)
                      for port in random.Random(options.seed).sample(PORTS, OPEN_COUNT)}  # fmt: skip
        for number in range(1, options.rounds + 1):
            for name, program in programs.items():
                taken, found = measure(network, program, target)
                seconds[name].append(taken)
                wrong[name] += len(found ^ set(opened))
                print(f"round {number}  {name:9} {taken:7.2f} s  {len(found ^ set(opened))} ports wrong", flush=True)
        for listener in opened.values():
            listener.close()
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print(f"portolan is {medians['nmap'] / medians['portolan']:.2f} times as fast as nmap "
          f"(medians {medians['portolan']:.2f} s and {medians['nmap']:.2f} s); "
          f"wrong ports: {wrong['portolan']} and {wrong['nmap']}")  # fmt: skip
    sys.exit(wrong["portolan"] > 0)


if __name__ == "__main__":
    main()
