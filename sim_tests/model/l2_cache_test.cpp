#include "model/memory/l2_cache.hpp"

#include <catch2/catch.hpp>

namespace npu::model {
namespace {

constexpr std::uint64_t kBlock = 8192, kSector = 128, kRequest = 512;

/// Of so many blocks; `dirty_blocks` of them may be dirty.
L2Cache cache(std::uint64_t blocks, std::uint64_t dirty_blocks = 100) {
  return {blocks * kBlock, kBlock, kRequest, dirty_blocks * kBlock};
}
L2Access rows(L2Cache& l2, std::uint64_t begin, std::uint64_t lines, std::uint64_t bytes, std::int64_t pitch,
              bool is_write = false) {
  std::vector<Fill> fills;
  return l2.access(begin, lines, bytes, pitch, is_write, {}, fills);
}
L2Access read(L2Cache& l2, std::uint64_t begin, std::uint64_t bytes) { return rows(l2, begin, 1, bytes, 0); }
L2Access write(L2Cache& l2, std::uint64_t begin, std::uint64_t bytes) { return rows(l2, begin, 1, bytes, 0, true); }
/// Numbers of the transfers that a read of transfer `number` has to wait for.
std::vector<std::uint64_t> waits(L2Cache& l2, std::uint64_t number, std::uint64_t begin, std::uint64_t bytes) {
  std::vector<Fill> fills;
  (void)l2.access(begin, 1, bytes, 0, false, {.slot = 0, .number = number}, fills);
  std::vector<std::uint64_t> numbers;
  for (const Fill& f : fills) numbers.push_back(f.number);
  return numbers;
}

}  // namespace

TEST_CASE("the second read of a range that fits hits wholly", "[l2]") {
  L2Cache l2 = cache(8);
  CHECK(read(l2, 100, 30'000).miss == 30'000);
  CHECK(read(l2, 100, 30'000).hit == 30'000);
  CHECK(read(l2, 100, 30'000).miss == 0);
}

TEST_CASE("a cyclic stream larger than L2 never hits", "[l2]") {
  L2Cache l2 = cache(8);
  std::uint64_t hits = 0;
  for (int pass = 0; pass < 4; ++pass) {
    for (std::uint64_t i = 0; i < 9; ++i) hits += read(l2, i * kBlock, kBlock).hit;
  }
  CHECK(hits == 0);
}

TEST_CASE("four passes over a slice that fits hit three quarters", "[l2]") {
  L2Cache l2 = cache(8);
  std::uint64_t hits = 0, bytes = 0;
  for (int pass = 0; pass < 4; ++pass) {
    for (std::uint64_t i = 0; i < 8; ++i) {
      hits += read(l2, i * kBlock, kBlock).hit;
      bytes += kBlock;
    }
  }
  CHECK(4 * hits == 3 * bytes);
}

TEST_CASE("the least recently used block leaves first", "[l2]") {
  L2Cache l2 = cache(2);
  read(l2, 0 * kBlock, kBlock);
  read(l2, 1 * kBlock, kBlock);
  read(l2, 0 * kBlock, kSector);  // block 1 is the older one
  read(l2, 2 * kBlock, kBlock);
  CHECK(read(l2, 0 * kBlock, kSector).hit == kSector);
  CHECK(read(l2, 1 * kBlock, kSector).hit == 0);
}

TEST_CASE("a strided read brings in its own columns only", "[l2]") {
  L2Cache l2 = cache(8);
  // 16 rows of 4 KiB, of which the first 512 bytes; a block spans two rows.
  CHECK(rows(l2, 0, 16, 512, 4096).miss == 16 * 512);
  CHECK(rows(l2, 512, 16, 512, 4096).hit == 0);
  CHECK(rows(l2, 0, 16, 1024, 4096).hit == 16 * 1024);
  CHECK(rows(l2, 0, 16, 1025, 4096).miss == 16);
  CHECK(l2.resident_bytes() == 16 * (1024 + kSector));
}

TEST_CASE("contiguous lines and one long line are the same access", "[l2]") {
  L2Cache a = cache(8), b = cache(8);
  CHECK(rows(a, 64, 100, 200, 200).miss == read(b, 64, 20'000).miss);
  CHECK(a.resident_bytes() == b.resident_bytes());
  CHECK(read(a, 0, 30'000).hit == read(b, 0, 30'000).hit);
}

TEST_CASE("lines may run downwards", "[l2]") {
  L2Cache l2 = cache(8);
  CHECK(rows(l2, 4 * 1024, 5, 128, -1024).miss == 5 * 128);
  CHECK(rows(l2, 0, 5, 128, 1024).hit == 5 * 128);
}

TEST_CASE("a sector that was touched in part is present as a whole", "[l2]") {
  L2Cache l2 = cache(8);
  CHECK(read(l2, 10, 20).miss == 20);
  CHECK(read(l2, 0, kSector).hit == kSector);
}

TEST_CASE("a request that misses a sector fetches all that it asks for", "[l2]") {
  L2Cache l2 = cache(8);
  read(l2, 0, kSector);
  CHECK(read(l2, 100, 60).miss == 60);  // 28 bytes of sector 0, 32 of sector 1
  CHECK(read(l2, 100, 60).hit == 60);
  const L2Access across = read(l2, 0, 2 * kRequest);
  CHECK(across.hit == 0);  // the first request has two of four sectors, the second none
  CHECK(read(l2, 0, 3 * kRequest).hit == 2 * kRequest);
}

TEST_CASE("whoever finds what another transfer brings in is told which one", "[l2]") {
  L2Cache l2 = cache(8);
  CHECK(waits(l2, 1, 0, 2 * kSector).empty());
  CHECK(waits(l2, 2, kSector, 2 * kSector) == std::vector<std::uint64_t>{1});  // and brings in sector 2 itself
  CHECK(waits(l2, 3, 4 * kSector, kSector).empty());                           // other sectors of the block
  CHECK(waits(l2, 4, kBlock, kBlock).empty());
  CHECK(waits(l2, 5, kBlock, kBlock) == std::vector<std::uint64_t>{4});
  write(l2, kBlock, kBlock);  // what is written is there
  CHECK(waits(l2, 6, kBlock, kBlock).empty());
}

TEST_CASE("a full L2 with too much dirty data writes a block back for each that it replaces, oldest first", "[l2]") {
  L2Cache l2 = cache(4, 1);
  for (std::uint64_t i = 0; i < 3; ++i) CHECK(write(l2, i * kBlock, kBlock).written_back == 0);
  read(l2, 3 * kBlock, kBlock);
  CHECK(read(l2, 4 * kBlock, kBlock).written_back == 2 * kBlock);  // block 0 leaves, block 1 stays
  CHECK(read(l2, 1 * kBlock, kBlock).hit == kBlock);
  CHECK(read(l2, 5 * kBlock, kBlock).written_back == kBlock);  // block 2 leaves; none is left
  CHECK(read(l2, 6 * kBlock, kBlock).written_back == 0);
}

TEST_CASE("written sectors are written back once, when their block leaves", "[l2]") {
  L2Cache l2 = cache(2);
  CHECK(write(l2, 0, 3 * kSector).written_back == 0);
  CHECK(read(l2, 0, 3 * kSector).hit == 3 * kSector);  // what was written is found
  read(l2, 1 * kBlock, kBlock);
  CHECK(read(l2, 2 * kBlock, kBlock).written_back == 3 * kSector);
  CHECK(read(l2, 0, kBlock).written_back == 0);  // read again, the block is clean
  CHECK(read(l2, 3 * kBlock, kBlock).written_back == 0);
  CHECK(read(l2, 4 * kBlock, kBlock).written_back == 0);
}

TEST_CASE("blocks that are filled in part take only the room of their sectors", "[l2]") {
  L2Cache l2 = cache(2);
  for (std::uint64_t i = 0; i < 100; ++i) read(l2, i * kBlock, kSector);
  std::uint64_t hits = 0;
  for (std::uint64_t i = 0; i < 100; ++i) hits += read(l2, i * kBlock, kSector).hit;
  CHECK(hits == 100 * kSector);
}

TEST_CASE("L2 never holds more than its capacity", "[l2]") {
  L2Cache l2 = cache(3);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    rows(l2, i * 7919 % 100'000, 1 + i % 5, 1 + i * 31 % 9000, static_cast<std::int64_t>(i * 517 % 20'000), i % 3 == 0);
    REQUIRE(l2.resident_bytes() <= 3 * kBlock);
  }
}

}  // namespace npu::model
