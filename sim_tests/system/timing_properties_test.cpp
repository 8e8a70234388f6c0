// What must hold of the times of any in-order kernel on any machine: streaming programs of random shapes, each run as a
// process of its own.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "model/config/machine.hpp"
#include "sim_tests/support/temporary_directory.hpp"
#include "sim_tests/system/npusim_process.hpp"

namespace npu::test {
namespace {

constexpr std::uint32_t kTensorCols = 2048, kTensorRows = 4096;

/// Every block loads `steps` tiles of a band of its own into UB, adds 1 and, where `stores`, stores them.
struct Stream {
  std::uint32_t rows = 8, cols = 256, steps = 16, blocks = 4;
  bool stores = true;
  [[nodiscard]] double bytes() const { return 4.0 * rows * cols * steps * blocks; }
  [[nodiscard]] std::string program() const {
    const std::uint32_t pitch = 4 * kTensorCols, band = kTensorRows / 16;
    std::string text = fmt::format(
        ".kernel stream\n.arg x in f32\n.arg y out f32\n.vector\n.tile a ub f32 nd {0}x{1}\n"
        ".tile b ub f32 nd {0}x{1} offset={2}\n.gm gx f32 nd base=r1 pitch={3}\n.gm gy f32 nd base=r2 pitch={3}\n"
        "  ldarg r1, 0\n  ldarg r2, 1\n  ldspr.block_idx r3\n  muli r3, r3, {4}\n  add r1, r1, r3\n  add r2, r2, r3\n"
        "  li r4, {5}\n  set_flag v, mte2, 0\n  set_flag mte3, v, 0\nnext:\n"
        "  wait_flag v, mte2, 0\n  tload a, gx\n  set_flag mte2, v, 0\n  wait_flag mte2, v, 0\n"
        "  wait_flag mte3, v, 0\n  tadds b, a, 1\n  set_flag v, mte2, 0\n  set_flag v, mte3, 0\n"
        "  wait_flag v, mte3, 0\n",
        rows, cols, rows * cols * 4, pitch, band * pitch, steps);
    if (stores) text += "  tstore gy, b\n";
    text += fmt::format(
        "  set_flag mte3, v, 0\n  addi r1, r1, {0}\n  addi r2, r2, {0}\n  addi r4, r4, -1\n  brcmp.gt r4, r0, next\n"
        "  wait_flag v, mte2, 0\n  wait_flag mte3, v, 0\n  halt\n",
        rows * pitch);
    return text;
  }
};

nlohmann::json run(const Stream& stream, const std::string& overrides = {}) {
  const TemporaryDirectory directory;
  const std::string tensor = fmt::format("=f32:{}x{}", kTensorRows, kTensorCols);
  const Outcome outcome = npusim(fmt::format("run {} --args x{} --args y{} --blocks {} --mode timing --out {}{}",
                                             directory.write("stream.npu", stream.program()), tensor, tensor,
                                             stream.blocks, directory.file("out"), overrides));
  INFO(outcome.text);
  REQUIRE(outcome.status == 0);
  std::ifstream file{directory.file("out/summary.json")};
  return nlohmann::json::parse(file);
}
double task_us(const Stream& stream, const std::string& overrides = {}) {
  return run(stream, overrides)["kernel"]["task_us"].get<double>();
}

std::vector<Stream> random_streams() {
  std::mt19937 random{20};
  const auto one_of = [&](std::initializer_list<std::uint32_t> values) {
    return *(values.begin() + random() % values.size());
  };
  std::vector<Stream> streams;
  for (int i = 0; i < 6; ++i) {
    streams.push_back({.rows = one_of({1, 4, 8, 16}),
                       .cols = one_of({64, 256, 1000, 1024}),
                       .steps = one_of({8, 16}),
                       .blocks = one_of({1, 4, 16}),
                       .stores = i % 2 == 0});
  }
  return streams;
}

TEST_CASE("no kernel is faster than what it moves allows") {
  const model::Machine machine = model::load_machine("a2a3", {});
  const double hbm = machine.params.memory.hbm_read_gb_per_s * 1000;  // bytes per microsecond
  const double port = machine.params.core.mte2_ub_bytes_per_cycle * machine.params.clock.core_mhz;
  for (const Stream& stream : random_streams()) {
    const double time = task_us(stream);
    CHECK(time >= stream.bytes() / hbm);
    CHECK(time >= stream.bytes() / stream.blocks / port);
  }
}

TEST_CASE("more bandwidth, deeper buffers, a larger cache or a faster clock slow no in-order kernel down") {
  for (const Stream& stream : random_streams()) {
    const double base = task_us(stream);
    for (const char* more : {"memory.hbm_read_gb_per_s=3100", "memory.l2_read_gb_per_s=12000",
                             "memory.l2_write_gb_per_s=7600", "core.mte2_requests=216", "core.queue_depth=64",
                             "memory.l2_mib=384", "core.clock_mhz=2400", "core.mte3_bytes_per_cycle=64"}) {
      INFO(more << ", " << stream.rows << "x" << stream.cols << " in " << stream.blocks << " blocks");
      CHECK(task_us(stream, fmt::format(" --set {}", more)) <= base * 1.001);
    }
  }
}

TEST_CASE("twice the work of a streaming kernel takes twice the time within the fixed costs") {
  for (Stream stream : random_streams()) {
    stream.steps = 16;
    if (stream.rows * stream.steps * 4 > kTensorRows / 16) stream.rows = 4;
    std::vector<double> times;
    for (const std::uint32_t factor : {1u, 2u, 4u}) {
      Stream longer = stream;
      longer.steps *= factor;
      times.push_back(task_us(longer));
    }
    INFO(times[0] << " " << times[1] << " " << times[2]);
    CHECK((times[2] - times[1]) == Approx(2 * (times[1] - times[0])).epsilon(0.1));
    CHECK(times[1] < 2 * times[0]);
  }
}

}  // namespace
}  // namespace npu::test
