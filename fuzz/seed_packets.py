"""Packets as seeds, built from the RFCs and apart from the C code, so that the two check each other."""

import struct
from ipaddress import ip_address

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
