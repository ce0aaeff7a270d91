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
PORTS = 1000
US, HOST = (socket.inet_aton(f"198.18.0.{n}") for n in (1, 2))


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip(protocol, source, destination, body):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, 0, 64, protocol, 0, source, destination)
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + body


def tcp(port, our_port, flags, seq, ack):
    body = struct.pack("!HHIIBBHHH", port, our_port, seq, ack, 0x50, flags, 65535, 0, 0)
    pseudo = HOST + US + struct.pack("!BBH", 0, 6, len(body))
    return ip(6, HOST, US, body[:16] + struct.pack("!H", checksum(pseudo + body)) + body[18:])


def icmp(port, our_port, seq):
    quote = ip(6, US, HOST, struct.pack("!HHI", our_port, port, seq))
    body = struct.pack("!BBHI", 3, 13, 0, 0) + quote
    return ip(1, HOST, US, body[:2] + struct.pack("!H", checksum(body)) + body[4:])


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
            packet = icmp(port, our_port, number) if kind == 2 else tcp(port, our_port, 0x12 if kind == 0 else 0x14, number, number)
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
