#!/usr/bin/python3
"""consumers_test.py EXPECTED HOSTILE: reads reports back with the programs that people read them with.

EXPECTED is the directory of golden files, HOSTILE the program that renders hostile text. Needs xmllint, xsltproc, ndiff,
jq, nmap's DTD and style sheet, and python3-libnmap: what is missing is a failure, not a skip."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

from libnmap.parser import NmapParser

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from hostile_text import is_harmless, nasty_names, parse_grepable, parse_grepable_ports, unescape  # noqa: E402

DTD = "/usr/share/nmap/nmap.dtd"
XSL = "/usr/share/nmap/nmap.xsl"
REPORTS = ("interactive", "normal", "xml", "json", "grepable", "list")
JSON_PORT_KEYS = {"host", "ip", "timestamp", "port", "protocol", "tls", "state", "reason", "ttl"}
NAME_COUNT = 2000
NETWORK = 0xC6120000  # 198.18.0.0
SERVER = "203.0.113.1"

EXPECTED = pathlib.Path(sys.argv[1])
HOSTILE = pathlib.Path(sys.argv[2])

def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, timeout=120)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def address(number):
    value = NETWORK + number
    return ".".join(str(value >> shift & 255) for shift in (24, 16, 8, 0))


class Files(unittest.TestCase):
    """What all reports of a directory must satisfy, golden or hostile."""

    def reports(self, kind):
        paths = sorted(self.directory.glob(f"*.{kind}"))
        self.assertTrue(paths, f"no {kind} reports in {self.directory}")
        return paths


class Checks:
    def test_no_control_byte_but_line_ends_leaves_a_report(self):
        for kind in REPORTS:
            allowed = b"\n\t" if kind == "grepable" else b"\n"
            for path in self.reports(kind):
                data = path.read_bytes()
                if kind == "interactive":
                    data = re.sub(rb"\x1b\[(0|1;32|3[1-6])m", b"", data)  # our own colours
                strange = {byte for byte in data if byte > 0x7E or byte < 0x20} - set(allowed)
                self.assertEqual(strange, set(), path)

    def test_xml_is_valid_by_the_dtd(self):
        for path in self.reports("xml"):
            code, _, errors = run("xmllint", "--noout", "--nonet", "--huge", "--dtdvalid", DTD, path)
            self.assertEqual((code, errors), (0, ""), path)

    def test_xml_is_rendered_by_the_style_sheet(self):
        for path in self.reports("xml"):
            code, html, errors = run("xsltproc", "--nonet", XSL, path)
            self.assertEqual((code, errors), (0, ""), path)
            for host in xml.etree.ElementTree.parse(path).iterfind("host"):
                self.assertIn(host.find("address").get("addr").encode(), html)
            self.assertNotRegex(html.lower(), rb"<script>alert|<img src=x")

    def test_xml_keeps_attributes_in_order_and_one_element_a_line(self):
        for path in self.reports("xml"):
            lines = path.read_text("ascii").split("\n")
            self.assertEqual(lines[0], '<?xml version="1.0" encoding="UTF-8"?>')
            self.assertEqual(lines[1], "<!DOCTYPE nmaprun>")
            self.assertRegex(lines[2], r"^<!-- Portolan [^<]* -->$")
            self.assertRegex(lines[3], r'^<nmaprun scanner="nmap" args="[^"]*" start="\d+" startstr="[^"]*" '
                                       r'version="[\d.]+" xmloutputversion="1\.05">$')
            for line in lines:
                if line.startswith("<port "):
                    self.assertRegex(line, r'^<port protocol="\w+" portid="\d+"><state state="[^"]*" reason="[^"]*" '
                                           r'reason_ttl="\d+"( reason_ip="[^"]*")?/>'
                                           r'(<service name="[^"]*" method="table" conf="\d"/>)?</port>$')

    def test_libnmap_reads_the_xml_and_agrees_with_the_json(self):
        for path in self.reports("xml"):
            report = NmapParser.parse_fromfile(str(path))
            hosts = {host.address: host for host in report.hosts}
            self.assertEqual(len(hosts), len(report.hosts), "one host element an address")
            for line in self.json_lines(path.with_suffix(".json")):
                if line["type"] == "port" and line["ip"] in hosts:
                    service = hosts[line["ip"]].get_service(line["port"], line["protocol"])
                    self.assertEqual((service.state, service.reason), (line["state"], line["reason"]))

    def test_ndiff_finds_no_difference_to_itself(self):
        for path in self.reports("xml"):
            code, _, errors = run("ndiff", path, path)
            self.assertEqual((code, errors), (0, ""), path)

    def json_lines(self, path):
        return [json.loads(line) for line in path.read_text("ascii").splitlines()]

    def test_jq_reads_every_line_of_json(self):
        for path in self.reports("json"):
            code, out, errors = run("jq", "-c", ".type", path)
            self.assertEqual((code, errors), (0, ""), path)
            self.assertEqual(len(out.splitlines()), len(path.read_bytes().splitlines()))
            self.assertEqual(out.splitlines()[-1], b'"summary"')

    def test_json_ports_have_the_keys_that_others_expect(self):
        for path in self.reports("json"):
            for line in self.json_lines(path):
                if line["type"] in ("port", "correction"):
                    self.assertLessEqual(JSON_PORT_KEYS, line.keys())
                    self.assertRegex(line["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
                    self.assertIs(type(line["port"]), int)

    def test_json_accounts_for_every_port(self):
        for path in self.reports("json"):
            listed = {}
            for line in self.json_lines(path):
                if line["type"] == "port":
                    listed[line["ip"]] = listed.get(line["ip"], 0) + 1
                if line["type"] == "host":
                    folded = sum(item["count"] for item in line["not_shown"])
                    self.assertEqual(listed.get(line["ip"], 0) + folded, line["port_count"])

    def test_grepable_is_parsed_by_its_own_rules(self):
        for path in self.reports("grepable"):
            for _, _, fields in parse_grepable(path.read_text("ascii")):
                self.assertLessEqual(fields.keys(), {"Status", "Ports", "Protocols", "Ignored State", "Unfinished"})
                parse_grepable_ports(fields.get("Ports", ""))

    def test_normal_output_has_the_lines_that_scripts_look_for(self):
        for path in self.reports("normal"):
            addresses = {host.find("address").get("addr")
                         for host in xml.etree.ElementTree.parse(path.with_suffix(".xml")).iterfind("host")}
            reported = re.findall(r"^Nmap scan report for (?:.* \()?([0-9a-f:.%\w]+?)\)?(?: \[host down.*\])?$",
                                  path.read_text("ascii"), re.MULTILINE)
            self.assertEqual(sorted(reported), sorted(addresses))

    def test_the_list_holds_addresses_and_ports_alone(self):
        for path in self.reports("list"):
            for line in path.read_text("ascii").splitlines():
                self.assertRegex(line, r"^([\d.]+|\[[0-9a-f:]+(%\w+)?\]):\d+$")


class Golden(Checks, Files):
    directory = EXPECTED

    def test_ndiff_finds_a_changed_port(self):
        text = (EXPECTED / "mixed.xml").read_text()
        changed = text.replace('portid="22"><state state="open"', 'portid="22"><state state="closed"')
        self.assertNotEqual(text, changed)
        with tempfile.TemporaryDirectory() as directory:
            other = pathlib.Path(directory) / "changed.xml"
            other.write_text(changed)
            code, out, errors = run("ndiff", EXPECTED / "mixed.xml", other)
        self.assertEqual((code, errors), (1, ""))
        self.assertIn(b"22/tcp", out)

    def test_libnmap_reads_the_run(self):
        report = NmapParser.parse_fromfile(str(EXPECTED / "mixed.xml"))
        self.assertEqual((report.hosts_up, report.hosts_down, report.hosts_total), (4, 2, 6))
        self.assertEqual(report.scan_type, "syn")
        self.assertEqual(report.numservices, 61)
        self.assertEqual(report.elapsed, 6.25)
        self.assertEqual(report.hosts[0].hostnames, ["www.example.org", "h1.example.org"])
        self.assertEqual(report.hosts[0].mac, "00:00:5E:00:53:01")

    def test_a_stopped_run_is_complete_xml_that_says_so(self):
        finished = xml.etree.ElementTree.parse(EXPECTED / "stopped.xml").find("runstats/finished")
        self.assertEqual((finished.get("exit"), finished.get("errormsg")), ("error", "interrupted by SIGINT"))

    def test_the_grepable_ports_are_those_of_the_json(self):
        expected = {(line["ip"], line["port"], line["protocol"], line["state"])
                    for line in self.json_lines(EXPECTED / "mixed.json") if line["type"] == "port"}
        found = {(host, port, protocol, state)
                 for host, _, fields in parse_grepable((EXPECTED / "mixed.grepable").read_text())
                 for port, state, protocol, _ in parse_grepable_ports(fields.get("Ports", ""))}
        self.assertEqual(found, expected)


class Hostile(Checks, Files):
    """Every name can be had back from every report, and none has broken out of its place."""

    @classmethod
    def setUpClass(cls):
        cls.names = nasty_names(NAME_COUNT)
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.directory = pathlib.Path(cls.temporary.name)
        names = cls.directory / "names"
        names.write_text("".join(name.hex() + "\n" for name in cls.names))
        code, _, errors = run(HOSTILE, names, cls.directory)
        if code:
            raise RuntimeError(f"hostile: exit {code}: {errors}")

    def user_name(self, number):
        return self.names[number]

    def ptr_name(self, number):
        return self.names[(number + 1) % NAME_COUNT]

    def test_names_survive_in_xml(self):
        root = xml.etree.ElementTree.parse(self.directory / "hostile.xml").getroot()
        names = {host.find("address").get("addr"): [name.get("name") for name in host.iterfind("hostnames/hostname")]
                 for host in root.iterfind("host")}
        self.assertEqual(len(names), NAME_COUNT + 1)
        for number in range(NAME_COUNT):
            user, ptr = names[address(number)]
            self.assertEqual((unescape(user), unescape(ptr)), (self.user_name(number), self.ptr_name(number)))
        services = [unescape(service.get("name")) for service in root.iterfind("host/ports/port/service")]
        self.assertEqual(services, self.names)
        self.assertEqual(unescape(root.get("args")), b" ".join(self.names[:200]))
        self.assertEqual(unescape(root.find("runstats/finished").get("errormsg")), b" ".join(self.names[:200]))

    def test_a_parser_gets_no_control_or_direction_characters_from_xml(self):
        for element in xml.etree.ElementTree.parse(self.directory / "hostile.xml").iter():
            for value in element.attrib.values():
                self.assertTrue(is_harmless(value), ascii(value))

    def test_json_can_stand_in_a_page_or_a_log(self):
        data = (self.directory / "hostile.json").read_bytes()
        self.assertEqual(set(data) & set(b"<>&"), set())

    def test_names_survive_in_json(self):
        seen = 0
        for line in map(json.loads, (self.directory / "hostile.json").read_text("ascii").splitlines()):
            if line["type"] == "port":
                self.assertEqual(unescape(line["service"]), self.names[line["port"]])
                seen += 1
            if line["type"] == "host" and line["ip"] != SERVER:
                a, b, c, d = map(int, line["ip"].split("."))
                number = (a << 24 | b << 16 | c << 8 | d) - NETWORK
                self.assertEqual(unescape(line["user_name"]), self.user_name(number))
                self.assertEqual(unescape(line["ptr_name"]), self.ptr_name(number))
                seen += 1
            if line["type"] == "summary":
                self.assertEqual(unescape(line["args"]), b" ".join(self.names[:200]))
                seen += 1
        self.assertEqual(seen, 2 * NAME_COUNT + 1)

    def test_names_survive_in_grepable(self):
        hosts = parse_grepable((self.directory / "hostile.grepable").read_text("ascii"))
        names = {host: name for host, name, _ in hosts}
        self.assertEqual(len(names), NAME_COUNT + 1)
        for number in range(NAME_COUNT):
            self.assertEqual(unescape(names[address(number)]), self.ptr_name(number))
        ports = next(fields["Ports"] for host, _, fields in hosts if host == SERVER and "Ports" in fields)
        self.assertEqual([unescape(service) for _, _, _, service in parse_grepable_ports(ports)], self.names)

    def test_names_survive_in_normal_output(self):
        lines = (self.directory / "hostile.normal").read_text("ascii").split("\n")
        reported = {}
        for line in lines:
            match = re.fullmatch(r"Nmap scan report for (.*) \((198\.\d+\.\d+\.\d+)\)", line)
            if match:
                reported[match[2]] = unescape(match[1])
        self.assertEqual(reported, {address(number): self.user_name(number) for number in range(NAME_COUNT)})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
