// Every pair of places, every mover and both kinds of core: the verifier refuses the move, or the data arrives.
#include <catch2/catch.hpp>
#include <map>

#include "isa/arch_spec.hpp"
#include "isa/instructions/instruction_table.hpp"
#include "isa/text/assembler.hpp"
#include "isa/verifier.hpp"
#include "sim_tests/support/kernel_bench.hpp"
#include "sim_tests/support/test_machine.hpp"

namespace npu {
namespace {

using namespace isa;

constexpr std::size_t kEdge = 16;

struct Path {
  CoreKind core;
  Opcode mover;
  Place from, to;
  auto operator<=>(const Path&) const = default;
};

std::string text_of(const Path& path) {
  return fmt::format("{} from {} to {} on an {} core", op_info(path.mover).mnemonic, name_of(path.from),
                     name_of(path.to), name_of(path.core));
}

/// What the move is followed by, so that y shows what arrived, and what y is then.
struct Walk {
  std::string code;
  bool first_row = false;  ///< every row of y is the first row of x; else y is x
};

const std::string kCubeStart = R"(
.cube
.tile x_l1 l1 f32 nz 16x16
.tile eye_l1 l1 f32 nz 16x16 offset=1024
.tile zero_l1 l1 f32 nz 16x16 offset=2048
.tile row_l1 l1 f32 nd 1x16 offset=3072
.tile out_l1 l1 f32 nz 16x16 offset=4096
.tile left l0a f32 zz 16x16
.tile right l0b f32 zn 16x16
.tile bias bt f32 nd 1x16
.tile acc l0c f32 nz 16x16
.gm x f32 nd base=r1 pitch=64
.gm eye f32 nd base=r2 pitch=64
.gm zero f32 nd base=r3 pitch=64
.gm y f32 nd base=r4 pitch=64
  ldarg r1, 0
  ldarg r2, 1
  ldarg r3, 2
  ldarg r4, 3
  tload x_l1, x
  tload eye_l1, eye
  tload zero_l1, zero
  tload row_l1, x
)";
const std::string kLoaded = "  set_flag mte2, mte1, 0\n  wait_flag mte2, mte1, 0\n";
const std::string kMultiply =
    "  set_flag mte1, m, 0\n  wait_flag mte1, m, 0\n  tmatmul acc, left, right\n"
    "  set_flag m, fix, 0\n  wait_flag m, fix, 0\n";
const std::string kStoreAcc = "  tstore y, acc\n";
const std::string kVectorStart = R"(
.vector
.tile t ub f32 nd 16x16
.tile u ub f32 nd 16x16 offset=1024
.gm x f32 nd base=r1 pitch=64
.gm y f32 nd base=r4 pitch=64
  ldarg r1, 0
  ldarg r4, 3
  tload t, x
)";

std::map<Path, Walk> walks() {
  using enum Place;
  using enum Opcode;
  constexpr CoreKind kCube = CoreKind::AIC, kVector = CoreKind::AIV;
  const std::string to_left = "  tmov left, x_l1\n  tmov right, eye_l1\n",
                    to_right = "  tmov left, eye_l1\n  tmov right, x_l1\n",
                    stored = "  set_flag mte2, mte3, 0\n  wait_flag mte2, mte3, 0\n";
  const Walk l1{kCubeStart + stored + "  tstore y, x_l1\n"},
      left{kCubeStart + kLoaded + to_left + kMultiply + kStoreAcc}, ub{kVectorStart + stored + "  tstore y, t\n"};
  return {
      {{kCube, TLoad, Gm, L1}, l1},
      {{kCube, TStore, L1, Gm}, l1},
      {{kCube, TMov, L1, L0A}, left},
      {{kCube, TStore, L0C, Gm}, left},
      {{kCube, TMov, L1, L0B}, {kCubeStart + kLoaded + to_right + kMultiply + kStoreAcc}},
      {{kCube, TExtract, L1, L0A},
       {kCubeStart + kLoaded + "  textract left, x_l1, r0, r0\n  tmov right, eye_l1\n" + kMultiply + kStoreAcc}},
      {{kCube, TExtract, L1, L0B},
       {kCubeStart + kLoaded + "  tmov left, eye_l1\n  textract right, x_l1, r0, r0\n" + kMultiply + kStoreAcc}},
      {{kCube, TMov, L1, BT},
       {kCubeStart + kLoaded +
            "  tmov left, zero_l1\n  tmov right, eye_l1\n  tmov bias, row_l1\n"
            "  set_flag mte1, m, 0\n  wait_flag mte1, m, 0\n  tmatmul.bias acc, left, right, bias\n"
            "  set_flag m, fix, 0\n  wait_flag m, fix, 0\n" +
            kStoreAcc,
        true}},
      {{kCube, TMov, L0C, L1},
       {kCubeStart + kLoaded + to_left + kMultiply +
        "  tmov out_l1, acc\n  set_flag fix, mte3, 0\n  wait_flag fix, mte3, 0\n  tstore y, out_l1\n"}},
      {{kVector, TLoad, Gm, UB}, ub},
      {{kVector, TStore, UB, Gm}, ub},
      {{kVector, TMov, UB, UB},
       {kVectorStart + "  set_flag mte2, v, 0\n  wait_flag mte2, v, 0\n  tmov u, t\n"
                       "  set_flag v, mte3, 0\n  wait_flag v, mte3, 0\n  tstore y, u\n"}},
  };
}

