#!/usr/bin/env python3
"""Turn services.tsv and ranking.txt into a C table: make_services.py services.tsv ranking.txt output.c"""

import re
import sys

PROTOCOLS = ("tcp", "udp", "sctp", "ip")  # in the order of enum port_protocol
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+/-]{0,62}")  # nothing that the port language gives a meaning


def largest(protocol):
    return 255 if protocol == "ip" else 65535


def fail(path, number, text):
    sys.exit(f"{path}:{number}: {text}")


def lines(path):
    """Numbered lines without comments and without empty ones."""
    with open(path, encoding="ascii") as file:
        for number, line in enumerate(file, 1):
            line = line.split("#")[0].rstrip()
            if line:
                yield number, line


def read_range(path, number, text, protocol):
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
    if not match:
        fail(path, number, f"'{text}' is neither a number nor a range")
    first, last = int(match[1]), int(match[2] or match[1])
    if first > last or last > largest(protocol):
        fail(path, number, f"'{text}' is not a range of {protocol} ports")
    return range(first, last + 1)


def read_services(path):
    """For each protocol a list of (port, name), by port; the first name of a port comes first."""
    services = {protocol: [] for protocol in PROTOCOLS}
    seen = set()
    for number, line in lines(path):
        fields = line.split("\t")
        if len(fields) != 3 or not NAME.fullmatch(fields[0]):
            fail(path, number, "not: name, ports, protocols")
        for protocol in fields[2].split(","):
            if protocol not in PROTOCOLS:
                fail(path, number, f"unknown protocol '{protocol}'")
            for port in read_range(path, number, fields[1], protocol):
                if (protocol, port, fields[0]) in seen:
                    fail(path, number, f"{fields[0]} {port}/{protocol} is there twice")
                seen.add((protocol, port, fields[0]))
                services[protocol].append((port, fields[0]))
    for entries in services.values():
        entries.sort(key=lambda entry: entry[0])  # stable: names of one port stay in order
    return services


def read_ranking(path, services):
    """For each protocol its ports by rank."""
    named = {protocol: {port for port, _ in entries} for protocol, entries in services.items()}
    ranking = {protocol: {} for protocol in PROTOCOLS}  # a dict keeps order and drops what comes again
    protocol = None
    for number, line in lines(path):
        for word in line.split():
            if re.fullmatch(r"\[\w+\]", word):
                protocol = word[1:-1]
                if protocol not in PROTOCOLS:
                    fail(path, number, f"unknown protocol '{protocol}'")
                continue
            if protocol is None:
                fail(path, number, "a port before the first [protocol]")
            assigned = word.startswith("assigned:")
            for port in read_range(path, number, word.removeprefix("assigned:"), protocol):
                if port == 0 and protocol != "ip":
                    fail(path, number, "port 0 cannot be ranked")
                if not assigned or port in named[protocol]:
                    ranking[protocol].setdefault(port)
    return {protocol: list(ports) for protocol, ports in ranking.items()}


def rows(items, per_row):
    items = list(items)
    for at in range(0, len(items), per_row):
        yield "    " + " ".join(f"{item}," for item in items[at:at + per_row])


def write(path, services, ranking):
    offsets = {}
    pool = bytearray()
    for entries in services.values():
        for _, name in entries:
            if name not in offsets:
                offsets[name] = len(pool)
                pool += name.encode("ascii") + b"\0"

    out = ["/* Made by make_services.py from services.tsv and ranking.txt: change those. */",
           '#include "plan/services.h"', "", "static const char names[] = {", *rows(pool, 24), "};", ""]
    for protocol in PROTOCOLS:
        out += [f"static const struct service {protocol}_services[] = {{",
                *rows((f"{{{port}, {offsets[name]}}}" for port, name in services[protocol]), 8), "};", "",
                f"static const uint16_t {protocol}_ranked[] = {{", *rows(ranking[protocol], 16), "};", ""]
    out += ["static const struct service_table table = {", "    .lists = {"]
    for protocol in PROTOCOLS:
        out.append(f"        [PORTS_{protocol.upper()}] = {{{protocol}_services, names, {protocol}_ranked, "
                   f"{len(services[protocol])}, {len(ranking[protocol])}}},")
    out += ["    },", "};", "", "const struct service_table *services_builtin(void)", "{", "    return &table;", "}"]
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(out) + "\n")


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    services = read_services(sys.argv[1])
    write(sys.argv[3], services, read_ranking(sys.argv[2], services))


if __name__ == "__main__":
    main()
