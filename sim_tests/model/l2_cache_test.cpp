#include "model/memory/l2_cache.hpp"

#include <catch2/catch.hpp>

namespace npu::model {
namespace {

constexpr std::uint64_t kBlock = 8192, kSector = 128;

L2Access read(L2Cache& l2, std::uint64_t begin, std::uint64_t bytes) { return l2.access(begin, 1, bytes, 0, false); }
L2Access write(L2Cache& l2, std::uint64_t begin, std::uint64_t bytes) { return l2.access(begin, 1, bytes, 0, true); }

}  // namespace

TEST_CASE("the second read of a range that fits hits wholly", "[l2]") {
  L2Cache l2{8 * kBlock, kBlock};
  CHECK(read(l2, 100, 30'000).miss == 30'000);
  CHECK(read(l2, 100, 30'000).hit == 30'000);
  CHECK(read(l2, 100, 30'000).miss == 0);
}

TEST_CASE("a cyclic stream larger than L2 never hits", "[l2]") {
  L2Cache l2{8 * kBlock, kBlock};
  std::uint64_t hits = 0;
  for (int pass = 0; pass < 4; ++pass) {
    for (std::uint64_t i = 0; i < 9; ++i) hits += read(l2, i * kBlock, kBlock).hit;
  }
  CHECK(hits == 0);
}

TEST_CASE("four passes over a slice that fits hit three quarters", "[l2]") {
  L2Cache l2{8 * kBlock, kBlock};
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
  L2Cache l2{2 * kBlock, kBlock};
  read(l2, 0 * kBlock, kBlock);
  read(l2, 1 * kBlock, kBlock);
  read(l2, 0 * kBlock, kSector);  // block 1 is the older one
  read(l2, 2 * kBlock, kBlock);
  CHECK(read(l2, 0 * kBlock, kSector).hit == kSector);
  CHECK(read(l2, 1 * kBlock, kSector).hit == 0);
}

TEST_CASE("a strided read brings in its own columns only", "[l2]") {
  L2Cache l2{8 * kBlock, kBlock};
  // 16 rows of 4 KiB, of which the first 512 bytes; a block spans two rows.
  CHECK(l2.access(0, 16, 512, 4096, false).miss == 16 * 512);
  CHECK(l2.access(512, 16, 512, 4096, false).hit == 0);
  CHECK(l2.access(0, 16, 1024, 4096, false).hit == 16 * 1024);
  CHECK(l2.access(0, 16, 1025, 4096, false).miss == 16);
  CHECK(l2.resident_bytes() == 16 * (1024 + kSector));
}

TEST_CASE("contiguous lines and one long line are the same access", "[l2]") {
  L2Cache a{8 * kBlock, kBlock}, b{8 * kBlock, kBlock};
  CHECK(a.access(64, 100, 200, 200, false).miss == b.access(64, 1, 20'000, 0, false).miss);
  CHECK(a.resident_bytes() == b.resident_bytes());
  CHECK(a.access(0, 1, 30'000, 0, false).hit == b.access(0, 1, 30'000, 0, false).hit);
}

TEST_CASE("lines may run downwards", "[l2]") {
  L2Cache l2{8 * kBlock, kBlock};
  CHECK(l2.access(4 * 1024, 5, 128, -1024, false).miss == 5 * 128);
  CHECK(l2.access(0, 5, 128, 1024, false).hit == 5 * 128);
}

TEST_CASE("a sector that was touched in part is present as a whole", "[l2]") {
  L2Cache l2{8 * kBlock, kBlock};
  CHECK(read(l2, 10, 20).miss == 20);
  CHECK(read(l2, 0, kSector).hit == kSector);
  const L2Access across = read(l2, 100, 60);  // 28 bytes of sector 0, 32 of sector 1
  CHECK(across.hit == 28);
  CHECK(across.miss == 32);
}

TEST_CASE("written sectors are written back once, when their block leaves", "[l2]") {
  L2Cache l2{2 * kBlock, kBlock};
  CHECK(write(l2, 0, 3 * kSector).written_back == 0);
  CHECK(read(l2, 0, 3 * kSector).hit == 3 * kSector);  // what was written is found
  read(l2, 1 * kBlock, kBlock);
  CHECK(read(l2, 2 * kBlock, kBlock).written_back == 3 * kSector);
  CHECK(read(l2, 0, kBlock).written_back == 0);  // read again, the block is clean
  CHECK(read(l2, 3 * kBlock, kBlock).written_back == 0);
  CHECK(read(l2, 4 * kBlock, kBlock).written_back == 0);
}

TEST_CASE("blocks that are filled in part take only the room of their sectors", "[l2]") {
  L2Cache l2{2 * kBlock, kBlock};
  for (std::uint64_t i = 0; i < 100; ++i) read(l2, i * kBlock, kSector);
  std::uint64_t hits = 0;
  for (std::uint64_t i = 0; i < 100; ++i) hits += read(l2, i * kBlock, kSector).hit;
  CHECK(hits == 100 * kSector);
}

TEST_CASE("L2 never holds more than its capacity", "[l2]") {
  L2Cache l2{3 * kBlock, kBlock};
  for (std::uint64_t i = 0; i < 1000; ++i) {
    l2.access(i * 7919 % 100'000, 1 + i % 5, 1 + i * 31 % 9000, static_cast<std::int64_t>(i * 517 % 20'000),
              i % 3 == 0);
    REQUIRE(l2.resident_bytes() <= 3 * kBlock);
  }
}

}  // namespace npu::model
