#!/usr/bin/env python3
"""How long does it take to scan 10 ports of 65,536 addresses, all of them one real Linux stack: Portolan's backends,
a bare loop, masscan and Nmap. Three of the ports are open. The runs are interleaved; every run is checked against the truth, what is
missed and what is reported twice, and medians are printed with processor time and memory.

Runs in network namespaces of its own; needs root. See README.md."""

import argparse
import ipaddress
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pair
import peaks
import peers

PORTS = range(30001, 30011)
OPEN = (30002, 30005, 30009)
TIMEOUT_S = 120
STORE = Path(tempfile.gettempdir(), f"portolan-network-{os.getpid()}")


def commands(build, network):
    """What is compared, by name: (command, how an open port looks in its output)."""
    ports = f"{PORTS[0]}-{PORTS[-1]}"
    portolan = [build / "portolan", "-sS", "-Pn", "-n", "-p", ports, "-oL", "-", network]
    masscan = ["masscan", "--rate", "10000000", "--wait", "2", "-p", ports, "--interface", "eth0", "--adapter-ip",
               pair.SCANNER, "--adapter-mac", pair.SCANNER_MAC, "--router-mac", pair.TARGET_MAC, "-oL", "-",
               network]  # fmt: skip
    nmap = ["nmap", "-sS", "-Pn", "-n", "-T4", "--min-rate", "50000", "--min-hostgroup", "4096", "-p", ports, "-oG", "-",
            "--open", network]  # fmt: skip
    addresses = ipaddress.ip_network(network)
    bare = peers.bare_loops(build, ["eth0", pair.SCANNER, str(addresses[0]), pair.TARGET_MAC, str(PORTS[0]), str(PORTS[-1]),
                                    str(addresses.num_addresses)])  # fmt: skip
    listed = re.compile(r"^([\d.]+):(\d+)$", re.MULTILINE)
    return {
        "packet": ([*portolan, "--backend", "packet"], listed),
        "xdp": ([*portolan, "--backend", "xdp"], listed),
        "kernel": ([*portolan, "--backend", "kernel", "--min-rate", "250000"], listed),
        "store": ([*portolan, "--backend", "packet", "--store", STORE], listed),
        **{name: (command, listed) for name, command in bare.items()},
        "masscan": (masscan, re.compile(r"^open tcp (\d+) ([\d.]+) ", re.MULTILINE)),
        "nmap": (nmap, None),
    }


def found(name, pattern, text):
    """Counter of (address, port)."""
    if name == "nmap":
        return Counter((host, int(port)) for host, ports in re.findall(r"^Host: ([\d.]+).*Ports: (.*)$", text, re.MULTILINE)
                       for port in re.findall(r"(\d+)/open/", ports))  # fmt: skip
    matches = pattern.findall(text)
    if name == "masscan":
        return Counter((host, int(port)) for port, host in matches)
    return Counter((host, int(port)) for host, port in matches)


def measure(network, command, cores):
    """(seconds, processor seconds, MB of its largest process, output)"""
    with network.inside("scanner"):
        start = time.monotonic()
        process = subprocess.Popen(["taskset", "-c", cores, "timeout", str(TIMEOUT_S), *command], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # fmt: skip
        watch = peaks.Watch(process.pid)
        text = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit status {process.returncode}")
    return seconds, usage.ru_utime + usage.ru_stime, max(watch.stop().values(), default=0) / 1024, text


def trickle(network):
    """masscan ends only when packets arrive: a few a second, from the target."""
    script = "import socket, time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n" \
             f"while True:\n s.sendto(b'.', ('{pair.SCANNER}', 9))\n time.sleep(0.02)\n"  # fmt: skip
    with network.inside("target"):
        return subprocess.Popen([sys.executable, "-c", script])


def report(runs):
    print(f"\n{'':12}{'median s':>10}{'least':>9}{'most':>9}{'cpu s':>9}{'MB':>7}{'missed':>8}{'twice':>7}{'wrong':>7}")
    medians = {}
    for name, results in runs.items():
        medians[name] = statistics.median(result[0] for result in results)
        least, most = min(result[0] for result in results), max(result[0] for result in results)
        cpu = statistics.median(result[1] for result in results)
        memory = max(result[2] for result in results)
        faults = [sum(result[column] for result in results) for column in (3, 4, 5)]
        print(f"{name:12}{medians[name]:10.2f}{least:9.2f}{most:9.2f}{cpu:9.2f}{memory:7.0f}"
              + "".join(f"{fault:{width}}" for fault, width in zip(faults, (8, 7, 7))))  # fmt: skip
    if "store" in medians and "packet" in medians:
        print(f"with a store packet takes {medians['store'] / medians['packet']:.3f} times as long")
    for name in ("packet", "xdp", "kernel"):
        for peer in ("masscan", "nmap"):
            if peer in medians and name in medians:
                print(f"{name} is {medians[peer] / medians[name]:.2f} times as fast as {peer}")
        limit = peers.BARE[name]
        if limit in medians and name in medians:
            print(f"{name} takes {medians[name] / medians[limit]:.2f} times as long as {limit}, a bare loop of the same kind")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path(__file__).resolve().parent.parent / "build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--network", default="198.18.0.0/16")
    parser.add_argument("--cores", default="0,1", help="that the scanners run on")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="packet,store,xdp,kernel,bare,bare-xdp,bare-kernel,masscan,nmap", help="what to run, with commas")
    options = parser.parse_args()
    chosen = {name: how for name, how in commands(options.build, options.network).items() if name in options.only.split(",")}
    for name, (command, _) in chosen.items():
        if not shutil.which(command[0]):
            sys.exit(f"{name}: there is no {command[0]}")

    truth = {(str(host), port) for host in ipaddress.ip_network(options.network) for port in OPEN}
    runs = {name: [] for name in chosen}
    order = random.Random(options.seed)
    with pair.Pair("network") as network:
        network.route_to_target(options.network)
        network.poll_at_target()
        with network.inside("target"):
            sockets = [socket.create_server(("", port), backlog=4096) for port in OPEN]
        sender = trickle(network)
        try:
            for number in range(1, options.rounds + 1):
                for name in order.sample(list(chosen), len(chosen)):
                    command, pattern = chosen[name]
                    for file in STORE.parent.glob(f"{STORE.name}*"):
                        file.unlink()
                    seconds, cpu, memory, text = measure(network, command, options.cores)
                    seen = found(name, pattern, text)
                    missed, wrong = len(truth - set(seen)), len(set(seen) - truth)
                    twice = sum(count - 1 for count in seen.values())
                    runs[name].append((seconds, cpu, memory, missed, twice, wrong))
                    print(f"round {number}  {name:11} {seconds:7.2f} s  {missed} missed, {twice} twice, {wrong} wrong",
                          flush=True)  # fmt: skip
        finally:
            sender.kill()
            sender.wait()
            for opened in sockets:
                opened.close()
            for file in STORE.parent.glob(f"{STORE.name}*"):
                file.unlink()
    report(runs)
    sys.exit(any(result[3] or result[4] or result[5] for name in ("packet", "store", "xdp", "kernel") for result in runs.get(name, [])))


if __name__ == "__main__":
    main()
