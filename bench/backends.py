#!/usr/bin/env python3
"""Does every backend find the same? Each in turn scans the practice network of tests/lab with every technique that it has, over both
families, and what it reports is held to the truth: so does a scanner with all privilege, one with CAP_NET_RAW alone,
and one without any. Needs root. See README.md."""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests/lab"))

import labtest  # noqa: E402
import scan  # noqa: E402
import truth  # noqa: E402
from network import HAS_SCTP, Network  # noqa: E402

TIMEOUT_S = 300
PRESENT = [host for host in labtest.ORDINARY if host.kind != "absent"]  # the kernel does not say who has no neighbour


class Way(NamedTuple):
    """How packets leave, and who sends them."""

    options: tuple = ()
    tcp_options: tuple = ()
    capabilities: tuple = None  # None: root's
    hosts: tuple = tuple(labtest.ORDINARY)
    stacks: tuple = tuple(labtest.STACKS)
    raw: bool = True  # it has the techniques that need raw sockets


WAYS = {
    "by itself": Way(),
    "packet": Way(("--backend", "packet")),
    "xdp": Way(("--backend", "xdp")),
    "kernel": Way(("--backend", "kernel"), ("--min-rate", "160000")),  # below that it would send by packet sockets
    "raw": Way(("--backend", "raw"), hosts=tuple(PRESENT)),
    "net_raw": Way(capabilities=("net_raw",)),
    "nobody": Way(capabilities=(), hosts=tuple(PRESENT), raw=False),
}


def cases(way):
    """(technique, hosts, ports) of all that this way can do."""
    if not way.raw:
        yield "connect", way.hosts, truth.INTERESTING
    else:
        yield "syn", way.hosts, truth.INTERESTING
        for technique in truth.STRAYS:
            yield technique, way.stacks, truth.INTERESTING
        for technique in truth.SCTP if HAS_SCTP else ():
            yield technique, [truth.BY_NAME[name] for name in ("sctp", "shut")], truth.SCTP_PORTS
    yield "udp", way.hosts, truth.UDP_PORTS


def measure(network, way, technique, family, hosts, ports):
    """(seconds, where the report differs from the truth)"""
    own = [*way.options, *(way.tcp_options if technique not in ("udp", *truth.SCTP) else ())]
    command = [scan.PORTOLAN, *own, *scan.options(technique, family, hosts, ports), "-Pn", "-oJ", "-"]
    if way.capabilities is not None:
        command = scan.command_as_user(network, command, way.capabilities)
    start = time.monotonic()
    status, out, err = scan.run(network, command, TIMEOUT_S)
    seconds = time.monotonic() - start
    if status:
        sys.exit(f"{' '.join(map(str, command))}: exit status {status}: {err.strip()}")
    return seconds, list(scan.differences(scan.read_json(out), technique, family, hosts, ports))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(WAYS), help="which of them, with commas")
    parser.add_argument("--techniques", help="which of the techniques, with commas")
    options = parser.parse_args()
    only = options.techniques.split(",") if options.techniques else None
    totals = {}
    network = Network(f"back{os.getpid()}")
    labtest.take_down_on_signals(network)
    with network:
        for name in options.only.split(","):
            ports_held, wrong, scans = 0, 0, 0
            for technique, hosts, ports in cases(WAYS[name]):
                for family in (truth.V4, truth.V6) if only is None or technique in only else ():
                    seconds, differing = measure(network, WAYS[name], technique, family, hosts, ports)
                    ports_held, wrong, scans = ports_held + len(hosts) * len(ports), wrong + len(differing), scans + 1
                    print(f"{name:10}{technique:18}IPv{6 if family == truth.V6 else 4} {len(hosts) * len(ports):6} ports "
                          f"{len(differing):4} wrong {seconds:7.1f} s", flush=True)  # fmt: skip
                    print(*map(str, differing[:5]), sep="\n", end="\n" if differing else "")
            totals[name] = ports_held, wrong, scans
    print(f"\n{'':10}{'scans':>7}{'ports':>9}{'wrong':>7}")
    for name, (ports_held, wrong, scans) in totals.items():
        print(f"{name:10}{scans:7}{ports_held:9}{wrong:7}")
    sys.exit(any(wrong for _, wrong, _ in totals.values()))


if __name__ == "__main__":
    main()
