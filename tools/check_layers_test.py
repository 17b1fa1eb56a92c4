"""Tests of check_layers on small trees that break one rule each."""

import pathlib
import tempfile
import unittest

import check_layers


class CheckLayers(unittest.TestCase):
    def problems(self, files):
        """Problems of a tree given as {path under src: text}."""
        with tempfile.TemporaryDirectory() as directory:
            src = pathlib.Path(directory)
            for name, text in files.items():
                (src / name).parent.mkdir(parents=True, exist_ok=True)
                (src / name).write_text(text, encoding="utf-8")
            return check_layers.check(src)

    def test_accepts_a_tree_whose_includes_and_links_point_down(self):
        files = {
            "base/status.h": "#include <string>\n",
            "base/CMakeLists.txt": "segue_library(base SOURCES status.cpp)\n",
            "data/matrix.cpp": '#include "data/matrix.h"\n#include "base/status.h"\n',
            "data/CMakeLists.txt": "segue_library(data SOURCES matrix.cpp DEPENDS segue_base)\n",
            "cooc/count.cpp": '#include "data/matrix.h"\n  #  include "base/status.h"\n',
            "cooc/CMakeLists.txt": "segue_library(cooc SOURCES count.cpp DEPENDS segue_data)\n",
        }
        self.assertEqual(self.problems(files), [])

    def test_refuses_an_include_of_an_upper_layer(self):
        files = {"data/matrix.h": '#pragma once\n#include "train/ials.h"\n'}
        self.assertEqual(
            self.problems(files),
            ['src/data/matrix.h:2: data (L1) must not know train (L3): "train/ials.h"'],
        )

    def test_refuses_an_include_of_the_same_layer_in_a_test_too(self):
        files = {"kernels/dot_test.cpp": '#include "data/matrix.h"\n'}
        self.assertEqual(len(self.problems(files)), 1)

    def test_refuses_headers_without_their_folder_and_ours_in_angle_brackets(self):
        files = {"base/a.cpp": '#include "a.h"\n#include <base/a.h>\n#include <sys/mman.h>\n'}
        self.assertEqual(len(self.problems(files)), 2)

    def test_refuses_folders_it_does_not_know(self):
        self.assertEqual(len(self.problems({"utils/misc.h": ""})), 1)
        self.assertEqual(len(self.problems({"data/CMakeLists.txt": "segue_library(data DEPENDS segue_utils)\n"})), 1)

    def test_leaves_libraries_of_others_and_test_programs_alone(self):
        files = {
            "data/a.h": '#include "fmt/core.h"\n',
            "data/CMakeLists.txt": "target_link_libraries(segue_data_test PRIVATE fmt::fmt)\n",
        }
        self.assertEqual(self.problems(files), [])

    def test_refuses_a_link_to_an_upper_layer(self):
        files = {"data/CMakeLists.txt": "segue_library(data SOURCES a.cpp DEPENDS segue_train)\n"}
        self.assertEqual(self.problems(files), ["src/data/CMakeLists.txt: data (L1) must not know train (L3)"])

    def test_refuses_an_include_without_a_link_and_a_link_without_an_include(self):
        files = {
            "base/a.h": "",
            "data/a.h": '#include "base/a.h"\n',
            "cooc/CMakeLists.txt": "segue_library(cooc SOURCES a.cpp DEPENDS segue_base)  # segue_train\n",
        }
        self.assertEqual(
            self.problems(files),
            [
                "src/cooc/CMakeLists.txt: links segue_base, of which nothing is included",
                "src/data/CMakeLists.txt: base is included but segue_base is not linked",
            ],
        )

    def test_keeps_serving_and_training_apart_even_through_others(self):
        files = {
            "train/CMakeLists.txt": "",
            "recommend/a.h": '#include "train/a.h"\n',
            "recommend/CMakeLists.txt": "segue_library(recommend SOURCES a.cpp DEPENDS segue_train)\n",
            "serve/a.h": '#include "recommend/a.h"\n',
            "serve/CMakeLists.txt": "segue_library(serve SOURCES a.cpp DEPENDS segue_recommend)\n",
        }
        self.assertEqual(
            self.problems(files),
            ["src/serve/CMakeLists.txt: serve must not reach train, even through others"],
        )


if __name__ == "__main__":
    unittest.main()
