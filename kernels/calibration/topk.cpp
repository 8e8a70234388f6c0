#include "kernels/calibration/topk.hpp"

#include <algorithm>

#include "isa/errors.hpp"
#include "isa/shape_rules.hpp"
#include "isa/units.hpp"
#include "kernels/common/pair_sort.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

constexpr std::uint32_t kRowsAtOnce = 2;
constexpr std::uint8_t kEvenLanes = 0, kOddLanes = 1;  // values and places of pairs

void check(const TopkPlan& plan) {
  if (plan.dtype != DType::F32) {
    throw config_error("topk: not modelled: --dtype {} (sort instructions take f32); say f32", name_of(plan.dtype));
  }
  if (plan.valid > plan.cols) {
    throw config_error("topk: --valid {} exceeds --cols {}; choose at most that", plan.valid, plan.cols);
  }
  if (plan.k > plan.valid) {
    throw config_error("topk: --k {} exceeds --valid {}; choose at most that", plan.k, plan.valid);
  }
  constexpr std::uint32_t kMost = kSortBlock * kMaxSortRepeat;
  if (plan.valid > kMost) {
    throw config_error("topk: --valid {} exceeds the {} columns that one instruction sorts", plan.valid, kMost);
  }
}

/// Sorts pairs [1, 2 * width] in `row`; `other` is as large. Every merge is copied back, so that the rows of a step
/// share one scratch row.
void merge_row(PartBuilder& p, const Tile& row, const Tile& other, std::uint32_t width) {
  for (std::uint32_t run = PairSort::kRun; run < width; run *= 4) {
    p.tmrgsort(other, row, run);
    p.tmov(row, other);
  }
}

/// Every slot holds what sorts last; loads of cut rows leave the end of it.
void fill(PartBuilder& p, Ring& ring, std::uint32_t slots) {
  for (std::uint32_t slot = 0; slot < slots; ++slot) {
    ring.produce();
    ring.push();
    ring.consume();
    p.texpands(ring[0], PairSort::kLast);
    ring.pop();
  }
}

}  // namespace

//   MTE2   rows 0 | rows 1 | ...                                   (two steps in flight)
//   V               sort, merge, values, places 0 | 1 | ...
//   MTE3                                            values, places 0 | ...
Kernel topk(const TopkPlan& plan, const ArchSpec& arch) {
  check(plan);
  const std::uint32_t cores = cores_of("topk", plan.cores, arch.vector_cores(), "vector");
  const std::uint32_t width = PairSort::padded(plan.valid);
  KernelBuilder k{"topk", arch};
  const auto x = k.input("x", plan.dtype, plan.cols);
  const auto index = k.input("index", DType::I32, plan.valid);
  const auto value = k.output("value", plan.dtype, plan.k);
  const auto place = k.output("place", DType::I32, plan.k);
  k.vector([&](PartBuilder& p) {
    const GmTensor x_gm = p.tensor(x), index_gm = p.tensor(index);
    const GmTensor value_gm = p.tensor(value), place_gm = p.tensor(place);
    const Tile places = p.ub(DType::I32, 1, width, "index");
    const Tile pairs = p.ub(DType::F32, kRowsAtOnce, 2 * width, "pairs");
    const Tile merged = p.ub(DType::F32, 1, 2 * width, "merged");
    Ring& load = p.ring(2, Pipe::MTE2, Pipe::V, {{Space::UB, DType::F32, kRowsAtOnce, width, Layout::ND, "x"}});
    Ring& store = p.ring(2, Pipe::V, Pipe::MTE3,
                         {{Space::UB, DType::F32, kRowsAtOnce, plan.k, Layout::ND, "value"},
                          {Space::UB, DType::I32, kRowsAtOnce, plan.k, Layout::ND, "place"}});
    p.texpands(places, -1);
    p.sync(Pipe::V, Pipe::MTE2);
    p.tload(places.valid(1, plan.valid), index_gm.at(0, 0));
    p.sync(Pipe::MTE2, Pipe::V);
    if (plan.valid < width) fill(p, load, 2);
    const auto per_core = static_cast<std::uint32_t>(ceil_div(plan.rows, cores));
    const Reg first = p.block_index() * per_core;
    const Reg last = min(first + per_core, plan.rows);
    p.for_range(first, last, kRowsAtOnce, [&](const Reg& row) {
      const Reg n = min(last - row, kRowsAtOnce);
      load.produce();
      p.tload(load[0].valid(n, plan.valid), x_gm.at(row, 0));  // (n, valid) f32
      load.push();
      load.consume();
      for (std::uint32_t i = 0; i < kRowsAtOnce; ++i) {
        p.vec(Opcode::TSort32, pairs.view(i, 0, 1, 2 * width), load[0].view(i, 0, 1, width), places);
      }
      load.pop();
      store.produce();
      for (std::uint32_t i = 0; i < kRowsAtOnce; ++i) {
        const Tile sorted = pairs.view(i, 0, 1, 2 * width);
        merge_row(p, sorted, merged, width);
        const Tile best = sorted.valid(1, 2 * plan.k);
        const Tile bits = sorted.reshape(DType::I32, 1, 2 * width, Layout::ND).valid(1, 2 * plan.k);
        p.tgather_mask(store[0].view(i, 0, 1, plan.k), best, kEvenLanes);
        p.tgather_mask(store[1].view(i, 0, 1, plan.k), bits, kOddLanes);
      }
      store.push();
      store.consume();
      p.tstore(value_gm.at(row, 0), store[0].valid(n, plan.k));  // (n, k) f32
      p.tstore(place_gm.at(row, 0), store[1].valid(n, plan.k));  // (n, k) i32
      store.pop();
    });
  });
  return pack(k, cores);
}

}  // namespace npu::kernels
