#!/usr/bin/env python3
"""How much faster a host that limits its ICMP errors is scanned from many addresses of our own (--source-pool).

Two namespaces and a veth pair. The target is a stock Linux stack: one ICMP error a second to each address, six at once, and
1,000 a second to all, 50 at once. It has no UDP service but one. Every run is held to the truth; the exit status is 1 if a
state was wrong. See README.md."""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/lab"))

import pair  # noqa: E402
from scan import read_json  # noqa: E402

NAME = f"pl{os.getpid()}"
US, TARGET = f"{NAME}-us", f"{NAME}-target"
OPEN_PORT = 7
ECHO = f"""
import socket
for family, address in ((socket.AF_INET, "198.18.0.2"), (socket.AF_INET6, "2001:db8::2")):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.bind((address, {OPEN_PORT}))
    if family == socket.AF_INET and __import__("os").fork() == 0:
        break
print("ready", flush=True)
while True:
    data, peer = s.recvfrom(2048)
    s.sendto(b"echo", peer)
"""
FAMILIES = {
    "IPv4": {"target": "198.18.0.2", "pool": "203.0.113.{}", "prefix": 32, "option": []},
    "IPv6": {"target": "2001:db8::2", "pool": "2001:db8:64::/{}", "prefix": 128, "option": ["-6"]},
}
LIMITS = {"ipv4/icmp_ratelimit": 1000, "ipv4/icmp_msgs_per_sec": 1000, "ipv4/icmp_msgs_burst": 50, "ipv6/icmp/ratelimit": 1000}


def run(*command):
    subprocess.run(command, check=True)


def raise_network():
    for name in (US, TARGET):
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0")
    run("ip", "-n", US, "link", "add", "v", "type", "veth", "peer", "name", "v", "netns", TARGET)
    for name, host in ((US, 1), (TARGET, 2)):
        run("ip", "-n", name, "address", "add", f"198.18.0.{host}/24", "dev", "v")
        run("ip", "-n", name, "address", "add", f"2001:db8::{host}/64", "dev", "v", "nodad")
        run("ip", "-n", name, "link", "set", "v", "up")
    run("ip", "-n", US, "route", "add", "local", "203.0.113.0/24", "dev", "lo")
    run("ip", "-n", TARGET, "route", "add", "203.0.113.0/24", "via", "198.18.0.1")
    run("ip", "-n", US, "route", "add", "local", "2001:db8:64::/64", "dev", "lo")
    run("ip", "-n", TARGET, "route", "add", "2001:db8:64::/64", "via", "2001:db8::1")
    for key, value in LIMITS.items():
        path = "/proc/sys/net/" + key
        # Kernels before 6.12 have one value of some for the whole machine, and none in a namespace.
        script = f"if [ -e {path} ]; then echo {value} > {path}; fi"
        run("ip", "netns", "exec", TARGET, "sh", "-c", script)


def scan(family, sources, ports, build):
    """Seconds, probes, wrong states."""
    how = FAMILIES[family]
    pool = []
    if sources:
        first = how["pool"].format(f"0-{sources - 1}" if family == "IPv4" else 128 - (sources - 1).bit_length())
        pool = ["--source-pool", first]
    command = ["ip", "netns", "exec", US, build / "portolan", "-sU", "-n", "-p", f"1-{ports}", "-oJ", "-", *how["option"],
               *pool, how["target"]]  # fmt: skip
    started = time.monotonic()
    result = subprocess.run(command, capture_output=True, text=True, timeout=3600)
    took = time.monotonic() - started
    report = read_json(result.stdout)
    states = {port: verdict.state for (_, _, port), verdict in (report.ports | report.corrections).items()}
    wrong = sum(states.get(p) != ("open" if p == OPEN_PORT else "closed") for p in range(1, ports + 1))
    return took, report.summary["probes_sent"], wrong


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--ports", type=int, default=2000)
    options.add_argument("--sources", type=int, nargs="+", default=[64], help="sizes of the pool; 0 is without")
    options.add_argument("--build", type=Path, default=ROOT / "build")
    given = options.parse_args()
    echo, failed = None, False
    pair.end_orderly_when_told()
    try:
        raise_network()
        echo = subprocess.Popen(["ip", "netns", "exec", TARGET, sys.executable, "-c", ECHO], stdout=subprocess.PIPE)
        echo.stdout.readline()
        print(f"{'':6} {'sources':>8} {'ports':>6} {'seconds':>8} {'one source needs':>17} {'probes':>7} {'wrong':>6}")
        for family in FAMILIES:
            for sources in given.sources:
                took, probes, wrong = scan(family, sources, given.ports, given.build.resolve())
                failed |= wrong > 0
                print(f"{family:6} {sources:8} {given.ports:6} {took:8.1f} {given.ports - 7:17} {probes:7} {wrong:6}", flush=True)
    finally:
        if echo:
            echo.kill()
        for name in (US, TARGET):
            subprocess.run(f"ip netns pids {name} | xargs -r kill -9; ip netns del {name}", shell=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
