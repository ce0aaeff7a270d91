#!/usr/bin/env python3
"""make_corpus.py DIRECTORY: write the seed inputs of the fuzz targets, DIRECTORY/TARGET/NAME each.

The packets are built here once more, from the RFCs and apart from the C code, so that the two check each other:
seeds_test.c wants those called good_* of the target "packet" to be decoded with all their checksums."""

import re
import sqlite3
import struct
import sys
import tempfile
from ipaddress import ip_address
from pathlib import Path

US4, HOST4, ROUTER4 = (ip_address(a).packed for a in ("198.18.0.1", "198.18.0.2", "198.51.100.9"))
US6, HOST6, ROUTER6 = (ip_address(a).packed for a in ("2001:db8::1", "2001:db8::2", "2001:db8:ffff::9"))
LINK6, GROUP6 = (ip_address(a).packed for a in ("fe80::2", "ff02::1"))
US_MAC, HOST_MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ICMP, TCP, UDP, ICMP6, SCTP = 1, 6, 17, 58, 132


def internet_checksum(data):
    """RFC 1071"""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def crc32c(data):
    """RFC 9260 appendix A, bit by bit"""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return struct.pack("<I", ~crc & 0xFFFFFFFF)


def summed(src, dst, proto, data, offset, pseudo=True):
    """The data with the checksum at the offset filled in."""
    head = src + dst + struct.pack("!II", len(data), proto) if pseudo else b""
    checksum = internet_checksum(head + data)
    if proto == UDP and checksum == 0:
        checksum = 0xFFFF
    return data[:offset] + struct.pack("!H", checksum) + data[offset + 2 :]


def ip4(proto, payload, src=HOST4, dst=US4, options=b"", fragment=0x4000, ttl=64, total=None):
    length = 20 + len(options) + len(payload) if total is None else total
    head = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, 0, length, 0x1234, fragment, ttl, proto, 0)
    head = head + src + dst + options
    return head[:10] + struct.pack("!H", internet_checksum(head)) + head[12:] + payload


def ip6(proto, payload, src=HOST6, dst=US6, hop_limit=64):
    return struct.pack("!IHBB", 6 << 28, len(payload), proto, hop_limit) + src + dst + payload


def tcp(src, dst, flags, options=b"", data=b"", sport=80, dport=40000, seq=0x01020304, ack=0x0A0B0C0E):
    head = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 5 + len(options) // 4 << 4, flags, 64240, 0, 0)
    return summed(src, dst, TCP, head + options + data, 16)


def udp(src, dst, data=b"", sport=53, dport=40000, length=None):
    head = struct.pack("!HHHH", sport, dport, 8 + len(data) if length is None else length, 0)
    return summed(src, dst, UDP, head + data, 6)


def sctp(chunks, sport=80, dport=40000, tag=0x0A0B0C0D):
    head = struct.pack("!HHI", sport, dport, tag)
    return head + crc32c(head + bytes(4) + chunks) + chunks


def chunk(kind, value=b"", flags=0):
    return struct.pack("!BBH", kind, flags, 4 + len(value)) + value + bytes(-len(value) % 4)


def icmp4(kind, code, rest=0, data=b""):
    return summed(b"", b"", ICMP, struct.pack("!BBHI", kind, code, 0, rest) + data, 2, pseudo=False)


def icmp6(kind, code, rest=0, data=b"", src=ROUTER6, dst=US6):
    return summed(src, dst, ICMP6, struct.pack("!BBHI", kind, code, 0, rest) + data, 2)


def arp(operation):
    return struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + HOST_MAC + HOST4 + US_MAC + US4


def ethernet(kind, payload, tags=b""):
    return US_MAC + HOST_MAC + tags + struct.pack("!H", kind) + payload.ljust(46, b"\0")


SYN_OPTIONS = bytes.fromhex("020405b4 0402080a 00000001 00000000 01030307")

