#!/usr/bin/env python3
"""How many probes a second leave one core when nobody answers: Portolan's backends, a bare loop that only sends, masscan
and zmap. An XDP program at the other end drops every frame as it arrives. The runs are interleaved, and ratios of medians are printed:
of the rate while sending, and of probes a second of processor time, which other programs on the machine disturb less.

Runs in network namespaces of its own; needs root. See README.md."""

import argparse
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import pair

NETWORK = "198.18.0.0/18"
HOSTS = 1 << 14
TIMEOUT_S = 120
SAMPLE_S = 0.01
QUIET_S = 1.0


def commands(build, ports):
    """What is compared, by name."""
    bare = [build / "bench/bare_blast", "eth0", pair.SCANNER, NETWORK.split("/", maxsplit=1)[0], pair.TARGET_MAC,
            str(HOSTS * ports)]  # fmt: skip
    portolan = [build / "portolan", "-sS", "-Pn", "-n", "--max-retries", "0", "--min-rate", "20000000", "--max-rate",
                "20000000", "-p", f"1-{ports}", "-oL", "-", NETWORK]  # fmt: skip
    masscan = ["masscan", "--rate", "10000000", "--wait", "0", "-p", f"1-{ports}", "--interface", "eth0",
               "--adapter-ip", pair.SCANNER, "--adapter-mac", pair.SCANNER_MAC, "--router-mac", pair.TARGET_MAC,
               NETWORK]  # fmt: skip
    zmap = ["zmap", "-i", "eth0", "-S", pair.SCANNER, "-G", pair.TARGET_MAC, "-B", "10G", "-T", "1", "-P", str(ports),
            "-p", "80", "-c", "0", "-q", "-o", "/dev/null", "-b", "/dev/null", NETWORK]  # fmt: skip
    return {
        "packet": [*portolan, "--backend", "packet"],
        "xdp": [*portolan, "--backend", "xdp"],
        "kernel": [*portolan, "--backend", "kernel"],
        "bare": bare,
        "masscan": masscan,
        "zmap": zmap,
    }


def drop_everything(network, build):
    """At the target, as it arrives."""
    pair.run("ip", "-n", network.names["target"], "link", "set", "dev", "eth0", "xdp", "object",
             str(build / "bench/drop.bpf.o"), "section", "xdp")  # fmt: skip


def frames_sent(file):
    """The counter of the namespace that the file was opened in."""
    file.seek(0)
    line = next(line for line in file if line.strip().startswith("eth0:"))
    return int(line.split(":")[1].split()[9])


def watch(process):
    """[(time, frames sent)] until the process ends or has sent nothing for a while: masscan does not end on a silent
    link."""
    samples = []
    with open("/proc/thread-self/net/dev", encoding="ascii") as file:
        while process.poll() is None:
            samples.append((time.monotonic(), frames_sent(file)))
            since = next(sample[0] for sample in samples if sample[1] == samples[-1][1])
            if samples[-1][1] > samples[0][1] and samples[-1][0] - since > QUIET_S:
                process.terminate()
                process.wait()
            time.sleep(SAMPLE_S)
        samples.append((time.monotonic(), frames_sent(file)))
    return samples


def rate_while_sending(samples):
    """Frames a second between a tenth and nine tenths of what was sent."""
    first, last = samples[0][1], samples[-1][1]
    low, high = first + (last - first) * 0.1, first + (last - first) * 0.9
    start = next(sample for sample in samples if sample[1] >= low)
    end = next(sample for sample in samples if sample[1] >= high)
    return (end[1] - start[1]) / (end[0] - start[0]) if end[0] > start[0] else 0.0


def measure(network, command, core):
    """(frames sent, frames a second while sending)"""
    with network.inside("scanner"):
        process = subprocess.Popen(["taskset", "-c", str(core), *command], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        killer = threading.Timer(TIMEOUT_S, process.kill)
        killer.start()
        samples = watch(process)
        killer.cancel()
    if process.returncode not in (0, -signal.SIGTERM, 128 + signal.SIGTERM):
        sys.exit(f"{' '.join(map(str, command))}: exit status {process.returncode}")
    return samples[-1][1] - samples[0][1], rate_while_sending(samples)


def used_s():
    times = os.times()
    return times.children_user + times.children_system


def report(rates, by_cpu):
    for what, values in [("while sending", rates), ("a second of processor time", by_cpu)]:
        medians = {name: statistics.median(list_) for name, list_ in values.items()}
        best = max((medians[name] for name in ("masscan", "zmap") if name in medians), default=0)
        print(f"\n{'':10}{'median':>12}{'least':>12}{'most':>12}{'to bare':>9}{'to peers':>9}   probes {what}")
        for name, list_ in values.items():
            to_bare = medians[name] / medians["bare"] if "bare" in medians else 0
            to_best = medians[name] / best if best else 0
            print(f"{name:10}{medians[name]:12.0f}{min(list_):12.0f}{max(list_):12.0f}{to_bare:9.2f}{to_best:9.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path(__file__).resolve().parent.parent / "build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ports", type=int, default=64, help="probes for each of the 16,384 hosts")
    parser.add_argument("--core", type=int, default=0, help="the core that all of them run on")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="packet,xdp,kernel,bare,masscan,zmap", help="what to run, with commas")
    options = parser.parse_args()
    wanted = options.only.split(",")
    chosen = {name: command for name, command in commands(options.build, options.ports).items() if name in wanted}
    for name, command in chosen.items():
        if not shutil.which(command[0]):
            sys.exit(f"{name}: there is no {command[0]}")

    rates, by_cpu = {name: [] for name in chosen}, {name: [] for name in chosen}
    order = random.Random(options.seed)
    with pair.Pair("blast") as network:
        network.route_to_target(NETWORK, answers=False)
        drop_everything(network, options.build)
        for number in range(1, options.rounds + 1):
            for name in order.sample(list(chosen), len(chosen)):
                before = used_s()
                sent, rate = measure(network, chosen[name], options.core)
                cpu = used_s() - before
                rates[name].append(rate)
                by_cpu[name].append(sent / cpu)
                print(f"round {number}  {name:9} {sent:9} sent {rate:10.0f}/s {sent / cpu:10.0f}/cpu s", flush=True)
    report(rates, by_cpu)


if __name__ == "__main__":
    main()
