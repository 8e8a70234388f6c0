#include "kernels/calibration/gemm_allreduce.hpp"

#include <algorithm>
#include <functional>

#include "isa/errors.hpp"
#include "isa/units.hpp"
#include "kernels/calibration/gemm_operands.hpp"
#include "kernels/moe/exchange_links.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

std::uint32_t ceiling(std::uint32_t a, std::uint32_t b) { return static_cast<std::uint32_t>(ceil_div(a, b)); }

struct Arguments {
  TensorArgument c, partial, ready, done;
};

/// The vector core that moves the blocks of its cluster.
class Exchange {
 public:
  Exchange(PartBuilder& part, const GemmPlan& plan, std::uint32_t rows, std::uint32_t cards, const Arguments& arguments)
      : p{part},
        a{arguments},
        cards_{cards},
        rows_{rows},
        cells_{blocks_of_core(plan)},
        cell_{p.imm(0)},
        foreign_{p.imm(0)},
        row_{p.imm(0)},
        height_{p.imm(0)},
        col_{p.imm(0)},
        width_{p.imm(0)},
        load_{p.ring(2, Pipe::MTE2, Pipe::MTE3, {{Space::UB, plan.out, rows, plan.base.n, Layout::ND, "block"}})} {}

  /// This card's part of a block to its owner.
  void take(const Reg& row, const Value& rows, const Value& col, const Value& cols) {
    set(height_, rows);
    set(width_, cols);
    row_.set(row);
    set(col_, col);
    const Reg distance = distance_to(owner_of(cell_));
    move(a.partial, [&](const Reg& at, const Tile& tile) {
      p.tstore_add(ExchangeLinks::at(p.tensor(a.c), at, col_, distance), tile);
    });
    announce(ready_cell(cell_) + distance);
    p.if_(distance != 0, [&] { foreign_ += 1; });
    cell_ += 1;
  }

  /// The sums of the block taken last from its owner to the others.
  void spread() {
    p.if_(cell_ > 0, [&] {
      const Reg to_owner = distance_to(owner_of(cell_ - 1));
      p.if_(to_owner == 0, [&] { send_sums(); });
    });
  }
  /// Waits for the sums of other owners.
  void finish() { p.wait_cell(CompareMode::Ge, done_cell(), foreign_); }

 private:
  static void set(Reg& target, const Value& value) {
    value.reg() != nullptr ? target.set(*value.reg()) : target.set(value.imm());
  }
  // Registers are few: what a scalar instruction or two can tell anew is not kept in one.
  [[nodiscard]] Reg owner_of(const Reg& cell) { return (cell + p.block_index()) % cards_; }
  [[nodiscard]] Reg distance_to(const Reg& card) { return ExchangeLinks{p, cards_}.distance(card); }
  [[nodiscard]] Reg ready_cell(const Reg& cell) {
    return p.tensor(a.ready).address(p.block_index() * cells_ + cell, 0);
  }
  [[nodiscard]] Reg done_cell() { return p.tensor(a.done).address(p.block_index(), 0); }

  /// The block of row_, height_, col_, width_ through UB, `rows_` rows at a time.
  template <class Store>
  void move(TensorArgument from, const Store& store) {
    p.for_range(0, height_, rows_, [&](const Reg& first) {
      const Reg n = min(height_ - first, rows_);
      const Reg at = row_ + first;
      const Tile tile = load_[0].valid(n, width_);
      load_.produce();
      p.tload(tile, p.tensor(from).at(at, col_));
      load_.push();
      load_.consume();
      store(at, tile);
      load_.pop();
    });
  }

  /// Adds 1 to the cell once all that this core has stored is in memory.
  void announce(const Reg& cell) {
    p.barrier_all();
    p.dsb();
    const Reg one = p.imm(1);
    p.notify_add(cell, one);
  }

  void send_sums() {
    {
      const Reg all = p.imm(cards_);
      p.wait_cell(CompareMode::Ge, ready_cell(cell_ - 1), all);
    }
    p.for_range(0, cards_, 1, [&](const Reg& peer) {
      const Reg distance = distance_to(peer);
      p.if_(distance != 0, [&] {
        move(a.c, [&](const Reg& at, const Tile& tile) {
          p.tstore(ExchangeLinks::at(p.tensor(a.c), at, col_, distance), tile);
        });
        announce(done_cell() + distance);
      });
    });
  }