TCP_SEGMENTS = {
    "good_syn_ack": tcp(HOST4, US4, SYN | ACK, SYN_OPTIONS),
    "good_reset": tcp(HOST4, US4, RST | ACK),
    "good_data": tcp(HOST4, US4, PSH | ACK, b"", b"hello"),
    "option_of_length_0": tcp(HOST4, US4, SYN | ACK, bytes.fromhex("05000000")),
    "option_of_length_1": tcp(HOST4, US4, SYN | ACK, bytes.fromhex("01050101")),
    "option_past_the_end": tcp(HOST4, US4, SYN | ACK, bytes.fromhex("0101020a")),
    "mss_of_wrong_length": tcp(HOST4, US4, SYN | ACK, bytes.fromhex("02030500")),
    "bytes_after_end_of_options": tcp(HOST4, US4, SYN | ACK, bytes.fromhex("00ffffff")),
    "offset_past_the_end": tcp(HOST4, US4, SYN | ACK, SYN_OPTIONS)[:24],
    "offset_too_small": tcp(HOST4, US4, SYN)[:12] + b"\x40" + tcp(HOST4, US4, SYN)[13:],
}
UDP_DATAGRAMS = {
    "good_data": udp(HOST4, US4, b"answer"),
    "good_odd_length": udp(HOST4, US4, b"odd"),
    "good_empty": udp(HOST4, US4),
    "length_too_small": udp(HOST4, US4, b"answer", length=7),
    "length_past_the_end": udp(HOST4, US4, b"answer", length=15),
    "good_length_with_padding": udp(HOST4, US4, b"answer") + b"pad",
    "good_without_checksum": udp(HOST4, US4, b"answer")[:6] + b"\0\0answer",
}
SCTP_PACKETS = {
    "good_init_ack": sctp(chunk(2, struct.pack("!IIHHI", 1, 65536, 10, 10, 1) + bytes.fromhex("00070008 01020304"))),
    "good_abort": sctp(chunk(6, bytes.fromhex("000c0004"), flags=1)),
    "good_stale_cookie": sctp(chunk(9, bytes.fromhex("00030008 00000010"))),
    "good_cookie_ack": sctp(chunk(11)),
    "good_header_only": sctp(b""),
    "chunk_of_length_0": sctp(bytes.fromhex("02000000")),
    "chunk_past_the_end": sctp(bytes.fromhex("0900ffff 00")),
}
ICMP4_MESSAGES = {
    "good_echo_reply": icmp4(0, 0, 0x00010002, b"ping"),
    "good_timestamp_reply": icmp4(14, 0, 0x00010002, bytes(12)),
}
ADVERTISEMENT_BODY = HOST6 + b"\x02\x01" + HOST_MAC
ICMP6_MESSAGES = {
    "good_echo_reply": icmp6(129, 0, 0x00010002, b"ping"),
    "good_neighbor": icmp6(136, 0, 0x60000000, ADVERTISEMENT_BODY, HOST6, US6),
    "good_neighbor_without_mac": icmp6(136, 0, 0x60000000, HOST6, HOST6, US6),
    "neighbor_option_of_length_0": icmp6(136, 0, 0x60000000, HOST6 + b"\x02\x00" + HOST_MAC, HOST6, US6),
}

PROBE4 = ip4(TCP, tcp(US4, HOST4, SYN, bytes.fromhex("020405b4"), sport=40000, dport=80), US4, HOST4)
PROBE6 = ip6(TCP, tcp(US6, HOST6, SYN, bytes.fromhex("020405b4"), sport=40000, dport=80), US6, HOST6)
SWAPPED_PROBE4 = PROBE4[:2] + PROBE4[3:1:-1] + PROBE4[4:6] + b"\x00\x40" + PROBE4[8:]
OPTIONS_PROBE4 = ip4(UDP, udp(US4, HOST4, sport=40000, dport=53), US4, HOST4, options=bytes.fromhex("94040000"))
EXTENDED_PROBE6 = ip6(60, struct.pack("!BB", UDP, 0) + bytes(6) + udp(US6, HOST6, sport=40000, dport=53), US6, HOST6)
SCTP_PROBE4 = ip4(SCTP, sctp(chunk(1, bytes(16)), 40000, 80), US4, HOST4)
ECHO_PROBE4 = ip4(ICMP, icmp4(8, 0, 0x00010002), US4, HOST4)
QUOTES4 = {
    "whole_quote": icmp4(3, 3, 0, PROBE4),
    "quote_of_8": icmp4(3, 13, 0, PROBE4[:28]),
    "quote_of_7": icmp4(3, 13, 0, PROBE4[:27]),
    "quote_of_nothing": icmp4(3, 1),
    "quote_with_options": icmp4(11, 0, 0, OPTIONS_PROBE4),
    "quote_with_swapped_bytes": icmp4(3, 10, 0, SWAPPED_PROBE4),
    "quote_of_sctp": icmp4(3, 2, 0, SCTP_PROBE4),
    "quote_of_echo": icmp4(3, 1, 0, ECHO_PROBE4),
    "quote_of_bare_header": icmp4(3, 2, 0, ip4(47, b"", US4, HOST4)),
    "quote_of_error": icmp4(3, 1, 0, ip4(ICMP, icmp4(3, 3, 0, PROBE4), US4, HOST4)),
    "quote_of_ipv6": icmp4(3, 1, 0, PROBE6),
}
QUOTES6 = {
    "whole_quote": icmp6(1, 4, 0, PROBE6),
    "quote_of_8": icmp6(1, 1, 0, PROBE6[:48]),
    "quote_of_7": icmp6(1, 1, 0, PROBE6[:47]),
    "quote_with_extension": icmp6(3, 0, 0, EXTENDED_PROBE6),
    "quote_cut_in_extension": icmp6(3, 0, 0, EXTENDED_PROBE6[:44]),
    "packet_too_big": icmp6(2, 0, 1280, PROBE6),
}


