"""Tests of check_repository on single lines. The samples are put together so that this file stays clean itself."""

import unittest

from check_repository import is_long, problems_of


class CheckRepository(unittest.TestCase):
    def assert_refused(self, text, why):
        problems = problems_of("a.txt", text.encode("utf-8"))
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(why, problems[0])

    def test_accepts_plain_text(self):
        self.assertEqual(problems_of("a.txt", "see docs/work/flow.md\nhttps://example.org/x\n".encode()), [])
        self.assertEqual(problems_of("a.txt", b""), [])

    def test_refuses_what_belongs_to_one_machine(self):
        self.assert_refused("cd /" + "home/someone\n", "path of one machine")
        self.assert_refused("https:/" + "/pypi.example.org/simple\n", "package registry")

    def test_refuses_what_is_left_for_later(self):
        self.assert_refused("// TO" + "DO: think\n", "left for later")

    def test_refuses_untidy_ends(self):
        self.assert_refused("a \n", "end of the line")
        self.assert_refused("a", "end of the file")

    def test_refuses_what_is_not_source(self):
        self.assertEqual(len(problems_of("a.bin", b"\xff\xfe")), 1)
        self.assertEqual(len(problems_of("a.csv", b"1,2\n" * 100_000)), 1)

    def test_leaves_golden_files_as_they_are_but_small(self):
        self.assertEqual(problems_of("tests/golden/a.segue", b"\xff \n"), [])
        self.assertEqual(len(problems_of("tests/golden/a.segue", b"\xff" * 300_000)), 1)

    def test_names_long_sources_only(self):
        self.assertTrue(is_long("a.cpp", b"\n" * 401))
        self.assertFalse(is_long("a.cpp", b"\n" * 400))
        self.assertFalse(is_long("a.md", b"\n" * 401))


if __name__ == "__main__":
    unittest.main()
