// Checks on small programs: what is found where an edge is missing, and nothing where it is there.
#include <catch2/catch.hpp>
#include <functional>

#include "isa/builder/kernel_builder.hpp"
#include "model/checks/check_set.hpp"
#include "sim_tests/support/kernel_bench.hpp"
#include "sim_tests/support/test_machine.hpp"

namespace npu {
namespace {

using namespace isa;
using Catch::Matchers::Contains;
using test::KernelBench;

/// y = x + 1; `body` emits loads, work and stores.
using Body = std::function<void(PartBuilder&, const GmTensor&, const GmTensor&)>;

std::vector<model::Finding> findings_of(const std::string& check, const Body& body) {
  const ArchSpec arch = a2a3_arch_spec();
  KernelBuilder k{"probe", arch};
  const auto x = k.input("x", DType::F32, 64);
  const auto y = k.output("y", DType::F32, 64);
  k.vector([&](PartBuilder& p) { body(p, p.tensor(x), p.tensor(y)); });
  const kernels::Kernel kernel = kernels::pack(k, 1);
  model::CheckSet checks{{check}};
  KernelBench bench{test::test_machine(), 1, nullptr, {}, model::Mode::Timed, checks.observers()};
  bench.bind("x", std::vector<float>(64, 1.0F));
  bench.bind("y", std::vector<float>(64));
  bench.run(kernel);
  return checks.findings();
}

/// Load, add, store in two buffers; what is false is left out.
struct Edges {
  bool load_to_vector = true, vector_to_store = true, store_to_load = true, vector_to_load = true;
};
Body pipeline(Edges edges) {
  return [edges](PartBuilder& p, const GmTensor& x, const GmTensor& y) {
    const Tile a = p.ub(DType::F32, 1, 64, "a"), b = p.ub(DType::F32, 1, 64, "b");
    p.tload(a, x.at(0, 0));
    if (edges.load_to_vector) p.sync(Pipe::MTE2, Pipe::V);
    p.vecs(Opcode::TAddS, b, a, 1.0);
    if (edges.vector_to_store) p.sync(Pipe::V, Pipe::MTE3);
    if (edges.vector_to_load) p.sync(Pipe::V, Pipe::MTE2);
    p.tstore(y.at(0, 0), b);
    p.tload(a, x.at(0, 0));
  };
}

TEST_CASE("a program whose pipes are ordered by flags has no race", "[checks]") {
  CHECK(findings_of("race", pipeline({})).empty());
}

TEST_CASE("a load without a flag to the vector pipe races with what reads it", "[checks]") {
  const auto found = findings_of("race", pipeline({.load_to_vector = false}));
  REQUIRE(found.size() == 1);
  CHECK(found[0].check == "race");
  CHECK_THAT(found[0].message, Contains("v reads") && Contains("which mte2 writes too"));
  CHECK_THAT(found[0].remedy, Contains("set_flag mte2, v"));
  CHECK_THAT(found[0].here.instruction, Contains("kernel probe") && Contains("tadds"));
  CHECK_THAT(found[0].other.instruction, Contains("tload"));
}

TEST_CASE("a result that is stored without a flag from the vector pipe races", "[checks]") {
  const auto found = findings_of("race", pipeline({.vector_to_store = false}));
  REQUIRE(found.size() == 1);
  CHECK_THAT(found[0].message, Contains("v writes") && Contains("mte3 reads"));
}

TEST_CASE("a load over data that the vector pipe may still read races, however late it comes", "[checks]") {
  const auto found = findings_of("race", pipeline({.vector_to_load = false}));
  REQUIRE(found.size() == 1);
  CHECK_THAT(found[0].message, Contains("v reads") && Contains("mte2 writes"));
}

/// Stores ones to y, waits for the store or not, and loads them.
Body store_and_load(bool ordered) {
  return [ordered](PartBuilder& p, const GmTensor&, const GmTensor& y) {
    const Tile a = p.ub(DType::F32, 1, 64, "a"), b = p.ub(DType::F32, 1, 64, "b");
    p.texpands(a, 1.0);
    p.sync(Pipe::V, Pipe::MTE3);
    p.tstore(y.at(0, 0), a);
    if (ordered) p.sync(Pipe::MTE3, Pipe::MTE2);
    p.tload(b, y.at(0, 0));
  };
}

TEST_CASE("a load of what the same core has stored needs a flag from the store", "[checks]") {
  const auto found = findings_of("race", store_and_load(false));
  REQUIRE(found.size() == 1);
  CHECK_THAT(found[0].message, Contains("mte3 writes") && Contains("mte2 reads") && Contains("of gm"));
}

TEST_CASE("a load behind the flag of a store has no race", "[checks]") {
  CHECK(findings_of("race", store_and_load(true)).empty());
}

/// The scalar unit reads an element of what was loaded, and writes another.
Body read_element(bool ordered) {
  return [ordered](PartBuilder& p, const GmTensor& x, const GmTensor&) {
    const Tile a = p.ub(DType::F32, 1, 64, "a");
    p.tload(a, x.at(0, 0));
    if (ordered) p.sync(Pipe::MTE2, Pipe::S);
    const Reg value = p.load_tile(a, 0, 0);
    p.store_tile(value, a, 0, 1);
  };
}

TEST_CASE("the scalar unit needs a flag for what a pipe writes", "[checks]") {
  CHECK(findings_of("race", read_element(false)).size() == 2);
}

TEST_CASE("the scalar unit behind a flag, and with what it writes itself, has no race", "[checks]") {
  CHECK(findings_of("race", read_element(true)).empty());
}

/// Adds to 64 elements of which so many were loaded.
Body add_to(std::uint32_t loaded) {
  return [loaded](PartBuilder& p, const GmTensor& x, const GmTensor& y) {
    const Tile a = p.ub(DType::F32, 1, 64, "a"), b = p.ub(DType::F32, 1, 64, "b");
    p.tload(a.valid(1, loaded), x.at(0, 0));
    p.sync(Pipe::MTE2, Pipe::V);
    p.vecs(Opcode::TAddS, b, a, 1.0);
    p.sync(Pipe::V, Pipe::MTE3);
    p.tstore(y.at(0, 0), b);
  };
}

TEST_CASE("bytes that nothing in the block has written are found where they are read", "[checks]") {
  const auto found = findings_of("uninit", add_to(48));
  REQUIRE(found.size() == 1);
  CHECK_THAT(found[0].message, Contains("v reads bytes 0x0 to 0x100 of ub") && Contains("has written 0xc0"));
}

TEST_CASE("bytes that were all loaded are initialised", "[checks]") {
  CHECK(findings_of("uninit", add_to(64)).empty());
}

/// Stores a word through the data cache.
Body store_word(bool clean) {
  return [clean](PartBuilder& p, const GmTensor&, const GmTensor& y) {
    const Reg address = y.address(0, 0);
    p.store_gm(DType::I32, p.imm(5), address);
    if (!clean) return;
    p.dcci(address, 4);
    p.dsb();
  };
}

TEST_CASE("a line that stays dirty in the data cache is found when its block ends", "[checks]") {
  const auto found = findings_of("cache", store_word(false));
  REQUIRE(found.size() == 1);
  CHECK_THAT(found[0].message, Contains("still dirty"));
}

TEST_CASE("a line that is cleaned before its block ends is no finding", "[checks]") {
  CHECK(findings_of("cache", store_word(true)).empty());
}

/// Loads a word, lets a mover write it, and loads it again.
Body load_twice(bool clean) {
  return [clean](PartBuilder& p, const GmTensor&, const GmTensor& y) {
    const Tile a = p.ub(DType::F32, 1, 64, "a");
    const Reg address = y.address(0, 0);
    static_cast<void>(p.load_gm(DType::I32, address));
    p.texpands(a, 1.0);
    p.sync(Pipe::V, Pipe::MTE3);
    p.tstore(y.at(0, 0), a);
    p.sync(Pipe::MTE3, Pipe::S);
    p.barrier_all();
    if (clean) p.dcci(address, 4);
    static_cast<void>(p.load_gm(DType::I32, address));
  };
}

TEST_CASE("a load of a line that a mover has written since it was filled is stale", "[checks]") {
  const auto found = findings_of("cache", load_twice(false));
  REQUIRE(found.size() == 1);
  CHECK_THAT(found[0].message, Contains("what the data cache kept"));
  CHECK_THAT(found[0].other.instruction, Contains("tstore"));
}

TEST_CASE("a load behind dcci is not stale", "[checks]") { CHECK(findings_of("cache", load_twice(true)).empty()); }

/// Stores by a mover and through the cache, and a notify that announces both.
Body announce(bool waits, bool drains) {
  return [=](PartBuilder& p, const GmTensor&, const GmTensor& y) {
    const Tile a = p.ub(DType::F32, 1, 64, "a");
    p.texpands(a, 1.0);
    p.sync(Pipe::V, Pipe::MTE3);
    p.tstore(y.at(0, 0), a);
    const Reg cell = y.address(0, 60), word = y.address(0, 40);
    p.store_gm(DType::I32, p.imm(5), word);
    p.dcci(word, 4);
    if (waits) p.sync(Pipe::MTE3, Pipe::S);
    if (drains) p.dsb();
    p.notify_add(cell, p.imm(1));
  };
}

TEST_CASE("a notify that a store of a mover may be behind is found", "[checks]") {
  const auto found = findings_of("fence", announce(false, true));
  REQUIRE(found.size() == 1);
  CHECK_THAT(found[0].message, Contains("before what mte3 stores"));
}

TEST_CASE("a notify that a written-back line may be behind is found", "[checks]") {
  const auto found = findings_of("fence", announce(true, false));
  REQUIRE(found.size() == 1);
  CHECK_THAT(found[0].remedy, Contains("dsb"));
}

TEST_CASE("a notify behind a flag and a dsb is no finding", "[checks]") {
  CHECK(findings_of("fence", announce(true, true)).empty());
}

}  // namespace
}  // namespace npu