def extension(proto, len_field=0):
    """An IPv6 extension header of the common form that names the next one."""
    return struct.pack("!BB", proto, len_field) + bytes(6 + 8 * len_field)


SEGMENT6 = tcp(HOST6, US6, SYN | ACK, SYN_OPTIONS)
FRAGMENT_TAIL = bytes.fromhex("0000 89abcdef")
AUTHENTICATION = struct.pack("!BB", TCP, 4) + bytes(22)
EXTENDED6 = {
    "good_hop_by_hop": ip6(0, extension(TCP, 1) + SEGMENT6),
    "good_routing": ip6(43, extension(TCP) + SEGMENT6),
    "good_destination": ip6(60, extension(TCP) + SEGMENT6),
    "good_atomic_fragment": ip6(44, struct.pack("!BB", TCP, 0) + FRAGMENT_TAIL + SEGMENT6),
    "good_authentication": ip6(51, AUTHENTICATION + SEGMENT6),
    "good_chain": ip6(0, extension(60) + extension(43) + extension(51) + AUTHENTICATION + SEGMENT6),
    "good_nothing_next": ip6(59, b""),
    "good_mobility": ip6(135, extension(59)),
    "later_fragment": ip6(44, struct.pack("!BBHI", TCP, 0, 8, 7) + SEGMENT6),
    "first_fragment": ip6(44, struct.pack("!BBHI", TCP, 0, 1, 7) + SEGMENT6),
    "authentication_too_short": ip6(51, struct.pack("!BB", TCP, 0) + bytes(6) + SEGMENT6),
    "chain_without_end": ip6(60, extension(60) * 64),
    "extension_past_the_end": ip6(60, extension(TCP, 0)[:2] + b"\xff" + bytes(20)),
}
ODD4 = {
    "good_options": ip4(TCP, tcp(HOST4, US4, RST), options=bytes.fromhex("94040000")),
    "good_padding": ip4(TCP, tcp(HOST4, US4, RST)) + bytes(6),
    "good_unknown_protocol": ip4(47, bytes(4)),
    "good_empty": ip4(2, b""),
    "first_fragment": ip4(UDP, udp(HOST4, US4, bytes(64))[:32], fragment=0x2000),
    "later_fragment": ip4(UDP, bytes(32), fragment=0x0004),
    "header_length_too_small": b"\x44" + ip4(TCP, tcp(HOST4, US4, RST))[1:],
    "header_length_past_the_end": b"\x4f" + ip4(TCP, b"")[1:],
    "total_length_too_small": ip4(TCP, tcp(HOST4, US4, RST), total=19),
    "total_length_past_the_end": ip4(TCP, tcp(HOST4, US4, RST), total=41),
    "udp_without_checksum": ip4(UDP, UDP_DATAGRAMS["good_without_checksum"]),
}


