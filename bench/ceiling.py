#!/usr/bin/env python3
"""How well --max-rate is kept: every packet that leaves is counted where it arrives, in bins of 100 ms, by the time at which
the kernel took it. ARP and repeats count; the hosts behind the last are silent, so that there are repeats. See README.md."""

import argparse
import os
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

from pipe import enter, pipe, run

ROOT = Path(__file__).resolve().parent.parent
ETH_P_ALL = 3
SO_TIMESTAMPNS = 35
BIN_S = 0.1
HOSTS = 8  # that answer, of the 16 that are scanned


def count(name, ready, ends_at):
    """Times of all frames that reach this end."""
    enter(name)
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    link.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
    link.bind(("v", 0))
    link.settimeout(0.5)
    os.write(ready, b"!")
    times = []
    while time.monotonic() < ends_at:
        try:
            _, extra, _, address = link.recvmsg(64, 64)
        except TimeoutError:
            continue
        if address[2] != socket.PACKET_OUTGOING:
            seconds, ns = struct.unpack("qq", extra[0][2])
            times.append(seconds + ns / 1e9)
    return times


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rate", type=int, default=1000)
    options.add_argument("--seconds", type=int, default=60)
    options.add_argument("--build", type=Path, default=ROOT / "build")
    given = options.parse_args()
    ports = max(1, given.rate * given.seconds // HOSTS)
    with pipe() as (us, them):
        for number in range(3, 3 + HOSTS - 1):
            run("ip", "-n", them, "address", "add", f"198.18.0.{number}/24", "dev", "v")
        run("ip", "netns", "exec", them, "nft",
            "add table ip t; add chain ip t i { type filter hook input priority 0; }; add rule ip t i tcp dport < 2000 drop")  # fmt: skip
        reader, writer = os.pipe()
        result_reader, result_writer = os.pipe()
        if os.fork() == 0:
            os.close(reader)
            os.close(result_reader)
            times = count(them, writer, time.monotonic() + given.seconds + 3)
            with os.fdopen(result_writer, "w") as out:
                out.writelines(f"{t:.9f}\n" for t in times)
            os._exit(0)
        os.close(result_writer)
        os.read(reader, 1)
        command = ["ip", "netns", "exec", us, given.build / "portolan", "-sS", "-n", "-p", f"1-{min(ports, 65535)}", "--max-rate",
                   str(given.rate), "-oG", "/dev/null", "198.18.0.2-17"]  # fmt: skip
        scan = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            scan.wait(timeout=given.seconds)
        except subprocess.TimeoutExpired:
            scan.terminate()
            scan.wait()
        with os.fdopen(result_reader) as lines:
            times = [float(line) for line in lines]
    times = [t for t in times if t < times[0] + given.seconds]
    bins = [0] * (int((times[-1] - times[0]) / BIN_S) + 1)
    for t in times:
        bins[int((t - times[0]) / BIN_S)] += 1
    span = times[-1] - times[0]
    most, average = max(bins), len(times) / span
    wanted = given.rate * BIN_S
    print(f"{len(times)} packets in {span:.1f} s; asked for {given.rate} a second")
    print(f"most in one of {len(bins)} bins of 100 ms: {most} ({most / wanted:.3f} of the rate)")
    print(f"average: {average:.1f} a second ({average / given.rate:.3f} of the rate)")
    return most > 1.1 * wanted or average < 0.98 * given.rate


if __name__ == "__main__":
    sys.exit(main())
