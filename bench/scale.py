#!/usr/bin/env python3
"""Does a probe cost the same in a large scan as in a small one, what does a scan of 2^24 hosts need, and how long does it take from
the start to the first probe? All probes are dropped as they arrive.

Processor time is compared, of scans interleaved with a bare loop that sends as many frames. Runs in network namespaces of
its own; needs root. See README.md."""

import argparse
import socket
import statistics
import subprocess
import time
from pathlib import Path

import blast
import network
import pair

MANY = "2001:db8:1::/104"  # 2^24 addresses
MINE, GATEWAY = "2001:db8::1", "2001:db8::2"
ETHERTYPE_IPV4, TCP = 0x0800, 6
FIRST_PROBES = 10


def route_ipv6(net):
    """To where everything is dropped."""
    scanner = net.names["scanner"]
    with net.inside("scanner"):
        for setting in pair.IPV6_OFF:
            setting.write_text("0")
        Path("/proc/sys/net/ipv6/conf/eth0/disable_ipv6").write_text("0")
    pair.run("ip", "-n", scanner, "-6", "address", "add", f"{MINE}/64", "dev", "eth0", "nodad")
    pair.run("ip", "-n", scanner, "-6", "neigh", "add", GATEWAY, "lladdr", pair.TARGET_MAC, "dev", "eth0", "nud", "permanent")
    pair.run("ip", "-n", scanner, "-6", "route", "add", MANY, "via", GATEWAY)


def compare_sizes(net, options):
    """Prints what a probe costs, in processor time, beside a frame of the bare loop; returns the ratios by size."""
    ratios = {}
    for bits in options.bits:
        ports = (1 << bits) // blast.HOSTS
        found = []
        for _ in range(options.rounds):
            commands = blast.commands(options.build, ports)
            cost = {}
            for name in ("bare", options.backend):
                _, cpu, memory, _ = network.measure(net, commands[name], options.cores)
                cost[name] = cpu / (1 << bits)
            found.append(cost[options.backend] / cost["bare"])
        ratios[bits] = statistics.median(found)
        print(f"2^{bits} probes: {cost[options.backend] * 1e6:5.2f} us of processor time each, {ratios[bits]:.2f} times a frame of the "
              f"bare loop, {memory:.0f} MB", flush=True)  # fmt: skip
    return ratios


def scan_many_hosts(net, options):
    command = [options.build / "portolan", "-sS", "-Pn", "-n", "--max-retries", "0", "--min-rate", "20000000", "-p80", "-oL",
               "-", MANY]  # fmt: skip
    seconds, cpu, memory, _ = network.measure(net, command, options.cores)
    print(f"2^24 hosts, one port each: {seconds:.1f} s, {cpu / (1 << 24) * 1e6:.2f} us of processor time each, {memory:.0f} MB",
          flush=True)  # fmt: skip


def is_probe(frame):
    return frame[12:14] == ETHERTYPE_IPV4.to_bytes(2, "big") and frame[23] == TCP


def time_to_first_probe(net, options):
    """Seconds from the start of the program until its first frame is out."""
    command = [options.build / "portolan", "-sS", "-Pn", "-n", "-p80", "--max-retries", "0", pair.TARGET]
    with net.inside("scanner"), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as sniffer:
        sniffer.settimeout(10)
        start = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        while not is_probe(sniffer.recv(2048)):
            pass
        seconds = time.monotonic() - start
        process.wait()
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path(__file__).resolve().parent.parent / "build")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bits", type=int, nargs="+", default=[20, 22, 24], help="sizes: powers of two, from 14 on")
    parser.add_argument("--backend", default="packet")
    parser.add_argument("--cores", default="0,1")
    parser.add_argument("--few", action="store_true", help="leave out the 2^24 hosts")
    options = parser.parse_args()
    network.TIMEOUT_S = 1800
    with pair.Pair("scale") as net:
        first = statistics.median(time_to_first_probe(net, options) for _ in range(FIRST_PROBES))
        print(f"from the start to the first probe: {first * 1e3:.1f} ms", flush=True)
        net.route_to_target(blast.NETWORK, answers=False)
        blast.drop_everything(net, options.build)
        ratios = compare_sizes(net, options)
        print(f"the dearest is {max(ratios.values()) / min(ratios.values()):.2f} times the cheapest")
        if not options.few:
            route_ipv6(net)
            scan_many_hosts(net, options)


if __name__ == "__main__":
    main()
