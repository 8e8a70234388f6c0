#include "model/memory/memory_system.hpp"

#include <catch2/catch.hpp>
#include <ostream>
#include <stdexcept>
#include <utility>
#include <vector>

#include "sim_tests/support/test_machine.hpp"

namespace npu::model {
namespace {

// test_machine(): HBM 64 bytes per cycle read, 32 written; L2 64 KiB in blocks of 8 KiB, 256 read, 128 written;
// latencies hit 100, miss 200, write 50; link 16 bytes per cycle, 1000 cycles.

struct Passed {
  std::uint64_t cycle;
  std::uint32_t tag;
  std::uint64_t latency;
  bool operator==(const Passed&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Passed& p) {
  return out << "tag " << p.tag << " at " << p.cycle << " + " << p.latency;
}

struct Bench final : TransferClient {
  explicit Bench(std::uint32_t cards = 1, Machine m = test::test_machine())
      : machine{std::move(m)}, memory{{machine, clock, observers, nullptr, faults}, cards} {
    for (std::uint32_t c = 0; c < cards; ++c) base.push_back(memory.allocate(c, 1 << 20, "tensor"));
  }
  void transfer_passed(std::uint32_t tag, std::uint64_t latency) override {
    passed.push_back({clock.now(), tag, latency});
    if (fail) throw std::runtime_error{"client"};
    if (next != nullptr) memory.start(*std::exchange(next, nullptr), *this, tag + 1);
  }
  void read(std::uint64_t address, std::uint32_t bytes, std::uint32_t tag, double port = 64) {
    memory.start({.address = address, .line_bytes = bytes, .cost = {.port = bytes / port}}, *this, tag);
  }
  void write(std::uint64_t address, std::uint32_t bytes, std::uint32_t tag, double port = 64) {
    memory.start({.write = true, .address = address, .line_bytes = bytes, .cost = {.port = bytes / port}}, *this, tag);
  }
  /// Runs until nothing happens any more and returns what passed since the last call, times from there on.
  std::vector<Passed> run() {
    const std::uint64_t begin = clock.now();
    sc_core::sc_start(clock.duration(1'000'000));
    for (Passed& p : passed) p.cycle -= begin;
    return std::exchange(passed, {});
  }

