#!/usr/bin/env python3
"""Are forged answers accepted? While a host that answers nothing is scanned, somebody who sees nothing of it sends SYN/ACKs, resets
and ICMP errors in its name, with source ports from the right range and random numbers, as fast as it can. Whatever is then
not "filtered, no-response" was accepted. See README.md."""

import argparse
import json
import os
import random
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

from pipe import enter, pipe, run

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/lab"))

import packets as p  # noqa: E402

PORTS = 1000
US, HOST = (socket.inet_aton(f"198.18.0.{n}") for n in (1, 2))


def icmp(port, our_port, seq):
    """Prohibited, with a quote of what we might have sent."""
    quote = p.ip(US, HOST, p.PROTO_TCP, struct.pack("!HHI", our_port, port, seq))
    return p.ip(HOST, US, p.PROTO_ICMP, p.icmp(HOST, US, 3, 13, b"\0" * 4, quote))


def tcp(port, our_port, flags, number):
    return p.ip(HOST, US, p.PROTO_TCP, p.tcp(HOST, US, (port, our_port), number, number, flags))


def forge(name, ends_at, first_port):
    """Sends until then; how many."""
    enter(name)
    link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    station = b"\xff" * 6  # to all: the one we want is among them
    count = 0
    while time.monotonic() < ends_at:
        for _ in range(500):
            port, our_port = random.randint(1, PORTS), random.randint(first_port, 65535)
            number = random.getrandbits(32)
            kind = count % 3
            flags = p.SYN | p.ACK if kind == 0 else p.RST | p.ACK
            packet = icmp(port, our_port, number) if kind == 2 else tcp(port, our_port, flags, number)
            try:
                link.sendto(packet, ("v", 0x0800, 0, 0, station))
            except OSError:
                continue
            count += 1
    return count


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=int, default=20)
    options.add_argument("--build", type=Path, default=ROOT / "build")
    given = options.parse_args()
    first_port = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[1]) + 1
    with pipe() as (us, them):
        run("ip", "netns", "exec", them, "nft", "add table ip t; add chain ip t i { type filter hook input priority 0; policy drop; }")
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.write(writer, str(forge(them, time.monotonic() + given.seconds, first_port)).encode())
            os._exit(0)
        os.close(writer)
        rounds, accepted, rejected = 0, 0, 0
        ends_at = time.monotonic() + given.seconds
        while time.monotonic() < ends_at - 2:
            command = ["ip", "netns", "exec", us, given.build / "portolan", "-sS", "-Pn", "-n", "-p", f"1-{PORTS}", "--max-rate",
                       "500", "-oJ", "-", "198.18.0.2"]  # fmt: skip
            result = subprocess.run(command, capture_output=True, text=True, timeout=120)
            lines = [json.loads(line) for line in result.stdout.splitlines()]
            silent = sum(g["count"] for h in lines if h["type"] == "host" for g in h["not_shown"] if g["reason"] == "no-response")
            accepted += PORTS - silent
            rejected += next(line["rejected"] for line in lines if line["type"] == "summary")
            rounds += 1
        sent = int(os.read(reader, 64))
    print(f"{sent} forged packets in {given.seconds} s, {rounds} scans of {PORTS} ports: {rejected} refused, {accepted} accepted")
    return accepted > 0 or rejected == 0


if __name__ == "__main__":
    sys.exit(main())
