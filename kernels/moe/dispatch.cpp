#include "kernels/moe/dispatch.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "isa/units.hpp"
#include "kernels/common/fitting.hpp"
#include "kernels/moe/exchange_links.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

using Cards = ExchangeLinks::Cards;

constexpr std::uint32_t kCell = 8;  ///< elements of a row of win_scale, win_w, win_route: 32 bytes
constexpr std::uint32_t kCellBytes = 4 * kCell;
constexpr std::uint32_t kStatusWidth = 8;
constexpr std::uint32_t kStageRows = 8;        ///< of one transfer, unless chosen
constexpr std::uint32_t kMaxBlocks = 8;        ///< four already send faster than the link
constexpr std::uint8_t kLane0 = 2, kEven = 0;  ///< TGATHERMASK patterns: one element in four, one in two

struct Tiling {
  std::uint32_t blocks;       ///< of the task
  std::uint32_t share;        ///< tokens that a block sends
  std::uint32_t send_tokens;  ///< tokens whose ids, weights and scales are in UB at a time
  std::uint32_t scan_tokens;  ///< tokens that the histogram loads at a time
  std::uint32_t stage_rows;   ///< window rows that one transfer stages out
  std::uint32_t cell_rows;    ///< rows of 8 that one transfer stages out
  std::uint32_t hidden, recv_max, top_k;

  [[nodiscard]] PlanFields fields(const ArchSpec&) {
    return {{"send_tokens", "tokens", "whose ids, weights and scales are in UB at a time", &send_tokens, 1, share},
            {"scan_tokens", "tokens", "that the histogram loads at a time", &scan_tokens, 1, share},
            {"stage_rows", "rows", "that one transfer stages out", &stage_rows, 1, std::max(recv_max, kStageRows)},
            {"cell_rows", "rows", "of 32 bytes that one transfer stages out", &cell_rows,
             std::min(kLeastCells, recv_max), recv_max, kLeastCells}};
  }
  [[nodiscard]] bool shrink(const ArchSpec&, const CapacityError&);

  static constexpr std::uint32_t kLeastCells = 8;  ///< columns of 32 bytes
};

Tiling plan_dispatch(const LayerConfig& c, const ArchSpec& arch) {
  const std::uint32_t tokens = c.tokens(), blocks = std::min({tokens, kMaxBlocks, arch.vector_cores()});
  const auto share = static_cast<std::uint32_t>(ceil_div(tokens, blocks));
  return {.blocks = blocks,
          .share = share,
          .send_tokens = std::min(share, 64U),
          .scan_tokens = std::min(share, 128U),
          .stage_rows = std::clamp(32768 / c.hidden, 1U, kStageRows),
          .cell_rows = std::min(c.recv_max, 128U),
          .hidden = c.hidden,
          .recv_max = c.recv_max,
          .top_k = c.top_k};
}

/// Half of what takes most.
bool Tiling::shrink(const ArchSpec&, const CapacityError&) {
  const std::uint32_t send_bytes = top_k * (3 * kCellBytes),  // of a token, mostly its rows of 8
      cell_bytes = 3 * 2 * kCellBytes;
  const std::array<std::uint32_t, 3> bytes{stage_rows > 1 ? 2 * stage_rows * hidden : 0,
                                           cell_rows > kLeastCells ? cell_rows * cell_bytes : 0,
                                           send_tokens > 1 ? send_tokens * send_bytes : 0};
  const auto most = std::max_element(bytes.begin(), bytes.end());
  if (*most == 0) return halve(scan_tokens);
  if (most == bytes.begin()) return halve(stage_rows);
  return most == bytes.begin() + 1 ? halve(cell_rows, kLeastCells) : halve(send_tokens);
}

struct Arguments {
  TensorArgument indices, weights, x_i8, x_scale;
  TensorArgument win_pub_counts, win_count_done, win_data_done, win_x, win_scale, win_w, win_route;
  TensorArgument recv_x, recv_scale, recv_w, recv_route, recv_count, counts, status, workspace;
  ScalarArgument epoch;
};

