#!/usr/bin/env python3
"""Turn udp-payloads.txt into a C table: make_payloads.py udp-payloads.txt output.c. README.md describes the format."""

import re
import sys

LARGEST = 1400  # bytes of a payload: more would not fit a datagram everywhere
KEYWORDS = ("about", "ports", "source", "verified", "send", "echo", "match", "elsewhere", "sample")
NEEDED = ("ports", "source", "verified", "send")
ID_LEN = {"id2": 2, "id4": 4, "idtext": 8}
ID_NAME = {None: "PAYLOAD_ID_NONE", "id2": "PAYLOAD_ID_HALF", "id4": "PAYLOAD_ID_WHOLE", "idtext": "PAYLOAD_ID_TEXT"}
TOKEN = re.compile(
    r"""(?P<space>\s+) | "(?P<text>(?:[^"\\]|\\.)*)" | \[(?P<open>(?:ber|[1-4](?:\+\d+)?)(?!\w))? | (?P<close>\])
    | (?P<id>id2|id4|idtext) | zeros:(?P<zeros>\d+) | fill:(?P<fill>\d+):(?P<byte>[0-9a-f]{2})
    | (?P<hex>(?:[0-9a-f]{2})+(?!\w))""", re.VERBOSE)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


class Wrong(Exception):
    """What is wrong with a field, without the place."""


class Field:
    def __init__(self, number, text):
        self.number, self.text = number, text


class Octets:
    """Bytes, and where among them the id of the probe goes."""

    def __init__(self):
        self.bytes = bytearray()
        self.id, self.id_at = None, 0

    def add(self, other):
        if other.id:
            if self.id:
                raise Wrong("more than one id")
            self.id, self.id_at = other.id, len(self.bytes) + other.id_at
        self.bytes += other.bytes


def unescape(text):
    def one(match):
        if match[1] not in ESCAPES:
            raise Wrong(f"unknown escape '\\{match[1]}'")
        return ESCAPES[match[1]]
    return re.sub(r"\\(.)", one, text).encode("ascii")


def length_prefix(form, length):
    """The length of a group as its opening says: one byte, N bytes (+ a constant), or BER."""
    if form == "ber":
        if length < 128:
            return bytes([length])
        digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
        return bytes([0x80 | len(digits)]) + digits
    size, _, more = (form or "1").partition("+")
    try:
        return (length + int(more or 0)).to_bytes(int(size), "big")
    except OverflowError:
        raise Wrong(f"a group of {length} bytes has no length of {size} bytes") from None


def plain_bytes(match):
    if match["text"] is not None:
        return unescape(match["text"])
    if match["zeros"]:
        return bytes(int(match["zeros"]))
    if match["fill"]:
        return bytes.fromhex(match["byte"]) * int(match["fill"])
    return bytes.fromhex(match["hex"] or "")


def octets(text):
    """The bytes that a line describes."""
    groups, forms, at = [Octets()], [], 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise Wrong(f"not understood: '{text[at:at + 20]}'")
        at = match.end()
        if match[0][0] == "[":
            groups.append(Octets())
            forms.append(match["open"])
        elif match["close"]:
            if not forms:
                raise Wrong("']' without '['")
            inner, whole = groups.pop(), Octets()
            whole.bytes += length_prefix(forms.pop(), len(inner.bytes))
            whole.add(inner)
            groups[-1].add(whole)
        elif match["id"]:
            inner = Octets()
            inner.id, inner.bytes = match["id"], bytearray(ID_LEN[match["id"]])
            groups[-1].add(inner)
        else:
            groups[-1].bytes += plain_bytes(match)
    if forms:
        raise Wrong("'[' without ']'")
    return groups[0]


def without_id(text):
    result = octets(text)
    if result.id:
        raise Wrong("an id cannot stand here")
    return bytes(result.bytes)


def read_ports(text):
    ports = []
    for word in text.split():
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", word)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not 0 <= first <= last <= 65535:
            raise Wrong(f"'{word}' is neither a port nor a range of ports")
        ports += range(first, last + 1)
    return ports


def read_offset(text):
    word, _, rest = text.partition(" ")
    if not word.isdigit() or int(word) >= LARGEST:
        raise Wrong(f"'{word}' is not an offset")
    return int(word), rest


class Payload:
    def __init__(self, name, number):
        self.name, self.number = name, number
        self.fields = {}

    def build(self):
        """Understand the fields. Complains about the field at hand."""
        for keyword in NEEDED:
            if keyword not in self.fields:
                raise Wrong(f"payload {self.name} has no '{keyword}'")
        self.ports = self.one("ports", read_ports)
        self.source = self.one("source", str)
        self.verified = self.one("verified", str)
        self.send = self.one("send", octets)
        self.echo = self.one("echo", self.read_echo)
        self.match = self.one("match", self.read_match)
        self.sample = self.one("sample", self.read_sample)
        self.elsewhere = "elsewhere" in self.fields
        if self.elsewhere and not self.match:
            raise Wrong("'elsewhere' needs 'match'")

    def one(self, keyword, read):
        field = self.fields.get(keyword)
        if not field:
            return None
        self.number = field.number
        if not field.text:
            raise Wrong(f"'{keyword}' is empty")
        value = read(field.text)
        if keyword == "send" and not 0 < len(value.bytes) < LARGEST:
            raise Wrong(f"{len(value.bytes)} bytes to send: not 1 to {LARGEST - 1}")
        return value

    def read_echo(self, text):
        kind, _, rest = text.partition(" ")
        if not self.send.id:
            raise Wrong("'echo' without an id in 'send'")
        if kind == "at":
            return "at", read_offset(rest.strip())[0], b""
        if kind == "after" and rest.strip():
            return "after", 0, without_id(rest)
        raise Wrong("not: at OFFSET, or: after BYTES")

    def read_match(self, text):
        offset, rest = read_offset(text)
        value, _, mask = rest.partition(" mask ")
        value = without_id(value)
        mask = without_id(mask) if mask else b"\xff" * len(value)
        if not value or len(value) != len(mask):
            raise Wrong("as many bytes of mask as of value, and at least one, are needed")
        return offset, bytes(v & m for v, m in zip(value, mask)), mask

    def read_sample(self, text):
        sample = octets(text)
        if sample.id != (self.send.id if self.echo else None):
            raise Wrong("the sample must hold the id just as 'echo' says")
        return sample


