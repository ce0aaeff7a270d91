#!/usr/bin/python3
"""hostile_test.py PROGRAM: one scan in which everything a stranger may choose is hostile (names, the greeting of a server, a
store), and what the user may be made to choose (names of files and interfaces). Parsers of other people accept every output, each
name can be had back from it, and a terminal sees nothing to obey. Needs libnmap and dpkt."""

import contextlib
import itertools
import json
import os
import pty
import random
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import dpkt
from libnmap.parser import NmapParser

import stage
import stored

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from hostile_text import is_harmless, nasty_names, parse_grepable, unescape  # noqa: E402

HOST_COUNT = 128
PORT_COUNT = 3
NAME_LEN_MAX = 200  # what fits into a name of the DNS, its labels at most 60 long
FILE_NAME = b"\x1b]0;pwn\x07\xc2\x9b31m\xe2\x80\xae\xff\r\n<b>&\"'"
OUR_SEQUENCES = re.compile(rb"\r\x1b\[K|\x1b\[(0|1;32|3[1-6])m|\r\n")  # the progress line, colours, and the end of a line
REPORTS = (".nmap", ".xml", ".gnmap", ".jsonl", ".list")


def address(number):
    return f"127.0.{1 + number // 256}.{number % 256}"


def dns_names():
    """A name for each host, that the DNS can carry."""
    return [name[:NAME_LEN_MAX] for name in nasty_names(HOST_COUNT)]


def labels_of(name):
    """The name on the wire: a point is not there, so it may be anywhere else but where labels meet."""
    pieces = [name[at : at + 60] for at in range(0, len(name), 60)]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\0", b".".join(pieces)


