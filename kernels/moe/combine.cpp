#include "kernels/moe/combine.hpp"

#include <algorithm>

#include "isa/units.hpp"
#include "kernels/common/row_split.hpp"
#include "kernels/moe/exchange_links.hpp"

namespace npu::kernels {

using namespace isa;
using Cards = ExchangeLinks::Cards;

//   expert   slots 0 .. | rows of rank 0 | rows of rank 1 | ... | recv_count
//   MTE2     row | row | row ...             4 rows in flight
//   MTE3         | row -> its source rank
Kernel combine_push(const LayerConfig& c, const ArchSpec& arch) {
  const std::uint32_t blocks = std::min(c.local_experts, arch.vector_cores());
  KernelBuilder k{"combine_push", arch};
  const auto y = k.input("y", DType::BF16, c.hidden);
  const auto recv_route = k.input("recv_route", DType::I32, 1);
  const auto counts_of_all = k.input("counts", DType::I32, c.local_experts);
  const auto win_y = k.inout("win_y", DType::BF16, c.hidden);
  const auto win_combine_done = k.inout("win_combine_done", DType::I32, 1);
  const auto recv_count = k.input("recv_count", DType::I32, 1);
  const auto epoch = k.scalar("epoch");

  k.vector([&](PartBuilder& p) {
    ExchangeLinks links{p, c.ranks};
    const GmTensor y_gm = p.tensor(y), win_y_gm = p.tensor(win_y);
    const Tile table = p.ub(DType::I32, c.ranks * c.ranks, c.local_experts, "counts");
    const Tile counts = p.ub(DType::I32, 1, c.local_experts, "recv_count");
    const Tile routes = p.ub(DType::I32, 1, c.recv_max, "recv_route");
    Ring& rows = p.ring(4, Pipe::MTE2, Pipe::MTE3, {{Space::UB, DType::BF16, 1, c.hidden, Layout::ND, "y_row"}});
    const Reg block = p.block_index();
    p.tload(table, p.tensor(counts_of_all).at(0, 0));
    p.tload(counts, p.tensor(recv_count, c.local_experts).at(0, 0));
    p.for_range(block, c.local_experts, blocks, [&](const Reg& expert) {
      const Reg first_row = expert * c.recv_max;
      p.tload(routes, p.tensor(recv_route, c.recv_max).at(expert, 0));
      p.sync(Pipe::MTE2, Pipe::S);
      const Reg received = p.load_tile(counts, 0, expert);
      Reg slot = p.imm(0), end = p.imm(0);
      p.for_range(0, c.ranks, 1, [&](const Reg& source) {
        const Reg distance = links.distance(source);
        end += p.load_tile(table, source * c.ranks + links.rank(), expert);
        end.set(min(end, received));
        p.while_([&] { return slot < end; },
                 [&] {
                   rows.produce();
                   p.tload(rows[0], y_gm.at(first_row + slot, 0));  // (1, D) bf16
                   rows.push();
                   rows.consume();
                   p.tstore(links.at(win_y_gm, p.load_tile(routes, 0, slot), 0, distance), rows[0]);
                   rows.pop();
                   slot += 1;
                 });
      });
    });
    const GmTensor done = p.tensor(win_combine_done);
    links.announce(done, Cards::Others);
    p.if_(block == 0, [&] {
      const Reg additions = (p.scalar(epoch) + 1) * blocks;
      links.await(done, additions, Cards::Others);
    });
  });
  return pack(k, blocks);
}

namespace {

constexpr std::uint32_t kTokens = 4;  ///< of a unit of work, unless chosen

/// A unit of work.
struct Piece {
  std::uint32_t of_tokens, of_cols;  ///< of all tokens
  std::uint32_t tokens, cols;

  [[nodiscard]] PlanFields fields(const ArchSpec&) {
    return {
        {"tokens", "tokens", "of a unit of work", &tokens, 1, std::max(of_tokens, kTokens)},
        {"columns", "columns", "of a unit of work", &cols, std::min(kChunkGranule, of_cols), of_cols, kChunkGranule}};
  }
  [[nodiscard]] bool shrink(const ArchSpec&, const CapacityError&) {
    return halve(cols, kChunkGranule) || halve(tokens);
  }
};

//   unit = tokens x columns of a piece
//   MTE2   sh | y0 | y1 | ...            3 loads in flight
//   V         acc = f32(sh) | acc += f32(y0) | ...
//   MTE3                                           bf16(acc) -> ffn
Kernel build_reduce(const LayerConfig& c, const ArchSpec& arch, const Piece& piece) {
  const std::uint32_t width = piece.cols;
  const auto pieces = static_cast<std::uint32_t>(ceil_div(c.hidden, width));
  const auto units = static_cast<std::uint32_t>(ceil_div(c.tokens(), piece.tokens)) * pieces;
  const std::uint32_t blocks = std::min(units, arch.vector_cores());
  KernelBuilder k{"combine_reduce", arch};
  const auto sh = k.input("sh", DType::BF16, c.hidden);
  const auto win_y = k.input("win_y", DType::BF16, c.hidden);
  const auto ffn = k.output("ffn", DType::BF16, c.hidden);

  k.vector([&](PartBuilder& p) {
    const GmTensor sh_gm = p.tensor(sh), y_gm = p.tensor(win_y, c.top_k * c.hidden), ffn_gm = p.tensor(ffn);
    Ring& load = p.ring(3, Pipe::MTE2, Pipe::V, {{Space::UB, DType::BF16, piece.tokens, width, Layout::ND, "rows"}});
    Ring& store = p.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::BF16, piece.tokens, width, Layout::ND, "ffn"}});
    const Tile sum = p.ub(DType::F32, piece.tokens, width, "sum"),
               value = p.ub(DType::F32, piece.tokens, width, "value");
    p.for_range(p.block_index(), units, blocks, [&](const Reg& unit) {
      const Reg token = unit / pieces * piece.tokens, col = unit % pieces * width;
      const Reg n = min(p.imm(c.tokens()) - token, piece.tokens), cols = min(p.imm(c.hidden) - col, width);
      const Tile acc = sum.valid(n, cols), term = value.valid(n, cols);
      const auto fetch = [&](const Tile& to, Gm from) {
        load.produce();
        p.tload(load[0].valid(n, cols), from);  // (n, cols) bf16
        load.push();
        load.consume();
        p.tcvt(to, load[0].valid(n, cols), RoundMode::Rint);
        load.pop();
      };
      fetch(acc, sh_gm.at(token, col));
      for (std::uint32_t route = 0; route < c.top_k; ++route) {
        fetch(term, y_gm.at(token, col + route * c.hidden));
        p.vec(Opcode::TAdd, acc, acc, term);
      }
      store.produce();
      p.tcvt(store[0].valid(n, cols), acc, RoundMode::Rint);
      store.push();
      store.consume();
      p.tstore(ffn_gm.at(token, col), store[0].valid(n, cols));
      store.pop();
    });
  });
  return pack(k, blocks);
}

}  // namespace

Kernel combine_reduce(const LayerConfig& c, const ArchSpec& arch, const PlanChoice& choice) {
  const Piece piece{.of_tokens = c.tokens(), .of_cols = c.hidden, .tokens = kTokens, .cols = std::min(c.hidden, 1024U)};
  return build_fitting("combine_reduce", piece, arch, choice,
                       [&](const Piece& chosen) { return build_reduce(c, arch, chosen); });
}

}  // namespace npu::kernels
