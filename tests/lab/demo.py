#!/usr/bin/env python3
"""Shows Portolan in the practice network: scans some of its hosts with every technique, over IPv4 and IPv6, and holds
each table against the truth. Exit status 77: no network namespaces here."""

import os
import sys

import labtest
import protocols
import scan
import truth
from network import HAS_SCTP, HAS_ZOMBIE, NO_SCTP, NO_ZOMBIE, LabError, Network
from truth import V4, V6

# Few ports show what a technique sees: an open one and a closed one, some that are filtered, and the stacks made by hand.
FEW = [22, 443, 1000, 1001, 1008, 2200, 2201]
PROTOCOLS = [1, 2, 4, 6, 17, 47, 58]
BOUNCED = [22, 80, 443, 1003, 8080]
WHOLE = None  # all ports that one of the hosts treats in a way of its own

SCANS = [
    ("syn", V4, ["linux", "daemons", "guarded", "odd"], WHOLE),
    ("syn", V6, ["linux", "guarded"], WHOLE),
    ("connect", V4, ["linux", "slow"], WHOLE),
    ("connect", V6, ["linux"], WHOLE),
    ("udp", V4, ["daemons", "linux", "odd"], WHOLE),
    ("udp", V6, ["daemons", "linux"], WHOLE),
    ("null", V4, ["linux", "odd"], FEW),
    ("fin", V6, ["linux", "stateful"], FEW),
    ("xmas", V4, ["linux", "odd"], FEW),
    ("maimon", V4, ["linux", "odd"], FEW),
    ("ack", V6, ["linux", "stateful"], FEW),
    ("window", V4, ["linux", "odd"], FEW),
    ("ip-protocol", V4, ["linux"], PROTOCOLS),
    ("ip-protocol", V6, ["linux"], PROTOCOLS),
    ("bounce", V4, ["linux", "shut"], BOUNCED),
    ("idle", V4, ["linux"], FEW),
    *((technique, family, ["sctp"], truth.SCTP_PORTS) for technique in truth.SCTP for family in (V4, V6)),
]
SCAN_TIMEOUT_S = 60


def missing(technique):
    """Why this technique cannot be shown here, or None."""
    if technique in truth.SCTP and not HAS_SCTP:
        return NO_SCTP
    return NO_ZOMBIE if technique == "idle" and not HAS_ZOMBIE else None


def show(network, technique, family, names, ports):
    """One scan on the screen. (ports right, ports)"""
    hosts = [truth.BY_NAME[name] for name in names]
    if technique == "ip-protocol":
        hosts = [host._replace(refused=protocols.refused(network, host, family)) for host in hosts]
    ports = ports or sorted({port for host in hosts for port in host.special_ports(technique)})
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
        for asked in SCANS:
            if why := missing(asked[0]):
                print(f"\nleft out: {asked[0]}, {why}")
                continue
            right_here, total_here = show(network, *asked)
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
