#include "model/memory/gm_store.hpp"

#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <vector>

#include "isa/errors.hpp"
#include "model/device.hpp"

namespace npu::model {

using Catch::Matchers::Contains;

TEST_CASE("allocations are zeroed, aligned and apart from each other", "[gm]") {
  GmStore gm{2, 1 << 20};
  const std::uint64_t a = gm.allocate(0, 100, "a");
  const std::uint64_t b = gm.allocate(0, 512, "b");
  const std::uint64_t other = gm.allocate(1, 100, "a");
  CHECK(a % kGmAlignment == 0);
  CHECK(b % kGmAlignment == 0);
  CHECK(b >= a + 100 + kGmAlignment);
  CHECK(card_of(GmAddress{a}) == 0);
  CHECK(card_of(GmAddress{other}) == 1);
  for (std::uint64_t i = 0; i < 512; ++i) REQUIRE(gm.resolve(b, 512, "test")[i] == std::byte{0});
}

TEST_CASE("bytes written through one view are read through another", "[gm]") {
  GmStore gm{1, 1 << 20};
  const std::uint64_t a = gm.allocate(0, 1000, "a");
  const std::uint64_t b = gm.allocate(0, 1000, "b");
  std::memset(gm.resolve(a, 1000, "test"), 7, 1000);
  CHECK(gm.resolve(a + 999, 1, "test")[0] == std::byte{7});
  CHECK(gm.resolve(b, 1, "test")[0] == std::byte{0});
  CHECK(gm.resolve(a + 10, 1, "test") == gm.resolve(a, 1000, "test") + 10);
}

TEST_CASE("an access that leaves its allocation is refused with name, offset and size", "[gm]") {
  GmStore gm{1, 1 << 20};
  const std::uint64_t a = gm.allocate(0, 1000, "weights");
  const std::uint64_t b = gm.allocate(0, 1000, "bias");
  CHECK_NOTHROW(gm.resolve(a + 900, 100, "tload"));
  CHECK_THROWS_WITH(gm.resolve(a + 900, 101, "tload"),
                    Contains("tload") && Contains("offset 900 of 'weights'") && Contains("end 1 bytes behind"));
  CHECK_THROWS_WITH(gm.resolve(a, b - a + 1, "tload"), Contains("'weights'"));
  CHECK_THROWS_AS(gm.resolve(b - 1, 1, "tload"), ProgramError);
  CHECK_THROWS_AS(gm.resolve(b, ~std::uint64_t{0}, "tload"), ProgramError);
}

TEST_CASE("an address outside all cards is refused", "[gm]") {
  GmStore gm{1, 1 << 20};
  CHECK_THROWS_AS(gm.resolve(0, 4, "tload"), ProgramError);
  CHECK_THROWS_AS(gm.resolve(static_cast<std::uint64_t>(gm_address(0, 0)), 4, "tload"), ProgramError);
  CHECK_THROWS_AS(gm.resolve(static_cast<std::uint64_t>(gm_address(1, 0)), 4, "tload"), ProgramError);
  CHECK_THROWS_AS(gm.allocate(1, 4, "a"), ConfigError);
}

TEST_CASE("a card's HBM can be filled to the last byte and not beyond", "[gm]") {
  GmStore gm{1, 1 << 20};
  const std::uint64_t a = gm.allocate(0, 1 << 20, "everything");
  CHECK(gm.resolve(a, 1 << 20, "test")[(1 << 20) - 1] == std::byte{0});
  CHECK_THROWS_WITH(gm.allocate(0, 1, "straw"),
                    Contains("'straw'") && Contains("has 0 of 1048576") && Contains("memory.hbm_capacity_gib"));
  GmStore fresh{1, 1 << 20};
  CHECK_THROWS_AS(fresh.allocate(0, (1 << 20) + 1, "too much"), ConfigError);
  CHECK_THROWS_AS(fresh.allocate(0, ~std::uint64_t{0}, "too much"), ConfigError);
  CHECK_THROWS_AS(fresh.allocate(0, 0, "nothing"), ConfigError);
}

TEST_CASE("memory that nobody touches costs nothing", "[gm]") {
  GmStore gm{8, 64ull << 30};
  const std::uint64_t a = gm.allocate(7, 60ull << 30, "big");
  CHECK(gm.resolve(a + (60ull << 30) - 1, 1, "test")[0] == std::byte{0});
}

TEST_CASE("an address is reported by the name of its allocation", "[gm]") {
  GmStore gm{1, 1 << 20};
  const std::uint64_t a = gm.allocate(0, 1000, "weights");
  CHECK(gm.allocation_name(a) == "weights");
  CHECK(gm.allocation_name(a + 999) == "weights");
  CHECK(gm.allocation_name(a + 1000) == "?");
  CHECK(gm.allocation_name(1) == "?");
}

TEST_CASE("a protected allocation may be read and not written", "[gm]") {
  GmStore gm{2, 1 << 20};
  const std::uint64_t a = gm.allocate(0, 4096, "own"), b = gm.allocate(1, 100, "input");
  gm.protect(b);
  CHECK(gm.resolve(b, 100, "tload") != nullptr);
  CHECK_NOTHROW(gm.require_writable(a, "tstore"));
  CHECK_THROWS_WITH(gm.require_writable(b, "kernel k"), Contains("kernel k: writes to 'input'") && Contains("inout"));
}

TEST_CASE("a mapped allocation reads the host's bytes and may not be written", "[gm]") {
  GmStore gm{1, 1 << 20};
  const std::uint64_t a = gm.allocate(0, 4096, "own"), b = gm.allocate(0, 8192, "weights");
  const std::vector<std::byte> host(8192, std::byte{5});
  gm.map(b, host);
  CHECK(gm.resolve(b + 100, 4, "tload") == host.data() + 100);
  CHECK_NOTHROW(gm.require_writable(a, "tstore"));
  CHECK_THROWS_WITH(gm.require_writable(b + 8191, "tstore"), Contains("tstore") && Contains("'weights'"));
  CHECK_THROWS_AS(gm.resolve(b, 8193, "tload"), ProgramError);
}

#ifndef __SANITIZE_ADDRESS__  // which needs more address space than the limit leaves
TEST_CASE("a card's memory takes address space only once it is touched", "[gm]") {
  const rlimit limit{1 << 30, 1 << 30};
  REQUIRE(setrlimit(RLIMIT_AS, &limit) == 0);
  GmStore gm{4, std::uint64_t{64} << 30};
  const std::uint64_t a = gm.allocate(3, 4096, "x");
  CHECK(gm.allocated() == 4096);
  CHECK_THROWS_AS(gm.resolve(a, 4, "tload"), ConfigError);
  CHECK_THROWS_WITH(gm.resolve(a, 4, "tload"),
                    Contains("68719476736 bytes of address space for the memory of card 3 (of 4 cards)") &&
                        Contains("memory.hbm_capacity_gib") && Contains("ulimit -v"));
}
#endif

}  // namespace npu::model
