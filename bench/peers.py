#!/usr/bin/env python3
"""How long does it take to scan all 65,535 ports of one Linux host: Portolan's backends, Nmap, and a bare loop that only sends and
counts? The runs are interleaved, each is checked against the truth, and the medians and their ratio are printed.

Runs in network namespaces of its own; needs root. See README.md."""

import argparse
import random
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pair

PORTS = 65535
TIMEOUT_S = 120
BACKLOG = 4096  # nobody accepts: what was connected and reset stays in the queue
BARE = {"packet": "bare", "xdp": "bare-xdp", "kernel": "bare-kernel"}  # the practical limit of each backend
COMMON = ["-sS", "-Pn", "-n", "-p-", "-oX", "-", pair.TARGET]


def commands(build):
    """What is compared, by name."""
    asked = ["eth0", pair.SCANNER, pair.TARGET, pair.TARGET_MAC]
    return {
        "packet": [build / "portolan", *COMMON, "--backend", "packet"],
        "xdp": [build / "portolan", *COMMON, "--backend", "xdp"],
        "kernel": [build / "portolan", *COMMON, "--backend", "kernel", "--min-rate", "250000"],
        "nmap": ["nmap", "-T4", *COMMON],
        **bare_loops(build, asked),
    }


def bare_loops(build, asked):
    """The commands of the bare loops, which take the same arguments."""
    wire = [build / "bench/bare_wire.bpf.o", *asked]
    return {
        "bare": [build / "bench/bare_packet", *asked],
        "bare-xdp": [build / "bench/bare_wire", "xdp", *wire],
        "bare-kernel": [build / "bench/bare_wire", "kernel", *wire],
    }


def read_xml(text):
    """(open ports, number of closed ports) of a report in Nmap's XML."""
    open_ports, closed = set(), 0
    for host in ElementTree.fromstring(text).iter("host"):
        for port in host.iter("port"):
            state = port.find("state").get("state")
            closed += state == "closed"
            if state == "open":
                open_ports.add(int(port.get("portid")))
        closed += sum(int(extra.get("count")) for extra in host.iter("extraports") if extra.get("state") == "closed")
    return open_ports, closed


def read_bare(text):
    counts, *listed = text.splitlines()
    open_ports = {int(line.split(":")[1]) for line in listed}
    return open_ports, int(counts.split()[3]) - len(open_ports)


def run_timed(network, name, command, timeout_s=TIMEOUT_S):
    """(seconds of the whole process, what it printed)"""
    with network.inside("scanner"):
        start = time.monotonic()
        result = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
        seconds = time.monotonic() - start
    if result.returncode:
        sys.exit(f"{name}: exit status {result.returncode}: {result.stderr.strip()}")
    return seconds, result.stdout


def measure(network, name, command):
    """(seconds of the whole process, open ports, number of closed ports)"""
    seconds, text = run_timed(network, name, command)
    return seconds, *(read_bare if name in BARE.values() else read_xml)(text)


def fault(found, truth):
    """What is wrong with a result, or None."""
    open_ports, closed = found
    missing, wrong = truth - open_ports, open_ports - truth
    if missing or wrong:
        return f"{len(missing)} open ports missing, {len(wrong)} ports wrongly open"
    if closed != PORTS - len(truth):
        return f"{closed} closed ports instead of {PORTS - len(truth)}"
    return None


def listen(network, count, seed):
    """Open that many ports of the target; returns the sockets by port."""
    return listen_on(network, random.Random(seed).sample(range(1, PORTS + 1), count))


def listen_on(network, ports):
    """Open these ports of the target; returns the sockets by port."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, PORTS), hard))
    with network.inside("target"):
        return {port: socket.create_server(("", port), backlog=BACKLOG) for port in ports}


def report(seconds, wrong, rounds):
    print(f"\n{'':12}{'median':>9}{'least':>9}{'most':>9}{'wrong':>7}   of {rounds} runs, seconds")
    for name, values in seconds.items():
        print(f"{name:12}{statistics.median(values):9.3f}{min(values):9.3f}{max(values):9.3f}{wrong[name]:7}")
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    ours = ["portolan", "packet", "xdp", "kernel"]
    for name, other in [*((name, "nmap") for name in [*ours, "bare"]), *((BARE.get(name, "bare"), name) for name in ours)]:
        if name in medians and other in medians:
            ratios = [theirs / its for its, theirs in zip(seconds[name], seconds[other])]
            print(f"{name} is {medians[other] / medians[name]:.2f} times as fast as {other} "
                  f"(round by round {min(ratios):.2f} to {max(ratios):.2f})")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path(__file__).resolve().parent.parent / "build")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--listening", type=int, default=200, help="open ports of the target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="packet,xdp,kernel,nmap,bare,bare-xdp,bare-kernel", help="what to run, with commas")
    options = parser.parse_args()
    chosen = {name: command for name, command in commands(options.build).items() if name in options.only.split(",")}
    for name, command in chosen.items():
        if not shutil.which(command[0]):
            sys.exit(f"{name}: there is no {command[0]}")

    seconds, wrong = {name: [] for name in chosen}, dict.fromkeys(chosen, 0)
    order = random.Random(options.seed)
    with pair.Pair("peers") as network:
        network.poll_at_target()
        sockets = listen(network, options.listening, options.seed)
        for number in range(1, options.rounds + 1):
            for name in order.sample(list(chosen), len(chosen)):
                taken, *found = measure(network, name, chosen[name])
                why = fault(found, set(sockets))
                seconds[name].append(taken)
                wrong[name] += why is not None
                print(f"round {number}  {name:11} {taken:7.3f} s  {why or 'all right'}", flush=True)
        for opened in sockets.values():
            opened.close()
    report(seconds, wrong, options.rounds)
    sys.exit(any(wrong.values()))


if __name__ == "__main__":
    main()