  Machine machine;
  Clock clock{1000};
  FaultLatch faults;
  Observers observers;
  MemorySystem memory;
  std::vector<std::uint64_t> base;
  std::vector<Passed> passed;
  const Transfer* next = nullptr;
  bool fail = false;
};

}  // namespace

TEST_CASE("a first read comes from HBM at the port's rate, a second from L2", "[memory]") {
  Bench b;
  b.read(b.base[0], 6400, 1);
  CHECK(b.run() == std::vector<Passed>{{100, 1, 200}});
  b.read(b.base[0], 6400, 2);
  CHECK(b.run() == std::vector<Passed>{{100, 2, 100}});
  const MemoryTraffic t = b.memory.traffic(0);
  CHECK(t.hbm_read == 6400);
  CHECK(t.l2_read == 12'800);
  CHECK(t.l2_hit == 6400);
  CHECK(t.hbm_write + t.l2_write == 0);
}

TEST_CASE("two cores that miss share HBM, two that hit do not notice each other", "[memory]") {
  Bench b;
  b.read(b.base[0], 6400, 1);
  b.read(b.base[0] + 8192, 6400, 2);
  CHECK(b.run() == std::vector<Passed>{{200, 1, 200}, {200, 2, 200}});
  b.read(b.base[0], 6400, 1);
  b.read(b.base[0] + 8192, 6400, 2);
  CHECK(b.run() == std::vector<Passed>{{100, 1, 100}, {100, 2, 100}});
}

TEST_CASE("a read that hits in part holds L2 for its hits and for HBM, and has the latency of a miss", "[memory]") {
  Bench b;
  b.read(b.base[0], 6400, 1);
  b.run();
  // 12 of 25 requests hit. A byte from HBM holds the read side of L2 as long as HBM takes, 256 / 64 times as long:
  // (6144 + 6656 * 4) / 256.
  b.read(b.base[0], 12'800, 2, 128);
  CHECK(b.run() == std::vector<Passed>{{128, 2, 200}});
  b.read(b.base[0] + 32'768, 6400, 1);       // takes 32 of HBM's 64 bytes per cycle ...
  b.read(b.base[0] + 6400, 12'800, 2, 128);  // ... and both hold L2 for (6400 + 2 * 6400 * 4) / 256
  CHECK(b.run() == std::vector<Passed>{{200, 1, 200}, {225, 2, 200}});
}

TEST_CASE("a write lands in L2, and a read finds it there", "[memory]") {
  Bench b;
  b.write(b.base[0], 6400, 1);
  CHECK(b.run() == std::vector<Passed>{{100, 1, 50}});
  b.read(b.base[0], 6400, 2);
  CHECK(b.run() == std::vector<Passed>{{100, 2, 100}});
  const MemoryTraffic t = b.memory.traffic(0);
  CHECK(t.l2_write == 6400);
  CHECK(t.hbm_read + t.hbm_write == 0);
}

TEST_CASE("what L2 writes back takes its share of the bus, and nobody waits for it", "[memory]") {
  Bench b;
  b.write(b.base[0], 65'536, 1, 128);  // fills L2
  CHECK(b.run() == std::vector<Passed>{{512, 1, 50}});
  b.read(b.base[0] + 65'536, 8192, 2);
  // 8192 bytes out, at 32 bytes a cycle of the bus, beside 8192 bytes in: half of the 64 for each until the read ends.
  CHECK(b.run() == std::vector<Passed>{{256, 2, 200}});
  CHECK(b.memory.traffic(0).hbm_write == 8192);
  b.read(b.base[0] + 73'728, 8192, 3, 16);  // less than half of the bus: the write-back does not show
  CHECK(b.run() == std::vector<Passed>{{512, 3, 200}});
}

TEST_CASE("a transfer whose rows the bus dislikes takes more of it than its bytes, but no more of L2", "[memory]") {
  Bench b;
  Transfer rows{.address = b.base[0], .lines = 16, .line_bytes = 128, .pitch = 1024, .cost = {.port = 2}};
  rows.cost.bus_factor = 2;
  b.memory.start(rows, b, 1);
  CHECK(b.run() == std::vector<Passed>{{64, 1, 200}});  // 16 * 128 * 2 / 64
  b.memory.start(rows, b, 2);
  CHECK(b.run() == std::vector<Passed>{{8, 2, 100}});  // from L2: 2048 / 256
}

TEST_CASE("nobody hits before the bytes can be there", "[memory]") {
  Bench b;
  b.read(b.base[0] + 16'384, 6400, 1);
  b.memory.start({.core = 1, .address = b.base[0], .line_bytes = 6400, .cost = {.port = 100}}, b, 2);
  b.memory.start({.core = 2, .address = b.base[0], .line_bytes = 640, .cost = {.port = 10}}, b, 3);
  // 1 and 2 share HBM and hold L2 for (2 * 6400 * 4 + 640) / 256; 3 finds what 2 is bringing in, ends with it and has
  // the latency of a miss.
  CHECK(b.run() == std::vector<Passed>{{203, 1, 200}, {203, 2, 200}, {203, 3, 200}});
  CHECK(b.memory.traffic(0).l2_hit == 640);
  b.read(b.base[0], 640, 4);
  CHECK(b.run() == std::vector<Passed>{{10, 4, 100}});
}

TEST_CASE("a read in the cycle in which a fill ends finds its bytes", "[memory]") {
  // Whatever the order of the processes of that cycle: the client of tag 1 starts the read at once.
  Bench b;
  const Transfer next{.core = 1, .address = b.base[0], .line_bytes = 640, .cost = {.port = 10}};
  b.next = &next;
  b.read(b.base[0] + 8192, 6400, 1);
  b.read(b.base[0], 6400, 5);
  const std::vector<Passed> passed = b.run();
  REQUIRE(passed.size() == 3);
  CHECK(passed[2].tag == 2);
}

TEST_CASE("loads of the same rows at the same time wait for each other's answers, loads of other rows do not",
          "[memory]") {
  Machine machine = test::test_machine();
  machine.params.memory.same_address_cycles = 7;
  Bench b{1, machine};
  b.read(b.base[0], 2048, 0);
  b.run();
  const auto load = [&](std::uint32_t core, std::uint64_t at) {
    b.memory.start({.core = core, .address = b.base[0] + at, .line_bytes = 512, .cost = {.port = 8, .requests = 1}}, b,
                   core);
  };
  for (const std::uint32_t core : {0u, 1u, 2u}) load(core, 0);
  load(3, 1024);
  // Three loads of one address: 100 + 2 * 7.
  CHECK(b.run() == std::vector<Passed>{{8, 0, 114}, {8, 1, 114}, {8, 2, 114}, {8, 3, 100}});
  load(0, 0);
  CHECK(b.run() == std::vector<Passed>{{8, 0, 100}});
}

TEST_CASE("a core that has all its requests under way waits for answers", "[memory]") {
  Machine machine = test::test_machine();
  machine.params.core.mte2_requests = 10;
  Bench b{1, machine};
  b.read(b.base[0], 16'384, 0);
  b.run();
  // 32 requests, one per 100 / 10 cycles; the first 10 go at the port's 4 cycles each: 320 - (100 - 40).
  b.memory.start({.address = b.base[0], .line_bytes = 16'384, .cost = {.port = 128, .pace = 4, .requests = 32}}, b, 1);
  CHECK(b.run() == std::vector<Passed>{{260, 1, 100}});
}

TEST_CASE("remote accesses take the link of their direction and the link's latency", "[memory]") {
  Bench b{2};
  b.memory.start({.card = 0, .address = b.base[1], .line_bytes = 1600, .cost = {.port = 25}}, b, 1);
  b.memory.start({.card = 1, .write = true, .address = b.base[0], .line_bytes = 1600, .cost = {.port = 25}}, b, 2);
  b.memory.start({.card = 0, .write = true, .address = b.base[1], .line_bytes = 800, .cost = {.port = 100}}, b, 3);
  // 1 and 2 both travel from card 1 to card 0.
  CHECK(b.run() == std::vector<Passed>{{100, 3, 1000}, {200, 1, 1000}, {200, 2, 1000}});
  const auto links = b.memory.links();
  REQUIRE(links.size() == 2);
  CHECK(links[0].from == 0);
  CHECK(links[0].to == 1);
  CHECK(links[0].bytes == 800);
  CHECK(links[0].busy == 100);
  CHECK(links[1].from == 1);
  CHECK(links[1].bytes == 3200);
  CHECK(links[1].busy == 200);
}

TEST_CASE("a remote write is found in the L2 of its home", "[memory]") {
  Bench b{2};
  b.memory.start({.card = 0, .write = true, .address = b.base[1], .line_bytes = 640, .cost = {.port = 10}}, b, 1);
  b.run();
  b.memory.start({.card = 1, .address = b.base[1], .line_bytes = 640, .cost = {.port = 10}}, b, 2);
  CHECK(b.run() == std::vector<Passed>{{10, 2, 100}});
}

TEST_CASE("eight cards have a link per ordered pair", "[memory]") {
  Bench b{8};
  REQUIRE(b.memory.links().size() == 56);
  for (std::uint32_t from = 0; from < 8; ++from) {
    for (std::uint32_t to = 0; to < 8; ++to) {
      if (from == to) continue;
      b.memory.start({.card = from,
                      .write = true,
                      .address = b.base[to],
                      .line_bytes = from * 8 + to + 1,
                      .cost = {.port = (from * 8 + to + 1) / 64.0}},
                     b, 0);
    }
  }
  b.run();
  for (const LinkTraffic& l : b.memory.links()) CHECK(l.bytes == l.from * 8 + l.to + 1);
}

TEST_CASE("simultaneous transfers end in order of card, core and tag, whatever the order of their starts", "[memory]") {
  Bench b{2};
  const auto start = [&](std::uint32_t card, std::uint32_t core, std::uint32_t tag) {
    b.memory.start(
        {.card = card, .core = core, .address = b.base[card] + tag * 8192ull, .line_bytes = 640, .cost = {.port = 640}},
        b, tag);
  };
  start(1, 0, 0);
  start(0, 5, 2);
  start(0, 1, 3);
  start(0, 5, 1);
  CHECK(b.run() == std::vector<Passed>{{640, 3, 200}, {640, 1, 200}, {640, 2, 200}, {640, 0, 200}});
}

TEST_CASE("of simultaneous reads of the same bytes the first core's misses, and the others wait for it", "[memory]") {
  Bench b;
  for (const std::uint32_t core : {2u, 0u, 1u}) {
    b.memory.start({.core = core, .address = b.base[0], .line_bytes = 640, .cost = {.port = 10}}, b, core);
  }
  // (640 * 4 + 2 * 640) / 256 on the read side of L2
  CHECK(b.run() == std::vector<Passed>{{15, 0, 200}, {15, 1, 200}, {15, 2, 200}});
  CHECK(b.memory.traffic(0).hbm_read == 640);
}

TEST_CASE("a client may start its next transfer when one has passed", "[memory]") {
  Bench b;
  const Transfer next{.address = b.base[0] + 8192, .line_bytes = 640, .cost = {.port = 10}};
  b.next = &next;
  b.read(b.base[0], 640, 1);
  CHECK(b.run() == std::vector<Passed>{{10, 1, 200}, {20, 2, 200}});
}

TEST_CASE("a client's error is parked, not lost", "[memory]") {
  Bench b;
  b.fail = true;
  b.read(b.base[0], 640, 1);
  b.run();
  CHECK(b.faults.raised());
  CHECK_THROWS_WITH(b.faults.rethrow(), "client");
}

TEST_CASE("an untimed transfer passes at once and leaves no trace", "[memory]") {
  Bench b{2};
  b.memory.set_untimed(true);
  b.read(b.base[0], 1 << 20, 1);
  b.read(b.base[1], 1 << 20, 2);
  CHECK(b.run() == std::vector<Passed>{{0, 1, 0}, {0, 2, 0}});
  CHECK(b.memory.traffic(0).l2_read == 0);
  CHECK(b.memory.scalar_latency(0, b.base[0], false) == 0);
}

TEST_CASE("scalar accesses see L2 and the link, by cache lines", "[memory]") {
  Bench b{2};
  CHECK(b.memory.scalar_latency(0, b.base[0] + 60, false) == 200);
  CHECK(b.memory.scalar_latency(0, b.base[0], false) == 100);
  CHECK(b.memory.scalar_latency(0, b.base[0] + 4096, true) == 50);
  CHECK(b.memory.scalar_latency(0, b.base[0] + 4096, false) == 100);
  CHECK(b.memory.scalar_latency(0, b.base[1], true) == 1000);
  CHECK(b.memory.scalar_latency(1, b.base[1], false) == 100);
  CHECK(b.memory.links()[0].bytes == 64);
  CHECK(b.memory.traffic(0).hbm_read == 64);
}

TEST_CASE("every byte is counted once, and no bus passes more than its capacity", "[memory]") {
  Bench b;
  std::uint64_t read_bytes = 0, written = 0;
  for (std::uint32_t i = 0; i < 300; ++i) {
    const std::uint32_t bytes = 1 + i * 977 % 9000;
    const std::uint64_t address = b.base[0] + i * 7919ull % 500'000;
    if (i % 3 == 0) {
      b.write(address, bytes, i);
      written += bytes;
    } else {
      b.read(address, bytes, i);
      read_bytes += bytes;
    }
  }
  const auto passed = b.run();
  CHECK(passed.size() == 300);
  const MemoryTraffic t = b.memory.traffic(0);
  CHECK(t.l2_read == read_bytes);
  CHECK(t.l2_write == written);
  CHECK(t.hbm_read == t.l2_read - t.l2_hit);
  CHECK(t.hbm_write > 0);
  CHECK(static_cast<double>(passed.back().cycle) >= static_cast<double>(t.hbm_read) / 64);
}

}  // namespace npu::model
