#!/usr/bin/env python3
"""make_payloads.py names file and line of what it does not understand, and writes the bytes that README.md promises."""

import contextlib
import io
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import make_payloads  # noqa: E402

GOOD = "payload one\nports 7\nsource RFC 862\nverified unverified\nsend id2 00\n"


def read(text):
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(text)
        file.flush()
        return make_payloads.read_payloads(file.name)


def complaint(text):
    """What the program ends with, from the colon before the line number on."""
    try:
        read(text)
    except SystemExit as end:
        return str(end.code).partition(".txt")[2]
    return "none"


class Bytes(unittest.TestCase):
    def check(self, text, expected, id_at=None):
        octets = make_payloads.octets(text)
        self.assertEqual(octets.bytes.hex(), expected)
        if id_at is not None:
            self.assertEqual(octets.id_at, id_at)

    def test_hex_text_and_fillings(self):
        self.check('0a "a\\r\\n\\"\\\\" zeros:2 fill:2:5a', "0a610d0a225c00005a5a")

    def test_groups_have_their_length_before_them(self):
        self.check('["ab"] [2 00] [2+4 00] [4 ]', "026162" + "000100" + "000500" + "00000000")

    def test_ber_lengths_grow(self):
        self.check("[ber zeros:3]", "03000000")
        self.check("[ber zeros:200]", "81c8" + "00" * 200)
        self.check("[ber zeros:300]", "82012c" + "00" * 300)

    def test_the_id_is_found_through_groups(self):
        self.check("ff [2 [ 00 id4 ] ]", "ff0006" + "0500" + "00000000", id_at=5)


class Complaints(unittest.TestCase):
    def test_a_good_file_has_none(self):
        self.assertEqual(complaint(GOOD + "echo at 0\nmatch 2 0f mask 0f\nsample id2 0f\n"), "none")

    def test_each_names_its_line(self):
        cases = [
            ("ports 7\n", ":1: 'ports' is not understood here"),
            (GOOD + "colour red\n", ":6: 'colour' is not understood here"),
            (GOOD + "ports 8\n", ":6: 'ports' is there twice"),
            (GOOD + "payload one\n", ":6: 'one' is no name"),
            ("payload one\nports 7\n", ":1: payload one has no 'source'"),
            (GOOD.replace("ports 7", "ports 7-3"), ":2: '7-3' is neither a port"),
            (GOOD.replace("ports 7", "ports 65536"), ":2: '65536' is neither a port"),
            (GOOD.replace("id2 00", "0g"), ":5: not understood: '0g'"),
            (GOOD.replace("id2 00", "[ 00"), ":5: '[' without ']'"),
            (GOOD.replace("id2 00", "00 ]"), ":5: ']' without '['"),
            (GOOD.replace("id2 00", "id2 id4"), ":5: more than one id"),
            (GOOD.replace("id2 00", '"\\x"'), ":5: unknown escape"),
            (GOOD.replace("id2 00", "zeros:1400"), ":5: 1400 bytes to send"),
            (GOOD.replace("id2 00", "[zeros:256]"), ":5: a group of 256 bytes"),
            (GOOD + "echo near 3\n", ":6: not: at OFFSET"),
            (GOOD.replace("id2 ", "") + "echo at 0\n", ":6: 'echo' without an id"),
            (GOOD + "match 0 0f0f mask ff\n", ":6: as many bytes of mask"),
            (GOOD + "echo at 0\nsample 0000\n", ":7: the sample must hold the id"),
            (GOOD + "elsewhere\n", "'elsewhere' needs 'match'"),
        ]
        for text, expected in cases:
            self.assertIn(expected, complaint(text))


class Table(unittest.TestCase):
    def test_what_proves_nothing_has_two_turns(self):
        payloads = read(GOOD + "echo at 0\n" + GOOD.replace("one", "two"))
        self.assertEqual(make_payloads.turns_by_port(payloads), [(7, [0, 1, 1])])

    def test_wrong_arguments_are_refused(self):
        with contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit):
            sys.argv = ["make_payloads.py"]
            make_payloads.main()


if __name__ == "__main__":
    unittest.main()
