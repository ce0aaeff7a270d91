"""Stores, and what a packet process tells that goes into one, as seeds."""

import re
import sqlite3
import struct
import tempfile
from pathlib import Path

from seed_packets import ACK, HOST4, SYN, US4, tcp

# Statements, words and numbers as store_input.h has them.
STATEMENTS = (
    "scan state target asked name excluded excluded_forget host host_unfold port confirmation "
    "ports_forget confirmations_forget folded down block "
    "block_hosts block_void block_unvoid block_forget block_forget_hosts blocks_forget blocks_forget_hosts blocks_unvoid "
    "coverage event"
).split()
STORE_WORDS = [
    "running", "stopped", "complete", "scanning", "done", "unfinished", "timed out", "tcp", "udp", "sctp", "ip", "unknown",
    "open", "closed", "filtered", "unfiltered", "open|filtered", "closed|filtered", "syn-ack", "reset", "no-response",
    "port-unreach", "host-unreach", "echo-reply", "198.18.0.0", "198.18.0.1", "198.18.0.2", "198.18.0.3", "198.18.255.255",
    "203.0.113.9", "2001:db8::", "2001:db8::ff", "fe80::1%1", "02:00:00:00:00:01", "host.example", "started",
    "confirmed",
]  # fmt: skip
EXTREMES = [-1, -1 << 63, (1 << 63) - 1, (1 << 31) - 1, (1 << 32) - 1, 65535, 1 << 20, 1767323045 * 10**9]
TIME = EXTREMES[-1]


def value(of):
    """One value of a row."""
    if of is None:
        return b"\xff"
    if isinstance(of, bytes):
        return bytes([len(of)]) + of
    if isinstance(of, str):
        return bytes([STORE_WORDS.index(of)]) if of in STORE_WORDS else bytes([len(STORE_WORDS) + len(of)]) + of.encode()
    return bytes([0xF8 + EXTREMES.index(of)]) if of in EXTREMES else bytes([of])


def row(statement, *values):
    return bytes([STATEMENTS.index(statement)]) + b"".join(map(value, values))


def store_rows(state, next_position):
    """What every store begins with: 256 addresses, and 48 ports."""
    words = b"portolan\0-sS\0-n\0198.18.0.0/24\0"
    return (
        row("scan", "0.1.0", "box", "portolan -sS -n 198.18.0.0/24", words, "syn", 7, 0, 1, 0, 4, "d", TIME)
        + row("state", TIME, state, next_position, 0, 9, 9, 9, 9, 9, 9, 0, 0)
        + row("target", "198.18.0.0", "198.18.0.3")
        + row("asked", 0, "tcp", 1, 40, "filtered")
        + row("asked", 40, "udp", 53, 60, "open|filtered")
        + row("name", "198.18.0.1", "host.example")
    )


def host_rows(position, address, progress):
    """One open port, and closed ones that are folded."""
    name = None if position else "host.example"
    host = (position, address, progress, 1, "echo-reply", 64, None, "02:00:00:00:00:01", name, name, 3, TIME, TIME, 5, 5, 9, 0, 0, 0)
    return (
        row("host", *host)
        + row("port", "tcp", position, 22, "open", "syn-ack", 64, 1, 0, 0, None, TIME, 100, tcp(HOST4, US4, SYN | ACK))
        + row("confirmation", position, "tcp", 22, "confirmed")
        + row("folded", position, 0, "closed", "reset", 64, 1, 0, "203.0.113.9", TIME, TIME, 27, b"\x00\x13\x02\x05")
    )


def blocks(kind, first, last):
    return row("block", kind, kind, 1, 20) + row("block_hosts", kind, first, last) + row("block_void", kind, 3, 9)


