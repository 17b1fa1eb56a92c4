#!/usr/bin/env python3
"""Fronts, interpolation and ratios, on figures that can be worked out by hand."""

import math
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import index_summary as summary


def point(recall, mean_us):
    times = {"mean_us": mean_us, "p50_us": mean_us, "p99_us": 2 * mean_us}
    return {"knob": {"n": recall}, "recall": recall, "single": times, "batch_all": times, "batch_recall": recall}


def run(build, points, empty=0.0):
    return {"build": build, "points": points, "empty_call": {"mean_us": empty}}


class SummaryTest(unittest.TestCase):
    def test_points_that_another_beats_in_both_are_not_on_the_front(self):
        front = summary.front([point(0.9, 10), point(0.8, 20), point(0.95, 40)], "single")
        self.assertEqual([recall for recall, _, _ in front], [0.9, 0.95])

    def test_a_rate_between_two_points_is_their_geometric_mean_at_the_mean_logit(self):
        low, high = 0.9, 0.99
        middle = 1 / (1 + math.exp(-(summary.logit(low) + summary.logit(high)) / 2))
        front = summary.front([point(low, 10), point(high, 40)], "single")
        self.assertAlmostEqual(summary.rate_at(front, middle), 1e6 / 20, places=3)

    def test_a_recall_that_is_not_reached_has_no_rate(self):
        self.assertIsNone(summary.rate_at(summary.front([point(0.9, 10)], "single"), 0.95))

    def test_a_front_that_begins_above_a_recall_has_the_rate_of_its_first_point(self):
        front = summary.front([point(0.97, 10), point(0.99, 20)], "single")
        self.assertAlmostEqual(summary.rate_at(front, 0.9), 1e5)

    def test_the_empty_call_is_taken_off_single_queries_only(self):
        runs = [run("a", [point(0.95, 10)], empty=5.0)]
        self.assertAlmostEqual(summary.library_rates(runs, "single", True)[0.95], 2e5)
        self.assertAlmostEqual(summary.library_rates(runs, "single", False)[0.95], 1e5)
        self.assertAlmostEqual(summary.library_rates(runs, "batch_all", True)[0.95], 1e5)

    def test_the_best_of_several_builds_counts(self):
        runs = [run("a", [point(0.95, 10)]), run("b", [point(0.95, 5)])]
        self.assertAlmostEqual(summary.library_rates(runs, "single", True)[0.95], 2e5)

    def test_ratios_are_taken_within_rounds_and_their_median_counts(self):
        rounds = [
            {"segue": [run("a", [point(0.95, 10)])], "peer": [run("a", [point(0.95, 20)])]},
            {"segue": [run("a", [point(0.95, 30)])], "peer": [run("a", [point(0.95, 90)])]},
            {"segue": [run("a", [point(0.95, 10)])], "peer": [run("a", [point(0.95, 10)])]},
        ]
        ratio = summary.SetSummary("s", {}, rounds).ratio("single", 0.95)
        for found, wanted in zip(ratio, (2.0, 1.0, 3.0)):
            self.assertAlmostEqual(found, wanted)

    def test_a_library_that_misses_the_recall_in_most_rounds_has_no_rate(self):
        rounds = [{"peer": [run("a", [point(recall, 10)])]} for recall in (0.96, 0.94, 0.94)]
        self.assertIsNone(summary.SetSummary("s", {}, rounds).rates("peer", "single")[0.95])


if __name__ == "__main__":
    unittest.main()
