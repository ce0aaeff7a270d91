#!/usr/bin/env python3
"""The checks themselves: each passes a good sample and refuses a bad one."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).parent
STYLE = HERE.parent.parent
GOOD = {
    "src/base/good.h": '#pragma once\n\n#include <stdint.h>\n\nuint32_t good(uint32_t value);\n',
    "src/base/good.c": '#include "base/good.h"\n\nuint32_t good(uint32_t value)\n{\n    return value + 1;\n}\n',
    "src/plan/user.c": '#include "base/good.h"\n',
    "script/run": "#!/bin/bash\nset -euo pipefail\necho good\n",
}


class Sample:
    """A small repository in a directory of its own, the good one with some files added or replaced."""

    def __init__(self, **changes):
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        for name in (".clang-format", ".clang-tidy"):
            (self.root / name).write_text((STYLE / name).read_text())
        for name, text in {**GOOD, **changes.pop("files", {})}.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def passes(self, check, *arguments):
        return self.run(check, *arguments).returncode == 0

    def run(self, check, *arguments):
        command = [sys.executable, HERE / check, *(arguments or [self.root])]
        return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})

    def compile(self, name):
        """Leaves the object where the build would."""
        target = self.root / "build" / Path(name).parent / "libx.a.p"
        target.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", f"-I{self.root}/src", "-fPIE", "-c", self.root / name, "-o", target / "x.o"], check=True)
        return self.root / "build"

    def close(self):
        self.folder.cleanup()


class Checks(unittest.TestCase):
    def sample(self, **files):
        sample = Sample(files=files)
        self.addCleanup(sample.close)
        return sample

    def with_file(self, name, text):
        return self.sample(**{name: text})

    def test_layers(self):
        self.assertTrue(self.sample().passes("check_layers.py"))
        for name, text in {
            "src/base/up.c": '#include "plan/user.h"\n',
            "src/plan/up.c": '#include "engine/engine.h"\n',
            "src/plan/bare.c": '#include "user.h"\n',
            "src/plan/dots.c": '#include "../base/good.h"\n',
            "src/plan/none.c": '#include "base/none.h"\n',
            "src/stray/x.c": "int x(void);\n",
        }.items():
            self.assertFalse(self.with_file(name, text).passes("check_layers.py"), name)

    def test_layers_allow_what_the_table_allows(self):
        sample = self.sample(**{"src/cli/main.c": '#include "base/good.h"\n', "src/plan/user_test.c": '#include "base/good.h"\n'})
        self.assertTrue(sample.passes("check_layers.py"))

    def test_globals(self):
        for text, good in {
            "static const int table[2] = {1, 2};\nint first(int i);\nint first(int i)\n{\n    return table[i];\n}\n": True,
            'const char *const names[] = {"a", "b"};\n': True,
            "int counter;\n": False,
            "int next(void);\nint next(void)\n{\n    static int last = 3;\n    return ++last;\n}\n": False,
            "_Thread_local int mine;\n": False,
            'const char *movable = "a";\n': False,
        }.items():
            sample = self.with_file("src/base/data.c", text)
            self.assertEqual(sample.passes("check_globals.py", sample.compile("src/base/data.c")), good, text)

    def test_globals_need_a_build(self):
        sample = self.sample()
        self.assertFalse(sample.passes("check_globals.py", sample.root / "build"))

    def test_headers(self):
        sample = self.sample()
        self.assertTrue(sample.passes("check_headers.py", sample.root, "cc"))
        sample = self.with_file("src/base/bad.h", "#pragma once\n\nuint32_t bad(void);\n")
        self.assertFalse(sample.passes("check_headers.py", sample.root, "cc"))

    def test_format(self):
        self.assertTrue(self.sample().passes("check_format.py"))
        self.assertFalse(self.with_file("src/base/bad.c", "int  x( void );\n").passes("check_format.py"))
        self.assertFalse(self.with_file("src/base/bad.c", f"/* {'x' * 110} */\n").passes("check_format.py"))

    def test_shell(self):
        self.assertTrue(self.sample().passes("check_shell.py"))
        self.assertFalse(self.with_file("script/bad", "#!/bin/bash\nset -euo pipefail\nrm $1\n").passes("check_shell.py"))
        self.assertFalse(self.with_file("script/bad", "#!/bin/sh\nrm x\n").passes("check_shell.py"))

    def test_words(self):
        self.assertTrue(self.sample().passes("check_words.py"))
        for name, text in {
            "doc/x.md": "see " + "/ho" + "me/user/x\n",
            "src/base/bad.c": "/* TO" + "DO: all of it */\n",
            "data/nmap-services": "",
        }.items():
            self.assertFalse(self.with_file(name, text).passes("check_words.py"), name)

    def test_tidy(self):
        for text, good in {
            GOOD["src/base/good.c"]: True,
            "int bad(int *p);\nint bad(int *p)\n{\n    if (!p)\n        return *p;\n    return 0;\n}\n": False,
            "int big(int i);\nint big(int i)\n{\n" + "    i += 2;\n" * 61 + "    return i;\n}\n": False,
        }.items():
            sample = self.with_file("src/base/good.c", text)
            build = sample.root / "build"
            build.mkdir()
            commands = '[{"directory": "%s", "file": "%s", "command": "cc -Isrc -c %s"}]'
            (build / "compile_commands.json").write_text(
                "[" + ",".join(commands[1:-1] % (sample.root, path, path) for path in sample.root.glob("src/*/*.c")) + "]")
            for _ in range(2):  # the second answer comes from memory, where that is allowed
                self.assertEqual(sample.passes("check_tidy.py", sample.root, build), good, text)


if __name__ == "__main__":
    unittest.main(verbosity=1)
