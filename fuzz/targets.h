#pragma once

// What is fed with made-up bytes: by libFuzzer in programs of their own, and by replay_test.cpp
// with what is in corpus/. A target aborts where something that must always hold does not.

#include <cstdint>
#include <span>

namespace segue::fuzz {

/// A stream of HTTP requests, behind one byte that says in which pieces it comes: read alike in
/// those pieces and at once, and answered by the dialects as openapi.json has it.
void http_request(std::span<const std::uint8_t> input);

/// A bundle, opened without its checksums: refused, or it answers every kind of query with known
/// items and finite scores.
void bundle(std::span<const std::uint8_t> input);

/// A query in JSON: refused, or every result fulfils its filter as a slower reading of the
/// conditions has it, and none that fulfils it is missing.
void filter(std::span<const std::uint8_t> input);

/// Ends the program where `holds` is false.
void require(bool holds, const char* what);

}  // namespace segue::fuzz
