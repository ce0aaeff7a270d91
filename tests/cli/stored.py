"""What is in a store, read by SQLite itself, and what is in a report of JSON lines, in one form that can be compared."""

import json
import sqlite3
import struct
from pathlib import Path


def rows(path, query):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as store:
        return store.execute(query).fetchall()


def indexes(blob):
    """The numbers of a set: pairs of a gap and a length, in LEB128 (doc/store.md)."""
    numbers, value, shift = [], 0, 0
    for byte in blob:
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            numbers.append(value)
            value = shift = 0
    members, end = [], 0
    for gap, length in zip(numbers[::2], numbers[1::2]):
        members += range(end + gap, end + gap + length + 1)
        end += gap + length + 1
    return members


def ports(path):
    """(address, protocol, port) to (state, reason) of everything that answered. Of the rows of a port the last one counts; fails
    when it says nothing else than the one before."""
    asked = {}
    for first_index, protocol, first, last in rows(path, "SELECT first_index, protocol, first, last FROM asked"):
        for port in range(first, last + 1):
            asked[first_index + port - first] = (protocol, port)
    found = {}
    for address, protocol, port, state, reason in rows(
        path, "SELECT address, protocol, port, state, port.reason FROM port JOIN host USING (position) ORDER BY id"
    ):
        assert found.get((address, protocol, port)) != (state, reason), f"{address} {port} is stored twice"
        found[address, protocol, port] = (state, reason)
    for address, state, reason, blob in rows(
        path, "SELECT address, state, folded.reason, ports FROM folded JOIN host USING (position)"
    ):
        for index in indexes(blob):
            key = (address, *asked[index])
            replaced = found.get(key) == (state, reason) and state not in ("open", "filtered")
            assert key not in found or replaced, f"{key} is stored twice"
            found[key] = (state, reason)
    return found


def pcapng(data):
    """(comment, packet) of each packet; fails when the file is not one of pcapng's in the order of this machine."""
    assert data[:4] == b"\n\r\r\n" and struct.unpack_from("=I", data, 8)[0] == 0x1A2B3C4D
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("=II", data, at)
        assert length % 4 == 0 and struct.unpack_from("=I", data, at + length - 4)[0] == length
        if kind == 6:
            kept = struct.unpack_from("=I", data, at + 20)[0]
            options = at + 28 + (kept + 3) // 4 * 4
            code, size = struct.unpack_from("=HH", data, options)
            assert code == 1
            yield data[options + 4 : options + 4 + size].decode(), data[at + 28 : at + 28 + kept]
        at += length
    assert at == len(data)


def spans(text):
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def reported(path):
    """The same of a report; fails when a host is there twice."""
    found, seen = {}, set()
    for line in Path(path).read_text().splitlines():
        host = json.loads(line)
        if host["type"] == "port":
            found[host["ip"], host["protocol"], host["port"]] = (host["state"], host["reason"])
        if host["type"] != "host":
            continue
        assert host["ip"] not in seen, f"{host['ip']} is reported twice"
        seen.add(host["ip"])
        for group in host.get("not_shown", []):
            if group["reason"] != "no-response":
                for port in spans(group["ports"]):
                    found[host["ip"], group["protocol"], port] = (group["state"], group["reason"])
    return found


def progress(path):
    """How many hosts are how far."""
    return dict(rows(path, "SELECT progress, count(*) FROM host GROUP BY progress"))


def state(path):
    return rows(path, "SELECT state FROM scan")[0][0]