class Dispatch {
 public:
  Dispatch(PartBuilder& part, const LayerConfig& config, const Arguments& args, const Tiling& tiling)
      : p{part}, c{config}, a{args}, t{tiling}, links{part, config.ranks}, block{part.block_index()} {
    first.emplace(min(block * t.share, c.tokens()));
    last.emplace(min(*first + t.share, c.tokens()));
  }

  //   block b   count own tokens | publish | meet | tables | send | meet | clear (block 0) | stage out
  void emit() {
    count_routes();
    publish_counts();
    meet(a.win_count_done);
    read_tables();
    check_limit();
    p.if_(block == 0, [&] { report(); });
    send_rows();
    meet(a.win_data_done);
    p.if_(block == 0, [&] { clear_counts(); });
    stage_out_rows();
    stage_out_cells();
  }

 private:
  /// All blocks of all cards meet; the cells hold the meetings of the earlier epochs too.
  void meet(const TensorArgument& done) {
    const GmTensor cells = p.tensor(done);
    links.announce(cells, Cards::All);
    const Reg additions = (p.scalar(a.epoch) + 1) * t.blocks;
    links.await(cells, additions, Cards::All);
  }

  /// counts[id] = routes of this block's tokens.
  void count_routes() {
    const GmTensor indices = p.tensor(a.indices);
    const Tile ids = p.ub(DType::I32, t.scan_tokens, c.top_k, "scan_ids");
    p.texpands(counts, 0);
    p.texpands(status, 0);
    p.sync(Pipe::V, Pipe::S);
    p.for_range(*first, *last, t.scan_tokens, [&](const Reg& begin) {
      const Reg tokens = min(*last - begin, t.scan_tokens);
      p.tload(ids.valid(tokens, c.top_k), indices.at(begin, 0));
      p.sync(Pipe::MTE2, Pipe::S);
      p.for_range(0, tokens, 1, [&](const Reg& token) {
        p.for_range(0, c.top_k, 1, [&](const Reg& k) {
          const Reg id = p.load_tile(ids, token, k);
          p.store_tile(p.load_tile(counts, 0, id) + 1, counts, 0, id);
        });
      });
    });
  }

  /// Adds to the pub_counts rows of this source on every card, where not zero; leaves the counts for the other blocks
  /// of this card.
  void publish_counts() {
    const GmTensor cells = p.tensor(a.win_pub_counts, c.experts);  // [R, E]: row of the source
    p.for_range(0, c.experts, 1, [&](const Reg& id) {
      const Reg count = p.load_tile(counts, 0, id);
      p.if_(count != 0, [&] {
        const Reg own = cells.address(links.rank(), id);
        p.for_range(0, c.ranks, 1, [&](const Reg& peer) { p.notify_add(own + links.distance(peer), count); });
      });
    });
    p.sync(Pipe::S, Pipe::MTE3);
    p.tstore(p.tensor(a.workspace).at(block, 0), counts);
  }

  /// total[id] = rows of the expert from all ranks; cursor[id] = slot of this block's first route to it.
  void read_tables() {
    p.tload(table, p.tensor(a.win_pub_counts, c.experts).at(0, 0));  // (R, E)
    p.tload(shares, p.tensor(a.workspace).at(0, 0));                 // (blocks, E)
    p.sync(Pipe::MTE2, Pipe::V);
    p.texpands(total, 0);
    for (std::uint32_t source = 0; source < c.ranks; ++source) {
      p.if_(links.rank() == source, [&] { p.tmov(cursor, total); });
      p.vec(Opcode::TAdd, total, total, table.view(source, 0, 1, c.experts));
    }
    for (std::uint32_t earlier = 0; earlier + 1 < t.blocks; ++earlier) {
      p.if_(block > earlier, [&] { p.vec(Opcode::TAdd, cursor, cursor, shares.view(earlier, 0, 1, c.experts)); });
    }
    p.vec(Opcode::TRowMax, largest, total);
    p.sync(Pipe::V, Pipe::S);
  }