def packets():
    """IP packets, by name."""
    found = {}
    for proto, table in ((TCP, TCP_SEGMENTS), (UDP, UDP_DATAGRAMS), (SCTP, SCTP_PACKETS), (ICMP, ICMP4_MESSAGES)):
        found |= {f"{name}_{proto}": ip4(proto, data) for name, data in table.items()}
    found |= {f"good_{name}_4": ip4(ICMP, data, ROUTER4) for name, data in QUOTES4.items()}
    found |= {f"good_{name}_6": ip6(ICMP6, data, ROUTER6) for name, data in QUOTES6.items()}
    for name, data in ICMP6_MESSAGES.items():
        found[f"{name}_6"] = ip6(ICMP6, data, HOST6 if "neighbor" in name else ROUTER6, US6, 255)
    found["neighbor_from_afar"] = ip6(ICMP6, ICMP6_MESSAGES["good_neighbor"], HOST6, US6, 64)
    found["good_tcp_6"] = ip6(TCP, SEGMENT6)
    found["good_udp_6"] = ip6(UDP, udp(HOST6, US6, b"answer"))
    found["udp_without_checksum_6"] = ip6(UDP, udp(HOST6, US6, b"answer")[:6] + b"\0\0answer")
    found["wrong_checksum"] = ip4(TCP, tcp(US4, ROUTER4, RST))
    found["version_5"] = b"\x55" + PROBE4[1:]
    return found | {f"{n}_ext": d for n, d in EXTENDED6.items()} | {f"{n}_ip4": d for n, d in ODD4.items()}


def frames():
    """Ethernet frames, by name."""
    reset = ip4(TCP, tcp(HOST4, US4, RST))
    return {
        "good_ipv4": ethernet(0x0800, reset),
        "good_ipv6": ethernet(0x86DD, ip6(TCP, SEGMENT6)),
        "good_vlan": ethernet(0x0800, reset, bytes.fromhex("8100 0005")),
        "good_two_vlans": ethernet(0x0800, reset, bytes.fromhex("88a8 0005 8100 0006")),
        "good_arp_reply": ethernet(0x0806, arp(2)),
        "good_arp_request": ethernet(0x0806, arp(1)),
        "three_vlans": ethernet(0x0800, reset, bytes.fromhex("88a8 0005 8100 0006 8100 0007")),
        "length_field": ethernet(0x0026, bytes.fromhex("424203")),
        "ipv6_said_to_be_ipv4": ethernet(0x0800, ip6(TCP, SEGMENT6)),
        "arp_of_another_kind": ethernet(0x0806, b"\0\x06" + arp(2)[2:]),
        "vlan_cut": US_MAC + HOST_MAC + bytes.fromhex("8100 00"),
    }


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

# Statements, words and numbers as fuzz_store.c has them.
STATEMENTS = (
    "scan state target asked name excluded excluded_forget host host_unfold port port_forget port_confirmed "
    "ports_forget folded down block "
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
        + row("port", position, "tcp", 22, "open", "syn-ack", 64, 1, 0, 0, None, TIME, 100, tcp(HOST4, US4, SYN | ACK))
        + row("port_confirmed", position, "tcp", 22, "confirmed")
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
        store.executescript("PRAGMA page_size=512; PRAGMA application_id=0x506f7274; PRAGMA user_version=2;" + sql)
        scan = (1, "0.1.0", "box", "portolan 198.18.0.0/31", b"portolan\0198.18.0.0/31\0", "syn", 7, 0, 1, 0, 2, "d", TIME, TIME,
                "complete", 2, *[0] * 9)  # fmt: skip
        host = (0, "198.18.0.0", "done", 1, "reset", 64, None, None, "host.example", None, 2, TIME, TIME, 5, 5, 9, 0, 0, 0)
        for table, values in {
            "scan": scan,
            "target": ("198.18.0.0", "198.18.0.1"),
            "asked": (0, "tcp", 1, 40, "filtered"),
            "host": host,
            "port": (0, "tcp", 22, "open", "syn-ack", 64, 1, 0, 0, None, TIME, 100, "confirmed", tcp(HOST4, US4, SYN | ACK)),
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


def corpora():
    """All seeds: target, then name, then bytes. For icmp the first byte is the version."""
    icmp = {f"{n}_4": b"\x04" + d for n, d in (ICMP4_MESSAGES | QUOTES4).items()}
    icmp |= {f"{n}_6": b"\x06" + d for n, d in (ICMP6_MESSAGES | QUOTES6).items()}
    headers = {"probe_4": PROBE4[:20], "probe_6": PROBE6[:40], "options": OPTIONS_PROBE4} | EXTENDED6 | ODD4
    return {
        "addr": {f"address_{i}": text.encode() for i, text in enumerate(ADDRESSES)},
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
        "resume": {name: store for name, store in stores().items() if name != "complete"},
        "sctp": SCTP_PACKETS,
        "store": stores() | {"file": store_file()},
        "tcp": TCP_SEGMENTS,
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