KernelObject kernel_of(const Walk& walk) {
  return assemble(
      ".kernel walk\n.arg x in f32\n.arg eye in f32\n.arg zero in f32\n.arg y out f32\n" + walk.code + "  halt\n",
      "walk.npu");
}

/// One move between tiles of 16 x 16 floats.
Program move_of(const Path& path) {
  constexpr std::array<Layout, kSpaceCount> kLayouts{Layout::NZ, Layout::ZZ, Layout::ZN,
                                                     Layout::NZ, Layout::ND, Layout::ND};
  Program program;
  program.name = "move";
  program.kind = path.core;
  const auto tile = [&](Place place) {
    Layout layout = kLayouts[index_of(place)];
    if (path.to == Place::BT) layout = Layout::ND;  // a bias is not a matrix operand
    program.tiles.push_back({.space = static_cast<Space>(place),
                             .layout = layout,
                             .pitch = 64,
                             .rows = kEdge,
                             .cols = kEdge,
                             .valid_rows = kEdge,
                             .valid_cols = kEdge});
    program.tile_names.push_back(fmt::format("t{}", program.tiles.size()));
    return static_cast<std::uint16_t>(program.tiles.size() - 1);
  };
  program.gms.push_back({.base_reg = 1, .pitch = 64});
  Instruction move{.opcode = path.mover};
  if (path.mover == Opcode::TLoad || path.mover == Opcode::TStore) {
    move.t0 = tile(path.mover == Opcode::TLoad ? path.to : path.from);
    move.t1 = 0;
  } else {
    move.t0 = tile(path.to);
    move.t1 = tile(path.from);
  }
  program.code = {move, {.opcode = Opcode::Halt}};
  return program;
}

/// Every move that an instruction can spell.
std::vector<Path> spelled_moves() {
  std::vector<Path> moves;
  for (const CoreKind core : {CoreKind::AIC, CoreKind::AIV}) {
    for (std::size_t a = 0; a < kSpaceCount; ++a) {
      const auto space = static_cast<Place>(a);
      moves.push_back({core, Opcode::TLoad, Place::Gm, space});
      moves.push_back({core, Opcode::TStore, space, Place::Gm});
      for (std::size_t b = 0; b < kSpaceCount; ++b) {
        for (const Opcode mover : {Opcode::TMov, Opcode::TExtract})
          moves.push_back({core, mover, space, static_cast<Place>(b)});
      }
    }
  }
  return moves;
}

TEST_CASE("a move is refused unless it is one of the walked data paths", "[paths]") {
  const auto legal = walks();
  std::size_t accepted = 0;
  for (const Path& path : spelled_moves()) {
    INFO(text_of(path));
    const std::vector<Finding> findings = verify(move_of(path), a2a3_arch_spec());
    for (const Finding& finding : findings) UNSCOPED_INFO(to_string(finding));
    CHECK(findings.empty() == legal.contains(path));
    if (findings.empty()) ++accepted;
  }
  CHECK(accepted == legal.size());
}

TEST_CASE("on every data path the data arrives", "[paths][core]") {
  test::KernelBench bench{test::test_machine(), 1, nullptr};
  std::vector<float> x(kEdge * kEdge), eye(kEdge * kEdge), first_rows;
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 1.0F + static_cast<float>(i);
  for (std::size_t i = 0; i < kEdge; ++i) eye[i * kEdge + i] = 1.0F;
  for (std::size_t i = 0; i < kEdge; ++i) first_rows.insert(first_rows.end(), x.begin(), x.begin() + kEdge);
  bench.bind("x", x);
  bench.bind("eye", eye);
  bench.bind("zero", std::vector<float>(kEdge * kEdge));
  for (const auto& [path, walk] : walks()) {
    INFO(text_of(path));
    kernels::Kernel kernel{.object = kernel_of(walk), .memory_map = {}};
    require_legal(kernel.object, a2a3_arch_spec());
    bench.bind("y", std::vector<float>(kEdge * kEdge));
    bench.run(kernel);
    CHECK(bench.read<float>("y") == (walk.first_row ? first_rows : x));
  }
}

TEST_CASE("every flag id that the verifier accepts can be used on a core", "[paths][core]") {
  const model::Machine machine = test::test_machine();
  test::KernelBench bench{machine, 1, nullptr};
  std::string code =
      ".kernel flags\n.arg x in f32\n.cube\n.tile t l1 f32 nd 1x16\n.gm g f32 nd base=r1 pitch=64\n  ldarg r1, 0\n"
      "  tload t, g\n";
  for (std::uint32_t id = 0; id < machine.arch.cross_flags; ++id) code += fmt::format("  set_cross mte2, {}\n", id);
  for (std::uint32_t id = 0; id < machine.arch.flags_per_pair; ++id)
    code += fmt::format("  set_flag mte2, mte1, {}\n  wait_flag mte2, mte1, {}\n", id, id);
  code += "  halt\n.vector\n";
  for (std::uint32_t id = 0; id < machine.arch.cross_flags; ++id) code += fmt::format("  wait_cross {}\n", id);
  kernels::Kernel kernel{.object = assemble(code + "  halt\n", "flags.npu"), .memory_map = {}};
  require_legal(kernel.object, machine.arch);
  bench.bind("x", std::vector<float>(16));
  CHECK_NOTHROW(bench.run(kernel));
}

}  // namespace
}  // namespace npu