def fields_of(path):
    """(number, keyword, text) of each field; indented lines go on with the field before them."""
    fields = []
    with open(path, encoding="ascii") as file:
        for number, line in enumerate(file, 1):
            if not line.strip() or line.startswith("#"):
                continue
            if line[0].isspace() and fields:
                fields[-1][2] += " " + line.strip()
                continue
            keyword, _, text = line.strip().partition(" ")
            fields.append([number, keyword, text.strip()])
    return fields


def read_payloads(path):
    payloads, names = [], set()
    for number, keyword, text in fields_of(path):
        if keyword == "payload":
            if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", text) or text in names:
                sys.exit(f"{path}:{number}: '{text}' is no name, or is there twice")
            names.add(text)
            payloads.append(Payload(text, number))
        elif keyword not in KEYWORDS or not payloads:
            sys.exit(f"{path}:{number}: '{keyword}' is not understood here")
        elif keyword in payloads[-1].fields:
            sys.exit(f"{path}:{number}: '{keyword}' is there twice")
        else:
            payloads[-1].fields[keyword] = Field(number, text)
    for payload in payloads:
        try:
            payload.build()
        except Wrong as wrong:
            sys.exit(f"{path}:{payload.number}: {wrong}")
    return payloads


def turns_by_port(payloads):
    """For each port the payloads of its tries, in order. One whose answers prove themselves by an id has one turn; any
    other has two in a row, as its first answer must be confirmed by a second."""
    turns = {}
    for index, payload in enumerate(payloads):
        for port in payload.ports:
            turns.setdefault(port, []).extend([index] if payload.echo else [index, index])
    return sorted(turns.items())


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Blob:
    """All bytes in one array; each field names its part."""

    def __init__(self):
        self.bytes = bytearray()

    def part(self, data):
        at = self.bytes.find(data) if data else 0
        if at < 0:
            at = len(self.bytes)
            self.bytes += data
        return f"{{payload_bytes + {at}, {len(data)}}}"

    def print(self, out):
        out.write(f"static const uint8_t payload_bytes[{len(self.bytes)}] = {{")
        for at, byte in enumerate(self.bytes):
            out.write(("\n    " if at % 20 == 0 else " ") + f"{byte},")
        out.write("\n};\n\n")


def row(payload, blob):
    lines = [f".name = {quoted(payload.name)}", f".source = {quoted(payload.source)}",
             f".verified = {quoted(payload.verified)}", f".bytes = {blob.part(payload.send.bytes)}",
             f".id = {ID_NAME[payload.send.id]}", f".id_at = {payload.send.id_at}"]
    if payload.echo:
        kind, offset, after = payload.echo
        lines += [f".echo = PAYLOAD_ECHO_{kind.upper()}", f".echo_at = {offset}", f".echo_after = {blob.part(after)}"]
    if payload.match:
        offset, value, mask = payload.match
        lines += [f".match_at = {offset}", f".match = {blob.part(value)}", f".match_mask = {blob.part(mask)}"]
    if payload.elsewhere:
        lines.append(".elsewhere = true")
    if payload.sample:
        lines += [f".sample = {blob.part(payload.sample.bytes)}", f".sample_id_at = {payload.sample.id_at}"]
    return "    {" + ",\n     ".join(lines) + "},\n"


def print_table(payloads, out):
    blob = Blob()
    rows = [row(payload, blob) for payload in payloads]
    out.write('/* Made by make_payloads.py. */\n#include "technique/payload_table.h"\n\n')
    blob.print(out)
    out.write("const struct payload payload_table[] = {\n" + "".join(rows) + "};\n")
    out.write(f"const unsigned payload_table_len = {len(payloads)};\n\n")
    ports, turns = [], []
    for port, indices in turns_by_port(payloads):
        ports.append(f"    {{{port}, {len(indices)}, {len(turns)}}},\n")
        turns += indices
    out.write("const struct payload_port payload_ports[] = {\n" + "".join(ports) + "};\n")
    out.write(f"const unsigned payload_ports_len = {len(ports)};\n\n")
    out.write("const uint16_t payload_turns[] = {" + ", ".join(map(str, turns)) + "};\n")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    payloads = read_payloads(sys.argv[1])
    with open(sys.argv[2], "w", encoding="ascii") as out:
        print_table(payloads, out)


if __name__ == "__main__":
    main()
