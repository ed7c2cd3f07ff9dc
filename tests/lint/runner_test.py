"""The test runner must notice failures: what it makes of programs that end in unusual ways."""

import json
import unittest

from testing.formats import parse
from testing.process import Outcome
from testing.suites import Suite, what_to_build

PASSED = Outcome(0)
RUNNING = "[ RUN      ] Launch.Works\n[       OK ] Launch.Works (0 ms)\n[ RUN      ] Launch.Dies\n"


def statuses(kind: str, outcome: Outcome, log: str, report: str | None = None) -> dict[str, str]:
    return {result.name: result.status for result in parse(kind, "program", outcome, log, report)}


def gtest_report(**test) -> str:
    row = {"name": "Works", "classname": "Launch", "status": "RUN", "result": "COMPLETED", **test}
    return json.dumps({"testsuites": [{"testsuite": [row]}]})


class GoogleTest(unittest.TestCase):
    def test_a_crash_is_blamed_on_the_test_that_ran(self):
        self.assertEqual(statuses("gtest", Outcome(-11), RUNNING),
                         {"Launch.Works": "passed", "Launch.Dies": "failed"})

    def test_an_early_exit_with_status_0_is_a_failure(self):
        self.assertEqual(statuses("gtest", PASSED, RUNNING)["Launch.Dies"], "failed")

    def test_a_leak_found_after_the_last_test_is_a_failure(self):
        self.assertEqual(statuses("gtest", Outcome(23), "", gtest_report()),
                         {"Launch.Works": "passed", "program": "failed"})

    def test_a_program_that_skips_everything_has_failed(self):
        self.assertEqual(statuses("gtest", PASSED, "", gtest_report(result="SKIPPED")),
                         {"Launch.Works": "skipped", "program": "failed"})

    def test_a_disabled_test_does_not_count(self):
        self.assertEqual(statuses("gtest", PASSED, "", gtest_report(status="NOTRUN")),
                         {"program": "failed"})


class TestAnythingProtocol(unittest.TestCase):
    def test_passed_skipped_and_failed_are_told_apart(self):
        log = "1..3\nok 1 - a\nok 2 b # SKIP no criu\nnot ok 3 - c\n# why\n"
        self.assertEqual(statuses("tap", Outcome(1), log), {"a": "passed", "b": "skipped", "c": "failed"})

    def test_a_missing_test_is_a_failure(self):
        self.assertEqual(statuses("tap", PASSED, "1..2\nok 1 - a\n"), {"a": "passed", "TAP plan": "failed"})

    def test_silence_is_a_failure(self):
        self.assertIn("failed", statuses("tap", PASSED, "").values())

    def test_a_failing_program_whose_tests_passed_is_a_failure(self):
        self.assertIn("failed", statuses("tap", Outcome(1), "1..1\nok 1 - a\n").values())


class Plain(unittest.TestCase):
    def test_the_deadline_counts_as_a_failure(self):
        self.assertEqual(statuses("plain", Outcome(0, timed_out=True), ""), {"program": "failed"})


if __name__ == "__main__":
    unittest.main()


class WhatIsBuilt(unittest.TestCase):
    @staticmethod
    def suite(build: str | None, *targets: str) -> Suite:
        return Suite("name", "", (), "tap", 1, build=build, targets=targets)

    def test_targets_of_one_kind_are_all_built(self):
        suites = [self.suite("asan", "a", "b"), self.suite("asan", "b", "c"), self.suite(None)]
        self.assertEqual(what_to_build(suites), {"debug": (), "asan": ("a", "b", "c")})

    def test_a_suite_that_needs_all_has_all(self):
        for suites in ([self.suite("debug"), self.suite("debug", "a")], [self.suite("debug", "a"), self.suite("debug"), self.suite("debug", "b")]):
            self.assertEqual(what_to_build(suites), {"debug": ()})
        self.assertEqual(what_to_build([self.suite("debug", "a")]), {"debug": ("a",)})
