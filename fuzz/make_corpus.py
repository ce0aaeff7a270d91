#!/usr/bin/env python3
"""make_corpus.py DIRECTORY: write the seed inputs of the fuzz targets, DIRECTORY/TARGET/NAME each. Packets come from
seed_packets.py, stores from seed_stores.py. seeds_test.c wants those called good_* of the target "packet" to be decoded with all
their checksums."""

import struct
import sys
from ipaddress import ip_address
from pathlib import Path

from seed_packets import (
    EXTENDED6,
    HOST4,
    HOST6,
    ICMP4_MESSAGES,
    ICMP6_MESSAGES,
    ODD4,
    OPTIONS_PROBE4,
    PROBE4,
    PROBE6,
    QUOTES4,
    QUOTES6,
    SCTP_PACKETS,
    TCP_SEGMENTS,
    UDP_DATAGRAMS,
    arp,
    frames,
    packets,
)
from seed_stores import TIME, store_file, stores, told

ADDRESSES = ["198.18.0.1", "255.255.255.255", "2001:db8::1", "::", "::ffff:1.2.3.4", "fe80::1%1", "fe80::1%lo", "1.2.3"]


def dns_name(*labels):
    """RFC 1035 section 3.1"""
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def dns_reply(*records):
    """To the question for 2.7, which stands at offset 12."""
    question = dns_name(b"2", b"7") + struct.pack("!HH", DNS_PTR, 1)
    return struct.pack("!6H", 1, 0x8180, 1, len(records), 0, 0) + question + b"".join(records)


def dns_record(kind, data, owner=b"\xc0\x0c"):
    return owner + struct.pack("!HHIH", kind, 1, 3600, len(data)) + data


DNS_CNAME, DNS_PTR = 5, 12
DNS_ALIAS = dns_name(b"2", b"0/25", b"7")
PTR_REPLIES = {
    "plain": dns_reply(dns_record(DNS_PTR, dns_name(b"host", b"example"))),
    "alias": dns_reply(dns_record(DNS_CNAME, DNS_ALIAS), dns_record(DNS_PTR, dns_name(b"host"), DNS_ALIAS)),
    "compressed": dns_reply(dns_record(DNS_PTR, b"\4host\xc0\x0c")),
    "pointer_to_itself": dns_reply(dns_record(DNS_PTR, b"\xc0\x21")),
    "pointer_into_the_header": dns_reply(dns_record(DNS_PTR, b"\xc0\x02")),
    "zero_in_a_label": dns_reply(dns_record(DNS_PTR, dns_name(b"a\0b"))),
    "control_bytes": dns_reply(dns_record(DNS_PTR, dns_name(b"\x1b[2J\r\n", b"\xff"))),
    "longest": dns_reply(dns_record(DNS_PTR, dns_name(b"a" * 63, b"b" * 63, b"c" * 63, b"d" * 61))),
    "too_long": dns_reply(dns_record(DNS_PTR, dns_name(b"a" * 63, b"b" * 63, b"c" * 63, b"d" * 62))),
    "another_name": dns_reply(dns_record(DNS_PTR, dns_name(b"host"), dns_name(b"3", b"7"))),
    "root": dns_reply(dns_record(DNS_PTR, b"\0")),
}


def from_port(port, data):
    return struct.pack("!H", port) + data


