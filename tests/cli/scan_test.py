#!/usr/bin/env python3
"""scan_test.py PROGRAM: whole scans of this machine's own loopback, as an ordinary user and with raw sockets."""

import json
import os
import re
import shutil
import socket
import subprocess
import threading
import xml.etree.ElementTree as ElementTree

import stage

SCAN = ["-n", "-p", "1-3,{port}", "127.0.0.1"]


def states(table):
    """Port to state, from the table of the normal report."""
    return {int(p): s for p, s in re.findall(r"^(\d+)/tcp +(\S+)", table, re.MULTILINE)}


class Scan(stage.StageTest):
    def arguments(self, *options, port):
        return [*options, *(word.format(port=port) for word in SCAN)]

    def test_an_ordinary_user_scans_by_connecting(self):
        port = self.listen()
        result = stage.run(*self.arguments(port=port), privileged=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(states(result.stdout), {1: "closed", 2: "closed", 3: "closed", port: "open"})

    def test_connect_and_syn_scans_agree(self):
        port = self.listen()
        tables = [states(stage.run(*self.arguments(scan, port=port)).stdout) for scan in ("-sS", "-sT")]
        self.assertEqual(tables[0], {1: "closed", 2: "closed", 3: "closed", port: "open"})
        self.assertEqual(tables[0], tables[1])

    def test_the_capability_alone_is_enough(self):
        """Every other capability is taken away, in the bounding set too."""
        port = self.listen()
        command = ["setpriv", "--bounding-set=-all,+net_raw", "--inh-caps=-all", "--ambient-caps=-all", "--"]
        result = subprocess.run(
            [*command, stage.PROGRAM, *self.arguments("-sS", port=port)], capture_output=True, text=True, timeout=60
        )
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(states(result.stdout)[port], "open")

    def test_an_ordinary_user_with_the_capability_on_the_file(self):
        """Nobody but root may own such a file; who runs it has no privilege of its own."""
        if not stage.is_root():
            self.skipTest("only root can be somebody else")
        port = self.listen()
        program = shutil.copy(stage.PROGRAM, self.directory / "portolan")
        subprocess.run(["chmod", "-R", "a+rX", str(self.directory)], check=True)
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
        command = [*nobody, program, *self.arguments("-sS", port=port)]
        self.assertEqual(subprocess.run(command, capture_output=True, timeout=60).returncode, 77)
        subprocess.run(["setcap", "cap_net_raw=ep", program], check=True)
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(states(result.stdout)[port], "open")

    def test_what_root_writes_belongs_to_the_user_behind_sudo(self):
        """Root becomes the invoking user before any output is opened: what that one may not write is not written."""
        if not stage.is_root():
            self.skipTest("only root can become somebody else")
        nobody = {**os.environ, "SUDO_UID": "65534", "SUDO_GID": "65534"}
        arguments = self.arguments("-sS", port=self.listen())
        refused = stage.run("-oX", str(self.directory / "report"), *arguments, env=nobody)
        self.assertEqual(refused.returncode, 73, refused.stderr)
        self.assertIn("Permission denied", refused.stderr)
        self.assertEqual(os.listdir(self.directory), [])
        os.chown(self.directory, 65534, 65534)
        outputs = [word for name in ("-oX", "--store", "--pcap") for word in (name, str(self.directory / name))]
        result = stage.run(*outputs, *arguments, env=nobody)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        owners = {path.name: path.stat().st_uid for path in self.directory.iterdir()}
        self.assertEqual(owners, {"-oX": 65534, "--store": 65534, "--pcap": 65534})

    def test_a_probe_to_this_machine_from_the_port_it_asks_is_no_answer(self):
        """Over the loopback link probes are heard on their way, and such a one looks as if it came back."""
        if not stage.is_root():
            self.skipTest("only root can send raw packets")
        port = self.listen()
        result = stage.run("-sS", "-n", "-g", "3", "-p", f"1-5,{port}", "127.0.0.1")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(states(result.stdout), {**dict.fromkeys(range(1, 6), "closed"), port: "open"})
        self.assertIn("Not proved: 0 ", result.stdout)

    def test_a_reset_answers_a_probe_with_data(self):
        """A reset acknowledges the data as well, and so has another number than that of a probe without."""
        if not stage.is_root():
            self.skipTest("only root can send raw packets")
        port = self.listen()
        for scan in ("-sS", "-sF", "-sN", "-sX"):
            result = stage.run(scan, "-n", "--data-length", "1200", "-p", f"1-500,{port}", "-oG", "-", "127.0.0.1")
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertIn("Ignored State: closed (500)", result.stdout)

    def test_unprivileged_is_obeyed(self):
        result = stage.run("--unprivileged", "-sS", "127.0.0.1")
        self.assertEqual(result.returncode, 77)
        self.assertIn("--unprivileged", result.stderr)

    def test_the_connect_backend_can_be_asked_for(self):
        port = self.listen()
        result = stage.run(*self.arguments("--backend", "connect", port=port))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("conn-refused", stage.run(*self.arguments("--backend", "connect", "--reason", port=port)).stdout)

    def test_v_names_the_backend(self):
        port = self.listen()
        for scan, backend in [(["-sT"], "connect"), (["-sS", "--backend", "raw"], "raw"), (["-sS"], "raw|packet")]:
            result = stage.run(*self.arguments(*scan, "-v", port=port))
            self.assertEqual(result.returncode, 0)
            self.assertRegex(result.stderr, f"(?m)^portolan: note: backend: ({backend})$")

    def test_v_says_why_the_best_backend_is_not_another(self):
        port = self.listen()
        result = stage.run(*self.arguments("-sS", "--backend", "best", "-v", port=port))
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stderr, r"(?m)^portolan: note: backend: (raw|packet) \(kernel is not taken: .+\)$")
        self.assertEqual(states(result.stdout)[port], "open")

    def test_in_a_container_with_one_capability_the_best_backend_works(self):
        """A user namespace whose root may send raw packets and nothing else: what it may load is for the machine's root to say."""
        alone = "setpriv --bounding-set=-all,+net_raw --inh-caps=-all --ambient-caps=-all --"
        words = f"{stage.PROGRAM} -sS -n -v --backend best -p 1-3 127.0.0.1"
        result = subprocess.run(
            ["unshare", "-rn", "sh", "-c", f"ip link set lo up && exec {alone} {words}"], capture_output=True, text=True, timeout=60
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stderr, r"(?m)^portolan: note: backend: (raw|packet) \(kernel is not taken: .*cap_bpf.*\)$")
        self.assertEqual(states(result.stdout), {1: "closed", 2: "closed", 3: "closed"})

    def test_every_report_at_once(self):
        port = self.listen()
        base = str(self.directory / "all")
        result = stage.run(*self.arguments("-sT", "-oA", base, "-oL", base + ".list", port=port))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(states(result.stdout)[port], "open")
        found = ElementTree.parse(base + ".xml").getroot()
        self.assertEqual([p.get("portid") for p in found.iter("port") if p.find("state").get("state") == "open"], [str(port)])
        for name in os.listdir(self.directory):
            self.assertGreater(os.path.getsize(self.directory / name), 0, name)
        with open(base + ".list") as file:
            self.assertEqual(file.read(), f"127.0.0.1:{port}\n")

    def test_a_report_on_standard_output_silences_the_other(self):
        port = self.listen()
        result = stage.run(*self.arguments("-sT", "-oJ", "-", port=port))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for line in result.stdout.splitlines():
            json.loads(line)
        self.assertNotIn("Nmap scan report", result.stdout)

    def test_then_runs_a_command_for_each_host_with_open_ports(self):
        port = self.listen()
        result = stage.run("-sT", "-n", "-p", f"1,{port}", "127.0.0.1-3", "-oG", "/dev/null", "--then", "echo +{host}+{ports}+")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(re.findall(r"^\+.*\+$", result.stdout, re.MULTILINE), [f"+127.0.0.1+{port}+"])

    def test_then_says_when_a_command_fails(self):
        port = self.listen()
        result = stage.run(*self.arguments("-sT", "--then", "exit 3", port=port))
        self.assertEqual(result.returncode, 0)
        self.assertIn("--then", result.stderr)
        self.assertIn("status 3", result.stderr)

    def test_packet_trace_shows_both_directions(self):
        port = self.listen()
        result = stage.run(*self.arguments("-sS", "--packet-trace", port=port))
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stderr, rf"SENT .* 127\.0\.0\.1 port {port} ")
        self.assertRegex(result.stderr, rf"RCVD .* from 127\.0\.0\.1 .* port {port} to ")

    def test_targets_come_from_standard_input(self):
        port = self.listen()
        result = stage.run("-sT", "-n", "-p", str(port), "-iL", "-", stdin=None, input="127.0.0.1 # myself\n")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(states(result.stdout), {port: "open"})

    def test_special_addresses_are_named(self):
        result = stage.run("-sT", "-n", "-p1", "127.0.0.1", "224.0.0.1")
        self.assertEqual(result.returncode, 0)
        self.assertIn("multicast", result.stderr)

    def serve_names(self, labels):
        """A name server on loopback: every address is called by these labels. Its address and port."""
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(server.close)
        server.bind(("127.0.0.1", 0))
        name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"

        def answer():
            while True:
                try:
                    query, sender = server.recvfrom(512)
                except OSError:
                    return
                question = query[12 : query.index(b"\0", 12) + 5]
                record = b"\xc0\x0c\x00\x0c\x00\x01\x00\x00\x00\x3c" + len(name).to_bytes(2, "big") + name
                server.sendto(query[:2] + b"\x85\x80\0\1\0\1\0\0\0\0" + question + record, sender)

        threading.Thread(target=answer, daemon=True).start()
        return "{}:{}".format(*server.getsockname())

    def test_names_of_addresses_are_shown_and_escaped(self):
        report = str(self.directory / "report.xml")
        for labels, shown in (((b"host", b"example"), "host.example"), ((b"ev\x1b]0;il", b"example"), None)):
            server = self.serve_names(labels)
            result = stage.run("-sT", "-p1", "--dns-servers", server, "127.0.0.77", "-oX", report)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertTrue(result.stdout.replace("\n", "").isprintable(), result.stdout)
            ElementTree.parse(report)
            if shown:
                self.assertIn(f"{shown} (127.0.0.77)", result.stdout)

    def test_help_version_and_doctor(self):
        for word, expected in (("--help", "usage:"), ("--version", "Portolan"), ("doctor", "raw sockets")):
            result = stage.run(word)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertIn(expected, result.stdout)

    def test_doctor_says_what_each_backend_needs(self):
        result = stage.run("doctor", privileged=False)
        for backend, capability in [("packet", "cap_net_raw=ep"), ("raw", "cap_net_raw=ep"), ("xdp", "cap_bpf"), ("kernel", "cap_bpf"),
                                    ("best", "cap_net_raw=ep")]:  # fmt: skip
            self.assertRegex(result.stdout, rf"(?m)^no +backend {backend} .*setcap .*{capability}")
        self.assertRegex(result.stdout, r"(?m)^ok +lo +loopback.*backends: raw$")
        self.assertRegex(result.stdout, rf"(?m)^ok +{stage.LINK} +Ethernet.*backends: packet$")


if __name__ == "__main__":
    stage.main()
