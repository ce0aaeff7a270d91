"""Text that a stranger may choose, and how to have it back from what Portolan wrote, by the rules of each format alone."""

import random
import re
import unicodedata

SEEDS = [
    b"\x1b]0;pwn\x07", b"\x9b31m", b"\xc2\x9b31m", b"a\rb", b"a\nb", b"a\r\nHost: 192.0.2.1 ()\tStatus: Up", b"a\tb",
    b"\x7f", b"\x01\x02\x03", b"\x0b\x0c", b"\x08\x08\x08", b"\"", b"'", b"\"/><host><status state=\"up\"/>",
    b"--", b"---", b"-", b"-->", b"--><nmaprun>", b"<!-- x -->", b"]]>", b"<![CDATA[", b"&#x1b;", b"&#x0;", b"&amp;",
    b"&lolz;", b"<!DOCTYPE x [<!ENTITY a \"b\">]>", b"<script>alert(1)</script>", b"<img src=x onerror=alert(1)>",
    b"</script>", b"<?php ?>", b"<report >", b"\\", b"\\x1b", b"\\u0041", b"\\\"", b"\\n", b"%s%n%n", b"%1$s",
    "\u202egnp.exe".encode(), "\u2066x\u2069".encode(), "\u200f\u200e\u061c".encode(), "\u2028\u2029".encode(),
    "\ufeff".encode(), "\ufffe\uffff".encode("utf-8", "surrogatepass"), "\U0001f600".encode(), "\u00e4\u20ac".encode(),
    "\ud800".encode("utf-8", "surrogatepass"), b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf4\x90\x80\x80", b"\xff\xfe", b"\x80",
    b"\xe2\x82", b"{\"state\":\"open\"}\n", b"\n{\"state\":\"open\"}", b"x/open/tcp//ssh///, 1/open", b"),(", b"a,b",
    b"=HYPERLINK(1)", b"'); DROP TABLE x", b"-oProxyCommand=x", b"../../etc", b"$(id)", b"`id`", b";id", b" ", b"  a ",
    b"a" * 300, b"\x1b" * 100, b"\xf0\x9f\x98\x80" * 50,
]


def nasty_names(count):
    """So many names without NUL bytes: the known ones, then pieces of them and any bytes put together by seed."""
    names = list(SEEDS)
    for seed in range(1, count - len(names) + 1):
        chance = random.Random(seed)
        pieces = []
        for _ in range(chance.randint(1, 4)):
            if chance.random() < 0.5:
                pieces.append(chance.choice(SEEDS))
            else:
                pieces.append(bytes(chance.randint(1, 255) for _ in range(chance.randint(1, 8))))
        names.append(b"".join(pieces))
    return names


def unescape(text):
    """The raw bytes that an escaped text stands for."""
    data = text.encode("utf-8")
    return re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes([int(match[1], 16)]), data)


def is_harmless(text):
    """Has a terminal, a page or a log nothing to obey in it: no control character, no change of direction, no line end?"""
    directions = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    return not any(
        unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(char) in directions for char in text
    )


def parse_grepable(text):
    """Host lines as [(address, name, {field: value})], by the format's own rules."""
    hosts = []
    for line in text.split("\n"):
        if not line or line.startswith("#"):
            continue
        first, *fields = line.split("\t")
        match = re.fullmatch(r"Host: (\S+) \(([^()]*)\)", first)
        if not match:
            raise ValueError(line)
        hosts.append((match[1], match[2], dict(field.split(": ", 1) for field in fields)))
    return hosts


def parse_grepable_ports(value):
    ports = []
    for item in filter(None, value.split(", ")):
        number, state, protocol, owner, service, rpc, version, end = item.split("/")
        if owner or rpc or version or end:
            raise ValueError(item)
        ports.append((int(number), state, protocol, service))
    return ports