# RFC 1035, RFC 5905, RFC 3412, RFC 1350, RFC 9000 section 17.2.1, RFC 3261, BEP 5
SERVICE_ANSWERS = {
    "dns": from_port(53, bytes.fromhex("9a3c800500010000000000000776657273696f6e0462696e640000100003")),
    "ntp": from_port(123, b"\x24\x02\x06\xe8" + bytes(20) + b"\x9a\x3c\x5e\x71" + bytes(20)),
    "ntp_cut": from_port(123, b"\x24\x02\x06\xe8" + bytes(20) + b"\x9a\x3c"),
    "snmp": from_port(161, bytes.fromhex("300c020103020301") + b"\x9a\x3c" + bytes.fromhex("0400")),
    "tftp": from_port(69, b"\0\5\0\1File not found\0"),
    "quic": from_port(443, bytes.fromhex("d50000000008") + b"\x9a\x3c\x5e\x71port" + b"\0"),
    "sip": from_port(5060, b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK9a3c5E71\r\n\r\n"),
    "sip_no_number": from_port(5060, b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK9a3cxyz1"),
    "sip_cut": from_port(5060, b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK9a3c"),
    "dht": from_port(6881, b"d1:rd2:id20:mnopqrstuvwxyz123456e1:t4:\x9a\x3c\x5e\x711:y1:re"),
    "empty": from_port(111, b""),
    "nobody": from_port(40125, b"?"),
}


def message(kind, text=b"", status=0, family=0, address=b""):
    """struct message of src/resolve/message.h, as this machine lays it out."""
    return struct.pack("=BBHI B16s3xI 256s", kind, len(text), status, 7, family, address, 0, text)


MESSAGES = {
    "ask_name": message(0, b"host.example"),
    "ask_address": message(1, family=4, address=HOST4),
    "ready": message(2),
    "not_ready": message(2, b"there is no server", status=71),
    "address": message(3, family=6, address=HOST6),
    "end": message(4, b"nobody answered"),
    "name": message(5, b"host.example"),
    "name_with_zero": message(5, b"host\0example"),
    "no_server": message(5, status=1),
    "unknown_kind": message(6),
}

HOSTS_FILES = {
    "usual": b"127.0.0.1\tlocalhost\n::1 localhost ip6-localhost # comment\n198.18.0.2 host.example host\n",
    "twice": b"198.18.0.2 first\n198.18.0.2 second\n",
    "broken": b"198.18.0.2\n\n#\nfe80::1%nowhere x\n1.2.3.4.5 y\n::ffff:198.18.0.3 z",
    "with_zero": b"198.18.0.2 a\0b\n\x80\xff c\n",
    "no_line_end": b"198.18.0.9   " + b"n" * 300,
}

SERVER_LISTS = {
    "one": b"198.18.0.2",
    "ports": b"198.18.0.2:5353,[2001:db8::2]:53,2001:db8::3",
    "too_many": b"198.18.0.2,198.18.0.3,198.18.0.4,198.18.0.5,198.18.0.6",
    "no_port": b"198.18.0.2:",
    "port_0": b"[2001:db8::2]:0",
    "empty_piece": b"198.18.0.2,,198.18.0.3",
}

COMMAND_LINES = {
    name: b"\0".join(word.encode() for word in line.split())
    for name, line in {
        "syn": "-sS -p 1-1000,U:53 -T4 --reason 198.18.0.0/24",
        "udp_and_sctp": "-sU -sY --data-length 12 -g 53 --ttl 9 2001:db8::1",
        "flags": "--scanflags SYNFIN -sW --data 0aff --max-retries 2 host.example",
        "idle": "-sI 198.18.0.9:80 -Pn 198.18.0.2",
        "bounce": "-b user:word@198.18.0.9:2121 198.18.0.2",
        "discovery": "-sn -PE -PS22,80 -PU -PY -iL - --excludefile ours",
        "outputs": "-oA all -oX - -oN one -vvv -d2 --stats-every 2s 198.18.0.2",
        "rates": "--min-rate 1e6 --max-rate 100000000 --scan-delay 1ms --host-timeout 30m 198.18.0.2",
        "shard": "--shard 2/4 --seed 18446744073709551615 10.0.0.0/8",
        "absent": "-sV -O -A",
        "nonsense": "--no-such -zz --ttl 0 -p",
        "report": "report file -oX -",
        "explain": "explain file 198.18.0.2:22",
    }.items()
}

def bounces():
    """Replies of servers, after a byte of what is known of them and was asked."""
    at_port = b"425 Can't build data connection: Connection refused.\r\n200 Active data connection established.\r\n"
    at_list = b"200 PORT command successful.\r\n150 Here comes the directory listing.\r\n226 Directory send OK.\r\n"
    broken = b"200 ok\n150 opening\n426 Failure writing network stream.\n"
    refused = b"500 Illegal PORT command.\r\n501 no\r\n421 Timeout.\r\n421 Data connection timed out.\r\n"
    return {
        "at_port": b"\x04" + at_port,
        "at_list": b"\x04" + at_list,
        "connects_first": b"\x06" + broken,
        "late": b"\x08" + b"425 failed\n",
        "refused": b"\x04" + refused,
    }


def connects():
    """Ways in which connect() ends: version and flags, who sent an error, its type and code, errno."""
    refused, unreachable, timed_out = 111, 113, 110
    return {
        "connected": struct.pack("<BBBBHB", 0, 0, 0, 0, 0, 0),
        "reset": struct.pack("<BBBBHB", 2, 0, 0, 0, refused, 0),
        "port_unreach_4": struct.pack("<BBBBHB", 4, 1, 3, 3, refused, 0),
        "admin_prohibited_6": struct.pack("<BBBBHB", 5, 2, 1, 1, 13, 0),
        "host_unreach": struct.pack("<BBBBHB", 0, 0, 0, 0, unreachable, 0),
        "timed_out": struct.pack("<BBBBHB", 0, 0, 0, 0, timed_out, 0),
    }


def ipids():
    """IDs of a host's answers, and the time between them in tenths of a millisecond, after a byte for their size."""

    def samples(ids, wide=0):
        return bytes([wide]) + b"".join(struct.pack("!IH", i & 0xFFFFFFFF, 300) for i in ids)

    return {
        "incremental": samples(range(65532, 65548)),
        "by_two": samples(range(10, 42, 2)),
        "swapped": samples((i % 256 << 8 | i >> 8 for i in range(250, 266))),
        "random": samples((i * 40503 for i in range(16))),
        "constant": samples([7] * 16),
        "busy": samples(range(0, 16000, 1000)),
        "wide": samples(range(0xFFFFFFF8, 0x100000008), 1),
    }


def with_length(data):
    return struct.pack("!H", len(data)) + data


def corpora():
    """All seeds: target, then name, then bytes. For icmp the first byte is the version."""
    icmp = {f"{n}_4": b"\x04" + d for n, d in (ICMP4_MESSAGES | QUOTES4).items()}
    icmp |= {f"{n}_6": b"\x06" + d for n, d in (ICMP6_MESSAGES | QUOTES6).items()}
    headers = {"probe_4": PROBE4[:20], "probe_6": PROBE6[:40], "options": OPTIONS_PROBE4} | EXTENDED6 | ODD4
    return {
        "addr": {f"address_{i}": text.encode() for i, text in enumerate(ADDRESSES)},
        "answers": {name: with_length(data) for name, data in packets().items() if name.startswith("good")},
        "arp": {"reply": arp(2), "request": arp(1), "cut": arp(2)[:27], "of_another_kind": b"\0\x06" + arp(2)[2:]},
        "bounce_judge": bounces(),
        "connect_judge": connects(),
        "dns_servers": SERVER_LISTS,
        "ethernet": frames(),
        "hosts": HOSTS_FILES,
        "icmp": icmp,
        "ip": headers,
        "ipid": ipids(),
        "judge": packets(),
        "message": MESSAGES,
        "options": COMMAND_LINES,
        "packet": packets(),
        "pcapng": {
            "packet": struct.pack("!QIB", TIME, 60, 4) + b"open" + PROBE4,
            "empty": struct.pack("!QIB", 0, 0, 0),
            "cut": struct.pack("!QIB", TIME, 65535, 255) + bytes(range(255)) + bytes(400),
        },
        "payload": SERVICE_ANSWERS,
        "ptr": PTR_REPLIES,
        "records": told(),
        "resume": {name: store for name, store in stores().items() if name != "complete"},
        "sctp": SCTP_PACKETS,
        "store": stores() | {"file": store_file()},
        "tcp": TCP_SEGMENTS,
        "then": {
            "v4": struct.pack("!BI", 4, 0) + HOST4 + bytes(12) + struct.pack("!3H", 22, 80, 443),
            "link_local": struct.pack("!BI", 6, 1) + ip_address("fe80::1").packed + struct.pack("!H", 22),
            "no_family": struct.pack("!BI", 9, 0xFFFFFFFF) + bytes(16),
        },
        "udp": UDP_DATAGRAMS,
    }


def main():
    for target, seeds in corpora().items():
        folder = Path(sys.argv[1], target)
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in seeds.items():
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