  PartBuilder& p;
  const Arguments& a;
  std::uint32_t cards_, rows_;
  std::uint32_t cells_;  ///< of a core in `ready`
  Reg cell_;             ///< of the next block
  Reg foreign_;          ///< blocks of other owners so far
  Reg row_, height_, col_, width_;
  Ring& load_;
};

}  // namespace

std::uint32_t blocks_of_core(const GemmPlan& plan) {
  if (plan.grid.count() != 0) {
    const std::uint32_t panels = plan.order == GemmPlan::BlockOrder::Swizzle ? 2 : 1;
    const std::uint32_t rows = ceiling(ceiling(ceiling(plan.m, panels), plan.grid.rows), plan.base.m);
    return plan.groups * panels * rows * ceiling(ceiling(plan.n, plan.grid.cols), plan.base.n);
  }
  return ceiling(plan.groups * ceiling(plan.m, plan.base.m) * ceiling(plan.n, plan.base.n), plan.cores);
}

//   cube    block 0 ... | block 1 ...        | block 2 ...        product -> partial
//   vector                add 0              | sums 0, add 1      partial -> owner's c; owner's c -> the others
Kernel gemm_allreduce(const GemmAllreducePlan& wanted, const ArchSpec& arch, std::uint32_t cards) {
  const GemmPlan plan = resolved("gemm-allreduce", wanted.gemm, arch);
  if (plan.split_k > 1) {
    throw config_error(
        "gemm-allreduce: --split-k adds parts in memory, but blocks leave when they are whole; leave it "
        "out");
  }
  // Blocks that the cube core may be ahead of the vector cores, counted by two cross-core flags.
  constexpr std::uint32_t kStored = 0, kTaken = 1;
  const std::uint32_t ahead = arch.cross_flag_limit;
  KernelBuilder k{"gemm_allreduce", arch};
  const auto a = k.input("a", plan.dtype, plan.k);
  const auto b = k.input("b", plan.dtype, plan.weight_order() == WeightOrder::NK ? plan.k : plan.n);
  const Arguments arguments{k.inout("c", plan.out, plan.n), k.inout("partial", plan.out, plan.n),
                            k.inout("ready", DType::I32, 1), k.inout("done", DType::I32, 1)};
  k.cube([&](PartBuilder& p) {
    const GmTensor a_gm = p.tensor(a), b_gm = p.tensor(b), partial_gm = p.tensor(arguments.partial);
    CubeMatmul product{p, plan.shape(), plan.tiling()};
    stagger(p, plan, product);
    for_each_block(p, plan, [&](const GemmBlock& block) {
      const Reg row = row_of(p, plan, block);
      const GmTensor weights = b_of(b_gm, plan, block);
      product.tile(a_gm, row, 0, block.rows, weights, block.col, block.cols, [&](const Tile& acc) {
        p.wait_cross(kTaken);
        p.tstore(partial_gm.at(row, block.col), acc);
        p.set_cross(Pipe::FIX, kStored);
      });
    });
    for (std::uint32_t i = 0; i < ahead; ++i) p.wait_cross(kTaken);
  });
  k.vector([&](PartBuilder& p) {
    for (std::uint32_t i = 0; i < ahead; ++i) p.set_cross(Pipe::MTE2, kTaken);
    Exchange exchange{p, plan, wanted.comm_rows, cards, arguments};
    const auto on_first_core = [&](const std::function<void()>& body) {
      const Reg core = p.special(SpecialReg::SubBlock);
      p.if_(core == 0, body);
    };
    for_each_block(p, plan, [&](const GemmBlock& block) {
      on_first_core([&] { exchange.spread(); });
      p.wait_cross(kStored);
      on_first_core([&] {
        const Reg row = row_of(p, plan, block);
        exchange.take(row, block.rows, block.col, block.cols);
      });
      p.set_cross(Pipe::MTE2, kTaken);
    });
    on_first_core([&] {
      exchange.spread();
      exchange.finish();
    });
  });
  Kernel kernel = pack(k, plan.cores);
  kernel.object.sync_start = true;
  return kernel;
}

}  // namespace npu::kernels