  /// Too many rows for some expert: status of the first one, nothing to send, nothing received.
  void check_limit() {
    p.if_(p.load_tile(largest, 0, 0) > c.recv_max, [&] {
      Reg found = p.imm(0);
      p.for_range(0, c.experts, 1, [&](const Reg& i) {
        const Reg id = p.imm(c.experts - 1) - i;
        p.if_(p.load_tile(total, 0, id) > c.recv_max, [&] { found.set(id); });
      });
      const Reg card = found / c.local_experts, rows = p.load_tile(total, 0, found);
      p.store_tile(p.imm(1), status, 0, 0);
      p.store_tile(card, status, 0, 1);
      p.store_tile(found % c.local_experts, status, 0, 2);
      p.store_tile(rows, status, 0, 3);
      p.store_tile(p.imm(c.recv_max), status, 0, 4);
      last->set(*first);
      p.texpands(total, 0);
      p.sync(Pipe::V, Pipe::S);
    });
  }

  void report() {
    const Tile own = p.ub(DType::I32, 1, c.local_experts, "recv_count");
    p.for_range(0, c.local_experts, 1, [&](const Reg& e) { p.store_tile(rows_of(e), own, 0, e); });
    p.sync(Pipe::S, Pipe::MTE3);
    p.tstore(p.tensor(a.recv_count, c.local_experts).at(0, 0), own);
    p.tstore(p.tensor(a.counts, c.experts).at(0, 0), table);
    p.tstore(p.tensor(a.status).at(0, 0), status);
  }

  /// Leaves this card's published counts as the next epoch expects them. No block of this card reads them any more:
  /// each has announced its data after it had read the table, and combine_push reads the copy in `counts`. No card adds
  /// to them yet: a peer adds for the next epoch after its combine_push of this one, which waits for this card's
  /// combine_push, which follows this task.
  void clear_counts() {
    p.sync(Pipe::MTE3, Pipe::V);
    p.texpands(table, 0);
    p.sync(Pipe::V, Pipe::MTE3);
    p.tstore(p.tensor(a.win_pub_counts, c.experts).at(0, 0), table);
  }

  [[nodiscard]] Reg rows_of(const Reg& expert) {
    return p.load_tile(total, 0, links.rank() * c.local_experts + expert);
  }

  //   MTE2  row t | row t+1 | row t+2 ...            4 rows in flight
  //   S           | slot and addresses of (t, k) ...
  //   MTE3        | row, scale, weight, route of (t, k) -> card of expert, KE times a token
  void send_rows() {
    const std::uint32_t n = t.send_tokens, routes = n * c.top_k;
    const GmTensor x = p.tensor(a.x_i8), win_x = p.tensor(a.win_x), win_scale = p.tensor(a.win_scale),
                   win_w = p.tensor(a.win_w), win_route = p.tensor(a.win_route);
    const Tile ids = p.ub(DType::I32, n, c.top_k, "ids");
    const Tile scale = p.column(DType::F32, n, "x_scale"), scale_cells = p.ub(DType::F32, n, kCell, "scale_cells");
    const Tile weight = p.column(DType::F32, routes, "weight"), w_cells = p.ub(DType::F32, routes, kCell, "w_cells");
    const Tile count_up = p.ub(DType::I32, 1, routes, "count_up"), route = p.ub(DType::I32, 1, routes, "route");
    const Tile route_cells = p.ub(DType::I32, routes, kCell, "route_cells");
    Ring& rows = p.ring(4, Pipe::MTE2, Pipe::MTE3, {{Space::UB, DType::I8, 1, c.hidden, Layout::ND, "x_row"}});
    p.tci(count_up, 0);
    p.for_range(*first, *last, n, [&](const Reg& begin) {
      const Reg tokens = min(*last - begin, n);
      {
        const Reg first_route = begin * c.top_k, used = tokens * c.top_k;
        p.sync(Pipe::V, Pipe::MTE2);
        p.tload(ids.valid(tokens, c.top_k), p.tensor(a.indices).at(begin, 0));
        p.tload(scale.valid(tokens, 1), p.tensor(a.x_scale).transposed_at(begin, 0));
        p.tload(weight.valid(used, 1), p.tensor(a.weights, 1).transposed_at(first_route, 0));
        p.sync(Pipe::MTE2, Pipe::S);
        p.sync(Pipe::MTE2, Pipe::V);
        p.sync(Pipe::MTE3, Pipe::V);
        p.vecs(Opcode::TAddS, route, count_up, first_route);  // t*KE + k
        p.vec(Opcode::TRowExpand, scale_cells.valid(tokens, kCell), scale.valid(tokens, 1));
        p.vec(Opcode::TRowExpand, w_cells.valid(used, kCell), weight.valid(used, 1));
        p.vec(Opcode::TRowExpand, route_cells, route.as_column());
        p.sync(Pipe::V, Pipe::MTE3);
      }
      p.for_range(0, tokens, 1, [&](const Reg& token) {
        rows.produce();
        p.tload(rows[0], x.at(begin + token, 0));  // (1, D) i8
        rows.push();
        rows.consume();
        p.for_range(0, c.top_k, 1, [&](const Reg& k) {
          const Reg id = p.load_tile(ids, token, k), slot = p.load_tile(cursor, 0, id);
          p.store_tile(slot + 1, cursor, 0, id);
          const Reg card = id / c.local_experts, distance = links.distance(card);
          const Reg row = (id - card * c.local_experts) * c.recv_max + slot;
          const Reg scale_at = token * kCellBytes, route_at = (token * c.top_k + k) * kCellBytes;
          p.tstore(links.at(win_x, row, 0, distance), rows[0]);
          p.tstore(links.at(win_scale, row, 0, distance), scale_cells.view(0, 0, 1, kCell).at(scale_at));
          p.tstore(links.at(win_w, row, 0, distance), w_cells.view(0, 0, 1, kCell).at(route_at));
          p.tstore(links.at(win_route, row, 0, distance), route_cells.view(0, 0, 1, kCell).at(route_at));
        });
        rows.pop();
      });
    });
  }

