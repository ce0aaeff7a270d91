#!/usr/bin/env python3
"""How long does a connect scan of all 65,535 ports take, of one Linux host and of sixteen: Portolan, Nmap at its best, and a
bare loop of connects? The runs are interleaved, each is checked against the truth, and the medians and their ratios are
printed.

Runs in network namespaces of its own; needs root. See README.md."""

import argparse
import random
import resource
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import pair
import peers

NETWORK, FIRST = "198.51.100.0/28", "198.51.100.0"
SIXTEEN = 16
TIMEOUT_S = 600
COMMON = ["-sT", "-Pn", "-n", "-p-", "-oX", "-"]


def commands(build, hosts):
    """What is compared, by name."""
    target = pair.TARGET if hosts == 1 else NETWORK
    return {
        "portolan": [build / "portolan", *COMMON, target],
        "nmap": ["nmap", "-T4", "--min-rate", "50000", *COMMON, target],
        "bare": [build / "bench/bare_connect", pair.TARGET if hosts == 1 else FIRST, str(hosts)],
    }


def read_xml(text):
    """(how many hosts have each open port, closed ports of all hosts)"""
    open_ports, closed = Counter(), 0
    for host in ElementTree.fromstring(text).iter("host"):
        states = {int(port.get("portid")): port.find("state").get("state") for port in host.iter("port")}
        open_ports.update(port for port, state in states.items() if state == "open")
        closed += sum(state == "closed" for state in states.values())
        closed += sum(int(extra.get("count")) for extra in host.iter("extraports") if extra.get("state") == "closed")
    return open_ports, closed


def read_bare(text):
    counts, ports = text.splitlines()
    open_ports = Counter(int(port) for port in ports.split())
    return open_ports, int(counts.split()[3]) - open_ports.total()


def measure(network, name, command):
    """(seconds of the whole process, open ports, closed ports)"""
    seconds, text = peers.run_timed(network, name, command, TIMEOUT_S)
    return seconds, *(read_bare if name == "bare" else read_xml)(text)


def compare(network, options, hosts, truth):
    """Print the comparison; returns how many runs were wrong."""
    chosen = commands(options.build, hosts)
    seconds, wrong = {name: [] for name in chosen}, dict.fromkeys(chosen, 0)
    order = random.Random(options.seed)
    print(f"\n{hosts} host{'s' * (hosts > 1)}")
    for number in range(1, options.rounds + 1):
        for name in order.sample(list(chosen), len(chosen)):
            taken, open_ports, closed = measure(network, name, chosen[name])
            right = open_ports == dict.fromkeys(truth, hosts) and closed == hosts * (peers.PORTS - len(truth))
            seconds[name].append(taken)
            wrong[name] += not right
            print(f"round {number}  {name:9} {taken:7.3f} s  {'all right' if right else 'wrong'}", flush=True)
    peers.report(seconds, wrong, options.rounds)
    return sum(wrong.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path(__file__).resolve().parent.parent / "build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--listening", type=int, default=200, help="open ports of each host")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with pair.Pair("connects") as network:
        network.route_to_target(NETWORK)
        sockets = peers.listen(network, options.listening, options.seed)
        wrong = sum(compare(network, options, hosts, set(sockets)) for hosts in (1, SIXTEEN))
        for opened in sockets.values():
            opened.close()
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
