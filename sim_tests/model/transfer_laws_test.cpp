// The laws of loads and stores on the round numbers of test_params(); each sum stands beside its case.
#include "model/timing/transfer_laws.hpp"

#include <catch2/catch.hpp>

#include "sim_tests/support/test_machine.hpp"

namespace npu::model {
namespace {

using isa::Space;

const Params kParams = test::test_params();
constexpr std::uint32_t kRequest = 512;

Rows strided(std::uint32_t lines, std::uint32_t bytes, std::int64_t pitch, std::uint64_t address = 0) {
  return {.address = address, .lines = lines, .line_bytes = bytes, .pitch = pitch};
}
double l1_cycles(const Rows& rows) { return load_cost(kParams.core, kParams.memory, Space::L1, rows).port; }
double ub_cycles(const Rows& rows) { return load_cost(kParams.core, kParams.memory, Space::UB, rows).port; }

TEST_CASE("a row needs a request per 512 bytes that it touches", "[laws]") {
  CHECK(requests_per_row(strided(16, 512, 1024), kRequest) == 1);
  CHECK(requests_per_row(strided(16, 512, 1024, 100), kRequest) == 2);  // every row begins at byte 100 of a request
  CHECK(requests_per_row(strided(16, 2048, 4096), kRequest) == 4);
  CHECK(requests_per_row(strided(16, 128, 4096, 384), kRequest) == 1);
  CHECK(requests_per_row(strided(1, 512, 512, 1), kRequest) == 2);
  CHECK(requests_per_row(strided(16, 512, 768), kRequest) == Approx(1.5));   // aligned, not aligned, aligned, ...
  CHECK(requests_per_row(strided(16, 512, 640), kRequest) == Approx(1.75));  // one row of four is aligned
  CHECK(requests_per_row(strided(16, 2048, 24'574), kRequest) == Approx(4 + 255. / 256));
}

TEST_CASE("the mean over the rows is what counting them one by one gives", "[laws]") {
  for (const std::uint32_t bytes : {32u, 100u, 512u, 1000u, 2048u}) {
    for (const std::int64_t pitch : {2050, 2080, 2176, 2304, 2560, 24'574}) {
      constexpr std::uint32_t kPeriod = 512;  // rows after which any pitch comes back to the same byte of a request
      double touched = 0;
      for (std::uint64_t i = 0; i < kPeriod; ++i) {
        const std::uint64_t begin = 96 + i * static_cast<std::uint64_t>(pitch);
        touched += static_cast<double>((begin + bytes - 1) / kRequest - begin / kRequest + 1);
      }
      INFO(bytes << " bytes every " << pitch);
      CHECK(requests_per_row(strided(kPeriod, bytes, pitch, 96), kRequest) == Approx(touched / kPeriod));
    }
  }
}

TEST_CASE("adjacent rows never pay for where they begin", "[laws]") {
  CHECK(requests_per_row(strided(16, 256, 256), kRequest) == 1);
  CHECK(requests_per_row(strided(16, 254, 254, 2), kRequest) == 1);
  CHECK(load_cost(kParams.core, kParams.memory, Space::L1, strided(16, 254, 254)).bus_factor == 1);
}

TEST_CASE("a load into L1 pays for its rows, one by one", "[laws]") {
  CHECK(l1_cycles(strided(1, 512, 512)) == Approx(20));     // gap 10 + 2 + 512 / 64
  CHECK(l1_cycles(strided(16, 512, 1024)) == Approx(170));  // 10 + 16 * (2 + 8)
  CHECK(l1_cycles(strided(16, 512, 512)) == Approx(170));   // adjacent or not
  CHECK(l1_cycles(strided(16, 64, 1024)) == Approx(26));    // 10 + 16 * 1: no more than the width of the port
}

TEST_CASE("a load into UB pays for its bytes, or for rows shorter than the row time", "[laws]") {
  CHECK(ub_cycles(strided(16, 512, 512)) == Approx(138));   // 10 + 8192 / 64
  CHECK(ub_cycles(strided(16, 512, 1024)) == Approx(138));  // 10 + 16 * 8
  CHECK(ub_cycles(strided(16, 64, 512)) == Approx(42));     // 10 + 16 * max(1, 2)
  CHECK(ub_cycles(strided(16, 64, 64)) == Approx(26));      // 10 + 1024 / 64: adjacent rows are one piece
}

TEST_CASE("on the bus a request has an overhead, and a row that touches one more a whole request's time", "[laws]") {
  Params p = kParams;
  p.memory.hbm_l1_request_bytes = 64;
  p.memory.hbm_ub_request_bytes = 32;
  const auto factor = [&](Space to, const Rows& rows) { return load_cost(p.core, p.memory, to, rows).bus_factor; };
  CHECK(factor(Space::L1, strided(16, 512, 1024)) == Approx(576. / 512));
  CHECK(factor(Space::UB, strided(16, 2048, 4096)) == Approx(2176. / 2048));  // four requests
  CHECK(factor(Space::UB, strided(16, 2048, 2048)) == 1);                     // one piece
  CHECK(factor(Space::L1, strided(16, 128, 1024)) == Approx(192. / 128));
  CHECK(factor(Space::L1, strided(16, 512, 1024, 2)) == Approx((512 + 512 + 128) / 512.));  // two requests each
}

TEST_CASE("rows in one request are answered one after the other, and so are loads of the same rows", "[laws]") {
  Params p = kParams;
  p.memory.same_address_cycles = 10;
  const auto answer = [&](const Rows& rows, bool hit, std::uint32_t others) {
    return answer_cycles(p.memory, load_cost(p.core, p.memory, Space::L1, rows), hit, others);
  };
  CHECK(answer(strided(16, 512, 1024), true, 0) == 100);
  CHECK(answer(strided(16, 512, 1024), false, 3) == 200 + 30);
  CHECK(answer(strided(64, 32, 32), true, 0) == 100 + 150);  // 16 rows of 32 bytes in a request
  CHECK(answer(strided(4, 32, 32), true, 0) == 100 + 30);
  CHECK(answer(strided(16, 128, 1024), true, 0) == 100);
}

TEST_CASE("loads that follow one another get one request per latency and place in the window", "[laws]") {
  RequestWindow window;
  const TransferCost load{.port = 64, .pace = 1, .requests = 64};
  // 16 places, 160 cycles: one request per 10 cycles, the first 16 a cycle each.
  CHECK(window.pass(1000, load, 160, 16) == Approx(640 - (160 - 16)));
  CHECK(window.pass(1496, load, 160, 16) == Approx(640));  // right behind the first
  CHECK(window.pass(9000, load, 160, 16) == Approx(640 - 144));
  CHECK(RequestWindow{}.pass(0, load, 160, 64) == Approx(64));  // all of them fit
}

TEST_CASE("a store from UB pays for its bytes, a cycle at least; accumulators leave at the slower of read and write",
          "[laws]") {
  CHECK(mte3_port_cycles(kParams.core, 4096) == Approx(64));  // 4096 / 64
  CHECK(mte3_port_cycles(kParams.core, 4) == Approx(1));
  CHECK(fix_port_cycles(kParams.core, 4096, 1024) == Approx(30 + 32));  // max(4096 / 128, 1024 / 64)
  CHECK(fix_port_cycles(kParams.core, 4096, 4096) == Approx(30 + 64));  // 4096 / 64
}

TEST_CASE("more requests under way, a wider port or a shorter latency never make a load later", "[laws][property]") {
  for (const double requests : {1., 16., 64., 300.}) {
    for (const double per_request : {0.5, 1., 4.}) {
      const auto there = [&](double latency, std::uint32_t limit, double pace) {
        RequestWindow window;
        const TransferCost load{.port = 20 + requests * pace, .pace = pace, .requests = requests};
        double end = 0;
        for (int i = 0; i < 3; ++i) {  // each when the one before has passed
          const auto start = static_cast<std::uint64_t>(end + 0.5);
          end = static_cast<double>(start) + window.pass(start, load, latency, limit);
        }
        return end + latency;
      };
      for (const double latency : {100., 350., 550.}) {
        for (const std::uint32_t limit : {8u, 64u, 108u, 500u}) {
          const double base = there(latency, limit, per_request);
          INFO(requests << " requests, " << per_request << " each, latency " << latency << ", limit " << limit);
          CHECK(there(latency, 2 * limit, per_request) <= base + 1.5);
          CHECK(there(latency, limit, per_request / 2) <= base + 1.5);
          CHECK(there(latency / 2, limit, per_request) <= base + 1.5);
        }
      }
    }
  }
}

}  // namespace
}  // namespace npu::model