def store_file():
    """A complete scan of two hosts, as SQLite keeps it: the tables are those of the program."""
    source = (Path(__file__).parent.parent / "src/store/schema.c").read_text()
    tables = source[source.index("store_tables =") : source.index("#define INSERT_SCAN")]
    sql = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', tables)).replace("\\n", "\n")
    with tempfile.NamedTemporaryFile() as file:
        store = sqlite3.connect(file.name, isolation_level=None)
        store.executescript("PRAGMA page_size=512; PRAGMA application_id=0x506f7274; PRAGMA user_version=3;" + sql)
        scan = (1, "0.1.0", "box", "portolan 198.18.0.0/31", b"portolan\0198.18.0.0/31\0", "syn", 7, 0, 1, 0, 2, "d", TIME, TIME,
                "complete", 2, *[0] * 9)  # fmt: skip
        host = (0, "198.18.0.0", "done", 1, "reset", 64, None, None, "host.example", None, 2, TIME, TIME, 5, 5, 9, 0, 0, 0)
        for table, values in {
            "scan": scan,
            "target": ("198.18.0.0", "198.18.0.1"),
            "asked": (0, "tcp", 1, 40, "filtered"),
            "host": host,
            "port": (1, 0, "tcp", 22, "open", "syn-ack", 64, 1, 0, 0, None, TIME, 100, tcp(HOST4, US4, SYN | ACK)),
            "confirmation": (0, "tcp", 22, "confirmed"),
            "folded": (0, 0, "closed", "reset", 64, 1, 0, None, TIME, TIME, 27, b"\x00\x13\x02\x05"),
            "down": (1, 1, "no-response", TIME),
        }.items():
            store.execute(f"INSERT INTO {table} VALUES({','.join('?' * len(values))})", values)
        store.close()
        return Path(file.name).read_bytes()


def stores():
    return {
        "complete": store_rows("complete", 4) + host_rows(0, "198.18.0.1", "done") + row("down", 1, 3, "no-response", TIME),
        "interrupted": store_rows("running", 4)
        + host_rows(0, "198.18.0.1", "scanning")
        + blocks(2, 0, 0)
        + blocks(1, 1, 2)
        + row("excluded", "198.18.0.3", "198.18.0.3"),
        "neighbors": store_rows("stopped", 3) + blocks(0, 0, 2) + row("event", TIME, "started", None, 1, 2),
    }


# Types, states and reasons of src/verdict, as fuzz_records.c reads them.
HOST_UP, HOST_DOWN, MAC, PORT, CONFIRMATION, HOST_DONE, NOTE, PROGRESS, EVIDENCE, END, INTAKE, BLOCK_HOSTS, BLOCK, VOID, BLOCK_END = range(15)
OPEN, CLOSED, FILTERED = 1, 2, 3
NO_RESPONSE, SYN_ACK, RESET = 0, 1, 3
NOBODY = 0xFF


def record(kind, host=NOBODY, port=0, state=0, reason=0, source=NOBODY, note=0, flags=0, part=(), says=(), of=b""):
    """A record; its numbers as value() has them, or the bytes of a packet."""
    last = of.ljust(64, b"\0") if kind == EVIDENCE else b"".join(value(number) for number in says).ljust(8, b"\0")
    part = struct.pack("=BBHH", *part) if part else bytes(6)
    head = struct.pack("!BBBBBBBBH", kind, flags, 0, state, reason, 64, 1, note, port)
    return head + part + bytes([host, source]) + value(TIME) + last


def told():
    """What packet processes tell, and what one may say that was taken over."""
    packet = tcp(HOST4, US4, SYN | ACK)
    found = record(EVIDENCE, 0, 22, OPEN, SYN_ACK, part=(0, len(packet), len(packet), len(packet)), of=packet)
    found += record(PORT, 0, 22, OPEN, SYN_ACK) + record(PORT, 0, 23, CLOSED, RESET)
    return {
        "usual": record(INTAKE, says=[0, 0, 0, 8]) + record(BLOCK_HOSTS, says=[1, 2, 0, 0, 8]) + record(HOST_UP, 0) + found,
        "whole": record(HOST_UP, 1) + record(PORT, 1, 22, OPEN, SYN_ACK) + record(HOST_DONE, 1) + record(END),
        "out_of_order": record(HOST_DONE, 2) + record(PORT, 2, 1, FILTERED, NO_RESPONSE) + record(BLOCK_END, says=[9]),
        "numbers": record(NOTE, 3, note=4, says=[-1] * 8) + record(PROGRESS, says=[-1] * 8) + record(END, says=[-1] * 8),
    }
