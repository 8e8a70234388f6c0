#include "orchestration/data/kernel_case.hpp"

#include <catch2/catch.hpp>

#include "isa/errors.hpp"
#include "orchestration/data/safetensors.hpp"
#include "orchestration/report/progress.hpp"
#include "sim_tests/support/temporary_directory.hpp"

namespace npu::orch {
namespace {

using Catch::Matchers::Contains;
using isa::ArgKind;
using isa::DType;

isa::KernelObject kernel_of(DType dtype) {
  isa::KernelObject kernel;
  kernel.name = std::string{"k"};
  kernel.args = {{"a", ArgKind::In, dtype}, {"n", ArgKind::Scalar, DType::I64}, {"b", ArgKind::Out, dtype}};
  return kernel;
}

}  // namespace

TEST_CASE("an argument names a tensor with dtype, shape and start, or a scalar") {
  const ArgumentText tensor = parse_argument("x=bf16:2x16x32:0.5");
  CHECK(tensor.name == "x");
  CHECK(tensor.dtype == DType::BF16);
  CHECK(tensor.shape == Shape{2, 16, 32});
  CHECK(tensor.init == "0.5");
  CHECK_FALSE(tensor.scalar);
  CHECK(parse_argument("n=-3").scalar == -3);
  for (const char* wrong : {"x", "=f32:1", "x=f32", "x=f32:", "x=f32:2y3", "x=f32:2:1:1", "n=1.5", "n="}) {
    CAPTURE(wrong);
    CHECK_THROWS_WITH(parse_argument(wrong), Catch::Contains(wrong) && Catch::Contains("expected NAME=DTYPE"));
  }
}

TEST_CASE("inputs start random, outputs zero, and each start is what its name says") {
  const auto values = make_kernel_values(kernel_of(DType::F32), {"a=f32:4x8", "n=7", "b=f32:4x8"}, "", 2, 1);
  REQUIRE(values.size() == 3);
  CHECK(values[1].scalar == 7);
  REQUIRE(values[0].tensors.size() == 2);
  const auto first = values[0].tensors[0].as<float>(), second = values[0].tensors[1].as<float>();
  CHECK_FALSE(std::equal(first.begin(), first.end(), second.begin()));
  for (const float x : first) CHECK((x >= -1.0F && x < 1.0F));
  for (const float x : values[2].tensors[0].as<float>()) CHECK(x == 0.0F);

  const auto started = make_kernel_values(kernel_of(DType::I8), {"a=i8:3:iota", "n=7", "b=i8:2:-5"}, "", 1, 1);
  const auto counting = started[0].tensors[0].as<std::int8_t>();
  CHECK(std::vector<int>(counting.begin(), counting.end()) == std::vector<int>{0, 1, 2});
  CHECK(started[2].tensors[0].as<std::int8_t>()[1] == -5);
}

TEST_CASE("a data file's tensors belong to arguments, give the shape of outputs, and agree with --args") {
  const test::TemporaryDirectory dir;
  const std::string path = dir.file("f.safetensors");
  const std::vector<float> four{1, 2, 3, 4};
  const auto write = [&](const std::vector<std::string>& names) {
    std::vector<TensorRecord> records;
    for (const std::string& name : names) {
      records.push_back({name, DType::F32, {2, 2}, {std::as_bytes(std::span{four})}});
    }
    write_safetensors(path, {}, records);
  };
  const auto make = [&](const std::vector<std::string>& args) {
    return make_kernel_values(kernel_of(DType::F32), args, path, 1, 0);
  };
  write({"in.a", "out.b"});
  const auto values = make({"n=7"});
  CHECK(values[0].tensors[0].as<float>()[3] == 4.0F);
  CHECK(values[2].tensors[0].shape() == Shape{2, 2});
  CHECK(values[2].tensors[0].as<float>()[3] == 0.0F);
  CHECK(values[2].expected[0].as<float>()[3] == 4.0F);
  CHECK_NOTHROW(make({"n=7", "a=f32:2x2", "b=f32:2x2:1"}));
  CHECK_THROWS_WITH(make({"n=7", "a=f32:4"}), Contains("--args a is [4]") && Contains("in.a of [2, 2]"));
  CHECK_THROWS_WITH(make({"n=7", "a=f32:2x2:zero"}), Contains("--args a starts as zero") && Contains("in.a"));
  CHECK_THROWS_WITH(make({"n=7", "b=f32:4"}), Contains("--args b is [4]") && Contains("out.b of [2, 2]"));
  CHECK_THROWS_WITH(make({}), Contains("argument n has no value") && Contains("--args n=INTEGER"));
  write({"a", "b"});
  CHECK_THROWS_WITH(make({"n=7"}), Contains("tensor 'a'") && Contains("nearest is 'in.a'"));
  write({"in.a", "out.a"});
  CHECK_THROWS_WITH(make({"n=7", "b=f32:1"}), Contains("tensor 'out.a'"));
  write({"in.a", "in.n"});
  CHECK_THROWS_WITH(make({"n=7", "b=f32:1"}), Contains("tensor 'in.n'"));
  write({"in.a"});
  CHECK_THROWS_WITH(make({"n=7"}), Contains("argument b has no value") && Contains("out.b"));
}

TEST_CASE("equal seeds give equal inputs, integers stay small") {
  const auto make = [](std::uint64_t seed) {
    const auto values = make_kernel_values(kernel_of(DType::I32), {"a=i32:64", "n=0", "b=i32:1"}, "", 1, seed);
    const auto elements = values[0].tensors[0].as<std::int32_t>();
    return std::vector<std::int32_t>(elements.begin(), elements.end());
  };
  CHECK(make(3) == make(3));
  CHECK(make(3) != make(4));
  for (const std::int32_t x : make(3)) CHECK((x >= -8 && x <= 8));
}

TEST_CASE("a start that the dtype does not hold is refused") {
  const auto start = [](const std::string& a) {
    return make_kernel_values(kernel_of(DType::U8), {a, "n=0", "b=u8:1"}, "", 1, 0);
  };
  CHECK_THROWS_AS(start("a=u8:1:256"), ConfigError);
  CHECK_THROWS_AS(start("a=u8:1:-1"), ConfigError);
  CHECK_THROWS_AS(start("a=u8:1:0.5"), ConfigError);
  CHECK_THROWS_AS(start("a=u8:300:iota"), ConfigError);
  CHECK_NOTHROW(start("a=u8:256:iota"));
}

TEST_CASE("the tensors of --args have to fit into the memory of a card together") {
  CHECK_NOTHROW(require_room({"a=u8:1x60", "n=5", "b=u8:1x40"}, isa::Bytes{100}));
  CHECK_THROWS_WITH(
      require_room({"a=u8:1x60", "n=5", "b=u8:1x41"}, isa::Bytes{100}),
      Catch::Contains("--args b") && Catch::Contains("needs 41 bytes") && Catch::Contains("40 of 100 bytes"));
  CHECK_THROWS_AS(require_room({"a=i64:4294967296x268435456"}, isa::Bytes{100}), ConfigError);
}

TEST_CASE("progress gives the share of tasks, the simulated time and an estimate of the rest") {
  CHECK(progress_text({.simulated_us = 310.21, .tasks_done = 10}, 40, 3.0) ==
        "25 % of 40 tasks, 310.2 us simulated, about 9 s left");
  CHECK(progress_text({.simulated_us = 1.0, .tasks_done = 0}, 40, 3.0) == "0 % of 40 tasks, 1.0 us simulated");
}

}  // namespace npu::orch
