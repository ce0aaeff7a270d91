#!/usr/bin/env python3
"""Shows Portolan in the practice network: scans some of its hosts with every technique, over IPv4 and IPv6, and holds
each table against the truth. Exit status 77: no network namespaces here."""

import os
import sys

import labtest
import scan
import truth
from network import LabError, Network
from truth import V4, V6

SCANS = [
    ("syn", V4, ["linux", "daemons", "guarded", "odd"]),
    ("syn", V6, ["linux", "guarded"]),
    ("connect", V4, ["linux", "slow"]),
    ("connect", V6, ["linux"]),
]
SCAN_TIMEOUT_S = 60


def show(network, technique, family, names):
    """One scan on the screen. (ports right, ports)"""
    hosts = [truth.BY_NAME[name] for name in names]
    ports = sorted({port for host in hosts for port in host.ports})
    report = network.state / "demo.xml"
    command = [scan.PORTOLAN, *scan.options(technique, family, hosts, ports), "--reason", "-oX", report]
    print(f"\n$ portolan {' '.join(map(str, command[1:-2]))}", flush=True)
    process = scan.start(network, command, output=None)
    _, err = process.communicate(timeout=SCAN_TIMEOUT_S)
    if process.returncode:
        raise LabError(f"portolan ended with status {process.returncode}: {err}")
    found = list(scan.differences(scan.read_xml(report.read_text()), technique, family, hosts, ports))
    print("\n".join(map(str, found)))
    total = len(hosts) * len(ports)
    return total - len(found), total


def main():
    right, total = 0, 0
    network = Network(f"demo{os.getpid()}")
    labtest.take_down_on_signals(network)
    with network:
        print(f"A practice network of {len(truth.HOSTS)} hosts is up; `tests/lab/lab hosts` lists them.")
        for technique, family, names in SCANS:
            right_here, total_here = show(network, technique, family, names)
            right, total = right + right_here, total + total_here
    print(f"{right} of {total} ports as the truth table says")
    return 0 if right == total else 1


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("demo: the practice network needs root, for network namespaces", file=sys.stderr)
        sys.exit(labtest.NOT_POSSIBLE)
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(f"demo: {error}")
