"""Makes packets by hand, right or wrong, for the hand-made host. Addresses are packed bytes, 4 or 16 of them."""

import struct

ETHERTYPE_V4, ETHERTYPE_ARP, ETHERTYPE_V6 = 0x0800, 0x0806, 0x86DD
PROTO_ICMP, PROTO_TCP, PROTO_UDP, PROTO_ICMPV6 = 1, 6, 17, 58
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
HOP_LIMIT = 64
MSS_OPTION = bytes([2, 4, 0x05, 0xB4])


def checksum(data):
    """RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def transport_checksum(src, dst, proto, data):
    if len(src) == 4:
        pseudo = src + dst + struct.pack("!BBH", 0, proto, len(data))
    else:
        pseudo = src + dst + struct.pack("!IHBB", len(data), 0, 0, proto)
    return checksum(pseudo + data)


def ethernet(dst_mac, src_mac, ethertype, payload):
    return dst_mac + src_mac + struct.pack("!H", ethertype) + payload


def ip(src, dst, proto, payload, options=b"", extra_len=0):
    """A packet of either family. options: of IPv4, or whole extension headers of IPv6, the first a hop-by-hop header;
    extra_len: how many bytes more the length field claims."""
    if len(src) == 4:
        total = 20 + len(options) + len(payload) + extra_len
        head = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, 0, total, 1, 0, HOP_LIMIT, proto, 0) + src + dst
        head += options
        return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload
    payload = options + payload
    first = 0 if options else proto
    return struct.pack("!IHBB", 0x60000000, len(payload) + extra_len, first, HOP_LIMIT) + src + dst + payload


def tcp(src, dst, ports, seq, ack, flags, options=b"", window=64240, data_offset=None, checksum_error=0):
    """ports: (source, destination). data_offset: what to claim, when not the truth."""
    offset = 5 + len(options) // 4 if data_offset is None else data_offset
    head = struct.pack("!HHIIBBHHH", *ports, seq % 2**32, ack % 2**32, offset << 4, flags, window, 0, 0) + options
    sum_ = transport_checksum(src, dst, PROTO_TCP, head) ^ checksum_error
    return head[:16] + struct.pack("!H", sum_) + head[18:]


def udp(src, dst, ports, payload, length=None, checksum_error=0):
    """ports: (source, destination). length: what to claim, when not the truth."""
    length = 8 + len(payload) if length is None else length
    datagram = struct.pack("!HHHH", *ports, length, 0) + payload
    sum_ = transport_checksum(src, dst, PROTO_UDP, datagram) or 0xFFFF  # 0 would mean that there is none (RFC 768)
    return datagram[:6] + struct.pack("!H", sum_ ^ checksum_error) + datagram[8:]


def icmp(src, dst, type_, code, rest, payload, checksum_error=0):
    """ICMP or ICMPv6, by the addresses; rest: the second word of the header, four bytes."""
    message = bytes([type_, code, 0, 0]) + rest + payload
    sum_ = checksum(message) if len(src) == 4 else transport_checksum(src, dst, PROTO_ICMPV6, message)
    return message[:2] + struct.pack("!H", sum_ ^ checksum_error) + message[4:]


def arp_reply(mac, address, to_mac, to_address):
    return struct.pack("!HHBBH", 1, ETHERTYPE_V4, 6, 4, 2) + mac + address + to_mac + to_address


def neighbor_advertisement(mac, address, to):
    """Solicited, with our link-layer address (RFC 4861 section 4.4)."""
    target = address + bytes([2, 1]) + mac
    packet = ip(address, to, PROTO_ICMPV6, icmp(address, to, 136, 0, b"\x60\0\0\0", target))
    return packet[:7] + b"\xff" + packet[8:]  # neighbour discovery is only believed with hop limit 255