  /// body(first window row, rows) for the pieces of at most `step` received rows of this block's experts.
  void for_each_piece(std::uint32_t step, const std::function<void(const Reg&, const Reg&)>& body) {
    p.for_range(block, c.local_experts, t.blocks, [&](const Reg& expert) {
      const Reg count = rows_of(expert), base = expert * c.recv_max;
      p.for_range(0, count, step, [&](const Reg& slot) { body(base + slot, min(count - slot, step)); });
    });
  }

  void stage_out_rows() {
    const GmTensor from = p.tensor(a.win_x), to = p.tensor(a.recv_x);
    Ring& piece =
        p.ring(2, Pipe::MTE2, Pipe::MTE3, {{Space::UB, DType::I8, t.stage_rows, c.hidden, Layout::ND, "piece"}});
    for_each_piece(t.stage_rows, [&](const Reg& row, const Reg& rows) {
      piece.produce();
      p.tload(piece[0].valid(rows, c.hidden), from.at(row, 0));
      piece.push();
      piece.consume();
      p.tstore(to.at(row, 0), piece[0].valid(rows, c.hidden));
      piece.pop();
    });
  }

  /// Element 0 of every row of 8: one in four of the flat rows, then one in two.
  void stage_out_cells() {
    struct Column {
      DType dtype;
      TensorArgument window, out;
    };
    const Column columns[] = {{DType::F32, a.win_scale, a.recv_scale},
                              {DType::F32, a.win_w, a.recv_w},
                              {DType::I32, a.win_route, a.recv_route}};
    std::vector<PartBuilder::RingMember> flat, kept;
    std::vector<Tile> pairs;
    for (const Column& column : columns) {
      flat.push_back({Space::UB, column.dtype, 1, t.cell_rows * kCell, Layout::ND, "cells"});
      pairs.push_back(p.ub(column.dtype, 1, t.cell_rows * 2, "cell_pairs"));
      kept.push_back({Space::UB, column.dtype, 1, t.cell_rows, Layout::ND, "column"});
    }
    Ring& load = p.ring(2, Pipe::MTE2, Pipe::V, flat);
    Ring& store = p.ring(2, Pipe::V, Pipe::MTE3, kept);
    for_each_piece(t.cell_rows, [&](const Reg& row, const Reg& rows) {
      const Reg all = rows * kCell, two = rows * 2;
      load.produce();
      for (std::size_t i = 0; i < std::size(columns); ++i) {
        p.tload(load[i].valid(1, all), p.tensor(columns[i].window).at(row, 0));  // (1, 8 rows)
      }
      load.push();
      load.consume();
      store.produce();
      for (std::size_t i = 0; i < std::size(columns); ++i) {
        p.tgather_mask(pairs[i].valid(1, two), load[i].valid(1, all), kLane0);  // (1, 2 rows)
      }
      for (std::size_t i = 0; i < std::size(columns); ++i) {
        p.tgather_mask(store[i].valid(1, rows), pairs[i].valid(1, two), kEven);  // (1, rows)
      }
      load.pop();
      store.push();
      store.consume();
      for (std::size_t i = 0; i < std::size(columns); ++i) {
        p.tstore(p.tensor(columns[i].out).at(row, 0), store[i].valid(1, rows));
      }
      store.pop();
    });
  }