def serve_names(answer_with):
    """A name server: the PTR record of an address is what answer_with gives for the four numbers of it."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def answer():
        with contextlib.suppress(OSError):
            while True:
                query, sender = server.recvfrom(512)
                question = query[12 : query.index(b"\0", 12) + 5]
                numbers = [int(number) for number in re.findall(rb"[\x01-\x03](\d{1,3})(?=[^\d])", question)[:4]]
                name = answer_with(numbers[::-1])
                record = b"\xc0\x0c\x00\x0c\x00\x01\x00\x00\x00\x3c" + len(name).to_bytes(2, "big") + name
                server.sendto(query[:2] + b"\x85\x80\0\1\0\1\0\0\0\0" + question + record, sender)

    threading.Thread(target=answer, daemon=True).start()
    return server


def on_terminal(arguments):
    """Exit status, and what a terminal gets to see of both outputs, but for what Portolan itself tells it to do."""
    master, slave = pty.openpty()
    process = subprocess.Popen(stage.command(arguments), stdin=subprocess.DEVNULL, stdout=slave, stderr=slave)
    os.close(slave)
    seen = b""
    with contextlib.suppress(OSError):  # the other end was closed
        while piece := os.read(master, 65536):
            seen += piece
    os.close(master)
    return process.wait(timeout=60), OUR_SEQUENCES.sub(b"\n", seen)


def serve_ftp(replies):
    """An FTP server that takes any password, and says one thing after another to whatever else it is asked. Its port."""
    server = socket.create_server(("127.0.0.1", 0))

    def talk(connection):
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as lines:
            for code, reply in zip((b"220", b"331", b"230"), replies):
                connection.sendall(code + b"-" + reply + b"\r\n" + code + b" " + reply + b"\r\n")
                lines.readline()
            for reply in itertools.cycle(replies):
                connection.sendall(b"500 " + reply + b"\r\n")
                if not lines.readline():
                    return

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=talk, args=[server.accept()[0]], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return server


class Hostile(stage.StageTest):
    @classmethod
    def setUpClass(cls):
        cls.place = Path(tempfile.mkdtemp(prefix="portolan-"))
        cls.addClassCleanup(shutil.rmtree, cls.place)
        folder = os.fsencode(cls.place) + b"/" + FILE_NAME
        os.mkdir(folder)
        cls.base, cls.store, cls.packets = (folder + b"/" + word + FILE_NAME for word in (b"report", b"store", b"packets"))
        wire, texts = zip(*map(labels_of, dns_names()))
        cls.names = dict(zip(map(address, range(HOST_COUNT)), texts))
        server = serve_names(lambda numbers: wire[(numbers[2] - 1) * 256 + numbers[3]])
        cls.addClassCleanup(server.close)
        listeners = [socket.create_server(("", 0), backlog=512) for _ in range(PORT_COUNT)]
        for listener in listeners:
            cls.addClassCleanup(listener.close)
        cls.ports = sorted(listener.getsockname()[1] for listener in listeners)
        cls.services = dict(zip(cls.ports, ("'/><b>", "a\\x1b,(b)", "%s%n&amp;")))
        services = folder + b"/services" + FILE_NAME
        Path(os.fsdecode(services)).write_text("".join(f"{name} {port}/tcp\n" for port, name in cls.services.items()))
        # fmt: off
        cls.status, cls.seen = on_terminal([
            "-sS", "-v", "--reason", "-R", "--dns-servers", "{}:{}".format(*server.getsockname()), "--servicedb", services,
            "-p", f"1-40,{','.join(map(str, cls.ports))}", "-oA", cls.base, "-oL", cls.base + b".list",
            "--store", cls.store, "--pcap", cls.packets, f"{address(0)}/25",
        ])  # fmt: on

    def assert_clean(self, seen, also=b""):
        self.assertEqual({byte for byte in seen if byte > 0x7E or byte < 0x20} - set(b"\n" + also), set(), ascii(seen))

    def assert_reports(self, base):
        """Of these reports: independent parsers accept them, and every name is there as it was."""
        files = {ending: base + ending.encode() for ending in REPORTS}
        for ending, path in files.items():
            self.assert_clean(Path(os.fsdecode(path)).read_bytes(), b"\t" if ending == ".gnmap" else b"")
        expected = {(host, port): self.services[port] for host in self.names for port in self.ports}

        report = NmapParser.parse_fromfile(os.fsdecode(files[".xml"]))
        self.assertEqual({host.address: unescape(host.hostnames[0]) for host in report.hosts}, self.names)
        root = ElementTree.parse(os.fsdecode(files[".xml"])).getroot()
        self.assertTrue(all(is_harmless(value) for element in root.iter() for value in element.attrib.values()))
        self.assertIn(FILE_NAME, unescape(root.get("args")))

        lines = [json.loads(line) for line in Path(os.fsdecode(files[".jsonl"])).read_text("ascii").splitlines()]
        self.assertEqual({line["ip"]: unescape(line["ptr_name"]) for line in lines if line["type"] == "host"}, self.names)
        found = {(line["ip"], line["port"]): unescape(line["service"]) for line in lines if line.get("state") == "open"}
        self.assertEqual(found, {key: name.encode() for key, name in expected.items()})

        hosts = parse_grepable(Path(os.fsdecode(files[".gnmap"])).read_text("ascii"))
        self.assertEqual({host: unescape(name) for host, name, _ in hosts}, self.names)
        listed = {tuple(line.split(":")) for line in Path(os.fsdecode(files[".list"])).read_text("ascii").splitlines()}
        self.assertEqual(listed, {(host, str(port)) for host, port in expected})
        normal = re.findall(r"^Nmap scan report for (.*) \(([\d.]+)\)$", Path(os.fsdecode(files[".nmap"])).read_text("ascii"), re.M)
        self.assertEqual({host: unescape(name) for name, host in normal}, self.names)

    def test_a_terminal_sees_no_control_function(self):
        self.assertEqual(self.status, 0, ascii(self.seen))
        self.assert_clean(self.seen)
        self.assertIn(b"Nmap scan report for ", self.seen)

    def test_every_report_can_be_read_and_has_all_names(self):
        self.assert_reports(self.base)

    def test_the_store_can_be_read_by_anybody_and_has_all_names(self):
        with contextlib.closing(sqlite3.connect(os.fsdecode(self.store))) as store:
            self.assertEqual(store.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            tables = [name for (name,) in store.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
            for table in tables:
                for row in store.execute(f"SELECT * FROM {table}"):
                    self.assert_clean("".join(value for value in row if isinstance(value, str)).encode())
            names = {host: unescape(name) for host, name in store.execute("SELECT address, ptr FROM host")}
            ((command, words),) = store.execute("SELECT command, words FROM scan")
        self.assertEqual(names, self.names)
        self.assertIn(FILE_NAME, unescape(command))
        self.assertIn(self.base, words.split(b"\0"))

    def test_what_is_told_of_a_store_is_as_clean(self):
        for arguments in (
            ["report", self.store],
            ["explain", self.store, f"{address(9)}:{self.ports[0]}"],
            ["diff", self.store, self.store],
            ["diff", self.store, self.store + b"missing"],
            ["report", self.base + b".xml"],
            ["report", self.store, "-oX", self.base + b"/no/such"],
        ):
            with self.subTest(arguments=arguments):
                _, seen = on_terminal(arguments)
                self.assert_clean(seen)
        again = self.base + b"again"
        services = self.store.replace(b"/store", b"/services")
        result = stage.run("report", self.store, "-oA", again, "-oL", again + b".list", "--servicedb", services)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assert_reports(again)

    def test_the_packets_can_be_read_by_anybody(self):
        data = Path(os.fsdecode(self.packets)).read_bytes()
        self.assertEqual(len(list(stored.pcapng(data))), HOST_COUNT * (40 + PORT_COUNT))
        with open(self.packets, "rb") as file:
            packets = [dpkt.ip.IP(packet) for _, packet in dpkt.pcapng.Reader(file)]
        opened = {(socket.inet_ntoa(ip.src), ip.data.sport) for ip in packets if ip.data.flags == 0x12}
        self.assertEqual(opened, {(host, port) for host in self.names for port in self.ports})


class Stranger(stage.StageTest):
    """What was made by somebody else: a store, a server that bounces, an interface, a name."""

    def setUp(self):
        super().setUp()
        self.store = str(self.directory / "store")

    def assert_clean(self, arguments, statuses):
        status, seen = on_terminal(arguments)
        self.assertIn(status, statuses, ascii(seen))
        self.assertEqual({byte for byte in seen if byte > 0x7E or byte < 0x20} - set(b"\n"), set(), ascii(seen))
        return seen

    def texts_of(self, path):
        """(table, column) of every text of a store that is there at least once."""
        for (table,) in stored.rows(path, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
            for _, column, kind, *_ in stored.rows(path, f"PRAGMA table_info({table})"):
                if kind == "TEXT" and stored.rows(path, f"SELECT 1 FROM {table} WHERE {column} NOT NULL LIMIT 1"):
                    yield table, column

    def test_a_store_with_any_text_in_any_place_is_refused_or_told_cleanly(self):
        port = self.listen()
        scan = ["-sS", "-n", "-p", f"1-9,{port}", "--store", self.store, "127.0.0.1", "localhost"]
        self.assertEqual(stage.run(*scan).returncode, 0)
        spoiled = str(self.directory / "spoiled")
        places = list(self.texts_of(self.store))
        self.assertLessEqual({"scan", "host", "port"}, {table for table, _ in places})
        for seed, (table, column) in enumerate(places, 1):
            text = random.Random(seed).choice(nasty_names(500))
            shutil.copy(self.store, spoiled)
            with contextlib.closing(sqlite3.connect(spoiled)) as store:
                store.execute(f"UPDATE OR IGNORE {table} SET {column} = CAST(? AS TEXT)", [text])
                store.commit()
            with self.subTest(seed=seed, table=table, column=column, text=text):
                self.assert_clean(["report", spoiled, "-v"], (0, 65))
                self.assert_clean(["explain", spoiled, f"127.0.0.1:{port}"], (0, 65))
                self.assert_clean(["diff", spoiled, self.store], (0, 1, 2))

    def test_a_server_that_bounces_says_what_it_likes(self):
        for seed in range(1, 6):
            replies = random.Random(seed).sample(nasty_names(500), 12)
            server = serve_ftp(replies)
            relay = "x:y@{}:{}".format(*server.getsockname())
            with self.subTest(seed=seed), server:
                self.assert_clean(["-b", relay, "-n", "-vv", "--packet-trace", "-p", "1-3", "127.0.0.2"], (0, 69))

    def test_a_link_has_any_name(self):
        name = b"\x1b[7m\xc2\x9b\xe2\x80\xae\xff"
        subprocess.run(["ip", "link", "add", name, "type", "veth"], check=True)
        self.addCleanup(subprocess.run, ["ip", "link", "del", name], check=True)
        Path(os.fsdecode(b"/proc/sys/net/ipv6/conf/" + name + b"/disable_ipv6")).write_text("0")
        for command in (["address", "add", "fe80::1/64", "dev", name, "nodad"], ["link", "set", name, "up"]):
            subprocess.run(["ip", *command], check=True)
        target = b"fe80::1%" + name
        scan = ["-6", "-sT", "-n", "-v", "-p", "1-3", "--store", self.store, target]
        seen = self.assert_clean(scan, (0,))
        self.assertIn(b"fe80::1%", seen)
        packets = self.directory / "packets"
        traced = ["-6", "-sS", "-n", "-vv", "--packet-trace", "-e", name, "--pcap", str(packets), "-p", "1-3", target]
        self.assert_clean(traced, (0,))
        comments = [comment for comment, _ in stored.pcapng(packets.read_bytes())]
        self.assertEqual(len(comments), 3)
        self.assertTrue(all(is_harmless(comment) for comment in comments), comments)
        self.assert_clean(["report", self.store], (0,))
        self.assert_clean(["explain", self.store, b"[" + target + b"]:1", "--no-sandbox"], (0,))
        other = str(self.directory / "other")
        self.assertEqual(stage.run("-6", "-sT", "-n", "-p", "1-2", "--store", other, target).returncode, 0)
        for form in ([], ["--json"]):
            seen = self.assert_clean(["diff", self.store, other, "--no-sandbox", *form], (1,))
            self.assertIn(b"no longer covered", seen)

    def test_a_target_has_any_name(self):
        for name in nasty_names(40):
            if not name.startswith(b"-"):
                self.assert_clean(["-sT", "--dns-servers", "127.0.0.1:9", "-p1", name], (0, 64, 65, 69))


if __name__ == "__main__":
    stage.main()
