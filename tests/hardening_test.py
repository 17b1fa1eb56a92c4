"""Looks into the program for what the flags of cmake/SegueHardening.cmake leave there.

usage: hardening_test.py ROOT SEGUE

Also that the systemd unit takes away what the service does not need. Without readelf the test exits with 77, which CTest counts as skipped.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import unittest

ROOT = pathlib.Path(sys.argv[1])
PROGRAM = sys.argv[2]

if shutil.which("readelf") is None:
    print("skipped: there is no readelf")
    sys.exit(77)


def readelf(*arguments):
    run = subprocess.run(["readelf", "--wide", *arguments, PROGRAM], capture_output=True, text=True, timeout=60, check=True)
    return run.stdout


class Hardening(unittest.TestCase):
    def test_the_program_may_be_loaded_anywhere(self):
        self.assertRegex(readelf("--file-header"), r"Type: +DYN")
        self.assertRegex(readelf("--dynamic"), r"FLAGS_1.*PIE")

    def test_what_the_loader_fills_in_is_read_only_afterwards(self):
        self.assertIn("GNU_RELRO", readelf("--program-headers"))
        self.assertRegex(readelf("--dynamic"), r"BIND_NOW|FLAGS_1.*NOW")

    def test_no_memory_is_both_written_and_run(self):
        for line in readelf("--program-headers").splitlines():
            fields = line.split()
            if fields and fields[0] in ("LOAD", "GNU_STACK"):
                flags = "".join(fields[6:-1])
                self.assertFalse("W" in flags and "E" in flags, line)

    def test_stacks_are_protected_and_library_calls_are_checked(self):
        symbols = readelf("--dyn-syms")
        self.assertIn("__stack_chk_fail", symbols)
        self.assertRegex(symbols, r"__(memcpy|memmove|read|fprintf|vfprintf|snprintf|vsnprintf|realpath|poll|fdelt)_chk")

    @unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze")
    def test_the_unit_exposes_little(self):
        unit = ROOT / "deploy" / "segue.service"
        run = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--no-pager", unit], capture_output=True, text=True, timeout=60
        )
        exposure = re.search(r"exposure level for segue.service: ([0-9.]+)", run.stdout)
        self.assertIsNotNone(exposure, run.stdout + run.stderr)
        self.assertLessEqual(float(exposure[1]), 2.0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