  PartBuilder& p;
  const LayerConfig& c;
  const Arguments& a;
  const Tiling& t;
  ExchangeLinks links;
  Reg block;
  std::optional<Reg> first, last;  ///< tokens that this block sends
  // Tables over all experts: column id = card * EL + local expert.
  Tile counts = p.ub(DType::I32, 1, c.experts, "counts"), table = p.ub(DType::I32, c.ranks, c.experts, "table");
  Tile shares = p.ub(DType::I32, t.blocks, c.experts, "shares");
  Tile total = p.ub(DType::I32, 1, c.experts, "total"), cursor = p.ub(DType::I32, 1, c.experts, "cursor");
  Tile largest = p.column(DType::I32, 1, "largest"), status = p.ub(DType::I32, 1, kStatusWidth, "status");
};

Kernel build(const LayerConfig& c, const ArchSpec& arch, const Tiling& tiling) {
  KernelBuilder k{"dispatch", arch};
  const Arguments args{.indices = k.input("indices", DType::I32, c.top_k),
                       .weights = k.input("weights", DType::F32, c.top_k),
                       .x_i8 = k.input("x_i8", DType::I8, c.hidden),
                       .x_scale = k.input("x_scale", DType::F32, 1),
                       .win_pub_counts = k.inout("win_pub_counts", DType::I32, c.local_experts),
                       .win_count_done = k.inout("win_count_done", DType::I32, 1),
                       .win_data_done = k.inout("win_data_done", DType::I32, 1),
                       .win_x = k.inout("win_x", DType::I8, c.hidden),
                       .win_scale = k.inout("win_scale", DType::F32, kCell),
                       .win_w = k.inout("win_w", DType::F32, kCell),
                       .win_route = k.inout("win_route", DType::I32, kCell),
                       .recv_x = k.output("recv_x", DType::I8, c.hidden),
                       .recv_scale = k.output("recv_scale", DType::F32, 1),
                       .recv_w = k.output("recv_w", DType::F32, 1),
                       .recv_route = k.output("recv_route", DType::I32, 1),
                       .recv_count = k.output("recv_count", DType::I32, 1),
                       .counts = k.output("counts", DType::I32, c.local_experts),
                       .status = k.output("status", DType::I32, kStatusWidth),
                       .workspace = k.workspace(DType::I32, c.experts),
                       .epoch = k.scalar("epoch")};
  k.vector([&](PartBuilder& p) { Dispatch{p, c, args, tiling}.emit(); });
  Kernel kernel = pack(k, tiling.blocks, std::uint64_t{tiling.blocks} * c.experts * sizeof(std::int32_t));
  kernel.object.sync_start = true;
  return kernel;
}

}  // namespace

Kernel dispatch(const LayerConfig& c, const ArchSpec& arch, const PlanChoice& choice) {
  return build_fitting("dispatch", plan_dispatch(c, arch), arch, choice,
                       [&](const Tiling& tiling) { return build(c, arch, tiling); });
}

}  // namespace npu::kernels
