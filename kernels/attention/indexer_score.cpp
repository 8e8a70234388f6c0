#include "kernels/attention/indexer_score.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "isa/errors.hpp"
#include "isa/units.hpp"
#include "kernels/common/cross_fifo.hpp"
#include "kernels/common/cube_matmul.hpp"
#include "kernels/common/fitting.hpp"
#include "kernels/common/pair_sort.hpp"
#include "kernels/common/quantise.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

/// A tile is up to `keys` consecutive entries of one request, all in one page of the cache.
struct Plan {
  std::uint32_t requests, seq, heads, rows;  ///< rows: queries of a request, S*nh
  std::uint32_t dim, length, page;           ///< length: columns of a score row
  std::uint32_t keys;                        ///< of a tile
  std::uint32_t half;                        ///< of a vector core at most
  std::uint32_t blocks;
  CrossFifo quantised, products;  ///< keys [keys, ih] i8 to the cube, [S*nh, keys] i32 back
  MatmulTiling tiling;
  [[nodiscard]] std::uint64_t products_at() const { return blocks * quantised.bytes(); }
  [[nodiscard]] std::uint64_t workspace_bytes() const { return products_at() + blocks * products.bytes(); }
  [[nodiscard]] MatmulShape matmul() const { return {rows, keys, dim, DType::I8, WeightOrder::NK}; }
  [[nodiscard]] PlanFields fields(const ArchSpec& arch) {
    return tiling_fields(tiling, matmul(), arch, {.rows = true, .columns = false});
  }
  [[nodiscard]] bool shrink(const ArchSpec& arch, const CapacityError& error);
};

struct Arguments {
  TensorArgument queries, query_scale, weights, cache, table, lengths, score, workspace;
};

constexpr std::uint32_t kLeastKeys = 16;      // of a tile, unless a page has fewer
constexpr std::uint32_t kFillColumns = 2048;  // of one store of "no score"
constexpr std::uint32_t kLag = 3;             // tiles whose products are on their way while a core quantises the next

/// UB of a vector core that handles `half` keys at a time, with a margin for its columns and short rows.
std::uint64_t vector_bytes(const Plan& s, std::uint32_t half) {
  const std::uint64_t key = std::uint64_t{s.dim} * (2 * 2 + 4 + RowQuantiser::kBytesPerElement + 2 * 1);
  const std::uint64_t result = 4ULL * s.rows + 2ULL * 4 * s.seq;
  return half * (key + result + (5 + kLag) * 4) + 3ULL * 4 * round_up(s.rows, 8) +
         4ULL * std::min(s.length, kFillColumns) + 1024;
}

/// Tiles of at most `most` keys, and what follows from them.
void plan_keys(Plan& s, const ArchSpec& arch, std::uint32_t most) {
  s.keys = std::min(s.page, most);
  const std::uint64_t capacity = arch.buffer(Space::UB).capacity.count();
  const auto half_of = [](std::uint32_t keys) { return static_cast<std::uint32_t>(8 * ceil_div(keys, 16)); };
  while (vector_bytes(s, half_of(s.keys)) > capacity && s.keys > kLeastKeys) s.keys /= 2;
  s.half = half_of(s.keys);
  if (s.page % s.keys != 0) {
    throw config_error("indexer_score: a page of {} keys does not divide into tiles of {}; choose a multiple", s.page,
                       s.keys);
  }
  const std::uint64_t tiles = s.requests * ceil_div(s.length, s.keys);
  s.blocks = static_cast<std::uint32_t>(std::min<std::uint64_t>(tiles, arch.clusters));
  s.quantised = {.slots = kLag + 1, .rows = s.keys, .cols = s.dim, .dtype = DType::I8, .full_id = 0, .free_id = 1};
  s.products = {.slots = kLag + 1, .rows = s.rows, .cols = s.keys, .dtype = DType::I32, .full_id = 2, .free_id = 3};
  s.tiling = plan_matmul("indexer_score", arch, s.matmul(), 1);
}

bool Plan::shrink(const ArchSpec& arch, const CapacityError& error) {
  if (cut_tiling(tiling, matmul(), arch, error, {.rows = true, .columns = false})) return true;
  if (keys / 2 < kLeastKeys) return false;
  plan_keys(*this, arch, keys / 2);
  return true;
}

Plan plan_scores(const LayerConfig& cfg, const ArchSpec& arch) {
  constexpr std::uint32_t kMaxKeys = 128;
  Plan s{};
  s.requests = cfg.batch;
  s.seq = cfg.seq;
  s.heads = cfg.index_heads;
  s.rows = s.seq * s.heads;
  s.dim = cfg.index_dim;
  s.length = cfg.max_positions / 4;
  s.page = cfg.page;
  plan_keys(s, arch, kMaxKeys);
  return s;
}

GmTensor region(PartBuilder& p, const Arguments& a, std::uint64_t offset, const CrossFifo& fifo) {
  return {p.tensor(a.workspace).address(0, 0) + static_cast<std::int64_t>(offset), fifo.dtype, fifo.cols};
}

/// n of a request.
Reg scored_entries(PartBuilder& p, const GmTensor& lengths, const Reg& request) {
  return p.load_gm(DType::I32, lengths.address(request, 0)) / 4;
}

/// In a block: body(request, first key) for its share of the tiles, dealt out in turn over all requests.
template <class Body>
void for_each_tile(PartBuilder& p, const Plan& s, const GmTensor& lengths, const Body& body) {
  Reg turn = p.block_index();  // tile of the request that is this block's next one
  p.for_range(0, s.requests, 1, [&](const Reg& request) {
    const Reg tiles = (scored_entries(p, lengths, request) + (s.keys - 1)) / s.keys;
    p.while_([&] { return turn < tiles; },
             [&] {
               const Reg key = turn * s.keys;
               body(request, key);
               turn += s.blocks;
             });
    turn.set(turn - tiles);
  });
}

/// Keys of the tile that starts at `key`.
Reg keys_of_tile(PartBuilder& p, const Plan& s, const GmTensor& lengths, const Reg& request, const Reg& key) {
  return min(scored_entries(p, lengths, request) - key, s.keys);
}

void emit_cube(PartBuilder& p, const Plan& s, const Arguments& a) {
  const MatmulTiling& t = s.tiling;
  CrossFifoReader keys{p, s.quantised, region(p, a, 0, s.quantised), p.block_index()};
  CrossFifoWriter products{p, s.products, region(p, a, s.products_at(), s.products), p.block_index()};
  CubeMatmul product{p, s.matmul(), t};
  const GmTensor queries = p.tensor(a.queries), lengths = p.tensor(a.lengths);
  for_each_tile(p, s, lengths, [&](const Reg& request, const Reg& key) {
    const Reg n = keys_of_tile(p, s, lengths, request, key);
    keys.get([&](const GmTensor& slot, const Reg& slot_row) {
      products.put(Pipe::FIX, [&](const GmTensor& out, const Reg& out_row) {
        for (std::uint32_t first = 0; first < s.rows; first += t.base_m) {
          const Reg row = request * s.rows + first;
          product.tile(queries, row, 0, std::min(t.base_m, s.rows - first), slot, slot_row, n, [&](const Tile& acc) {
            const Reg to = out_row + first;
            p.tstore(out.at(to, 0), acc);  // (rows, n) i32
          });
        }
      });
    });
  });
  products.drain();
}

/// A tile between quantisation and score.
struct Pending {
  Reg place;   ///< request * L/4 + first key; < 0: none
  Tile scale;  ///< [1, half] f32: of this core's keys, times the constant factor of the score
  Pending(PartBuilder& p, const Plan& s) : place{p.imm(-1)}, scale{p.ub(DType::F32, 1, s.half, "key_scale")} {
    p.texpands(scale, 0.0);
  }
};

/// A vector core: half of the keys of every tile. A tile's products come while the next tiles' keys are quantised.
class VectorPart {
 public:
  VectorPart(PartBuilder& part, const Plan& plan, const Arguments& arguments)
      : p{part},
        s{plan},
        a{arguments},
        core_{p.special(SpecialReg::SubBlock)},
        quantised_{p, s.quantised, region(p, a, 0, s.quantised), p.block_index()},
        products_{p, s.products, region(p, a, s.products_at(), s.products), p.block_index()},
        row_{p.ring(2, Pipe::MTE2, Pipe::V, {{Space::UB, DType::BF16, s.half, s.dim, Layout::ND, "key_rows"}})},
        key_{p.ub(DType::F32, s.half, s.dim, "keys")},
        quantiser_{p, s.half, s.dim},
        new_scale_{p.column(DType::F32, s.half, "new_key_scale")},
        weight_{p.column(DType::F32, s.rows, "query_weight")},
        pending_{Pending{p, s}, Pending{p, s}, Pending{p, s}},
        byte_{p.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::I8, s.half, s.dim, Layout::ND, "key_bytes"}})},
        product_{p.ring(1, Pipe::MTE2, Pipe::V,
                        {{Space::UB, DType::F32, s.rows, 1, Layout::DN, "query_scale"},
                         {Space::UB, DType::F32, s.rows, 1, Layout::DN, "weight"},
                         {Space::UB, DType::I32, s.rows, s.half, Layout::ND, "products"}})},
        score_{p.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::F32, s.seq, s.half, Layout::ND, "score"}})} {}

  void emit() {
    fill_missing();
    p.texpands(new_scale_, 0);  // a core may never get keys of its own
    const GmTensor lengths = p.tensor(a.lengths);
    for_each_tile(p, s, lengths, [&](const Reg& request, const Reg& key) {
      quantise(lengths, request, key);
      score_oldest(lengths);
      pending_.back().place.set(request * s.length + key);
      // the constant factor of the score rides on the scales
      p.vecs(Opcode::TMulS, pending_.back().scale, new_scale_.as_row(),
             1.0 / std::sqrt(static_cast<double>(s.dim) * static_cast<double>(s.heads)));
    });
    p.for_range(0, kLag, 1, [&](const Reg&) {
      score_oldest(lengths);
      pending_.back().place.set(-1);
    });
    quantised_.drain();
  }

 private:
  /// The columns that have no entry; every core some of the requests.
  void fill_missing() {
    const std::uint32_t chunk = std::min(s.length, kFillColumns);
    const Tile none = p.ub(DType::F32, 1, chunk, "none");
    p.texpands(none, PairSort::kLast);
    p.sync(Pipe::V, Pipe::MTE3);
    const GmTensor lengths = p.tensor(a.lengths), out = p.tensor(a.score);
    p.for_range(p.block_index() * 2 + core_, s.requests, 2 * s.blocks, [&](const Reg& request) {
      p.for_range(scored_entries(p, lengths, request), s.length, chunk, [&](const Reg& col) {
        const Reg n = min(p.imm(s.length) - col, chunk);
        for (std::uint32_t token = 0; token < s.seq; ++token)
          p.tstore(out.at(request * s.seq + token, col), none.valid(1, n));  // (1, n) f32
      });
    });
  }

  /// body(first, n): this core's keys of the tile, if there are any.
  template <class Body>
  void own_keys(const GmTensor& lengths, const Reg& request, const Reg& key, const Body& body) {
    const Reg keys = keys_of_tile(p, s, lengths, request, key);
    const Reg share = (keys + 15) / 16 * 8;  // halves in whole 32-byte blocks of a row
    const Reg first = core_ * share;
    const Reg n = min(keys - first, share);
    p.if_(n > 0, [&] { body(first, n); });
  }

  /// Puts Q(keys) into the cube's slot and their scales into new_scale_.
  void quantise(const GmTensor& lengths, const Reg& request, const Reg& key) {
    quantised_.put(Pipe::MTE3, [&](const GmTensor& slot, const Reg& slot_row) {
      own_keys(lengths, request, key, [&](const Reg& first, const Reg& n) {
        row_.produce();
        {
          const Reg page = p.load_gm(DType::I32, p.tensor(a.table).address(request, key / s.page));
          const Reg row = page * s.page + key % s.page + first;
          p.tload(row_[0].valid(n, s.dim), p.tensor(a.cache).at(row, 0));  // (n, ih) bf16
        }
        row_.push();
        row_.consume();
        p.tcvt(key_.valid(n, s.dim), row_[0].valid(n, s.dim), RoundMode::None);
        row_.pop();
        quantiser_.begin(n);
        quantiser_.scan(key_, n, s.dim);
        quantiser_.finish(new_scale_, n);
        byte_.produce();
        quantiser_.quantise(byte_[0], key_, n, s.dim);
        byte_.push();
        byte_.consume();
        p.tstore(slot.at(slot_row + first, 0), byte_[0].valid(n, s.dim));  // (n, ih) i8
        byte_.pop();
      });
    });
  }

  /// Scores the tile at the front, if there is one; the others move up.
  void score_oldest(const GmTensor& lengths) {
    p.if_(pending_.front().place >= 0, [&] { score(lengths, pending_.front()); });
    for (std::size_t i = 1; i < pending_.size(); ++i) {
      pending_[i - 1].place.set(pending_[i].place);
      p.vec(Opcode::TCopy, pending_[i - 1].scale, pending_[i].scale);
    }
  }

  /// This core's scores of the tile, from the next slot of products.
  void score(const GmTensor& lengths, const Pending& tile) {
    const Reg request = tile.place / s.length, key = tile.place % s.length;
    products_.get([&](const GmTensor& slot, const Reg& slot_row) {
      own_keys(lengths, request, key, [&](const Reg& first, const Reg& n) {
        product_.produce();
        {
          const Reg query = request * s.rows;
          p.tload(product_[0], p.tensor(a.query_scale).transposed_at(query, 0));  // (S*nh, 1) f32
          p.tload(product_[1], p.tensor(a.weights, 1).transposed_at(query, 0));   // (S*nh, 1) f32
        }
        p.tload(product_[2].valid(s.rows, n), slot.at(slot_row, first));  // (S*nh, n) i32
        product_.push();
        product_.consume();
        const Tile integer = product_[2].valid(s.rows, n);
        const Tile terms = product_[2].reshape(DType::F32, s.rows, s.half, Layout::ND);
        p.vec(Opcode::TMul, weight_, product_[1], product_[0]);
        p.vecs(Opcode::TMaxS, integer, integer, 0);
        p.tcvt(terms.valid(s.rows, n), integer, RoundMode::Rint);
        p.vec(Opcode::TRowExpandMul, terms.valid(s.rows, n), terms.valid(s.rows, n), weight_);
        score_.produce();
        const Tile sum = score_[0].valid(s.seq, n);
        for (std::uint32_t token = 0; token < s.seq; ++token) {
          p.vec(Opcode::TColSum, score_[0].view(token, 0, 1, s.half).valid(1, n),
                terms.view(token * s.heads, 0, s.heads, s.half).valid(s.heads, n));
        }
        product_.pop();
        p.vec(Opcode::TColExpandMul, sum, sum, tile.scale.valid(1, n));
        score_.push();
        score_.consume();
        p.tstore(p.tensor(a.score).at(request * s.seq, key + first), sum);  // (S, n) f32
        score_.pop();
      });
    });
  }

  PartBuilder& p;
  const Plan& s;
  const Arguments& a;
  Reg core_;
  CrossFifoWriter quantised_;
  CrossFifoReader products_;
  Ring& row_;
  Tile key_;  ///< [half, ih] f32
  RowQuantiser quantiser_;
  Tile new_scale_;  ///< [half, 1] f32: dequantisation scales of the newest tile
  Tile weight_;     ///< [S*nh, 1] f32; not among the ring's tiles, which start in the products' bank group
  std::array<Pending, kLag> pending_;
  Ring& byte_;
  Ring& product_;  ///< [0] scales and [1] weights of the queries, [2] their products with the keys
  Ring& score_;
};

//   cube              tile 0 | tile 1 | ...                       queries x keys^T
//   vector   Q 0 | Q 1 | Q 2 | Q 3 | score 0 | Q 4 | score 1 ...  each core half of a tile's keys
Kernel build(const LayerConfig& cfg, const ArchSpec& arch, const Plan& s) {
  KernelBuilder k{"indexer_score", arch};
  const auto zi = k.input("zi", DType::I8, s.dim);
  const auto zs = k.input("zs", DType::F32, 1);
  const auto wt = k.input("wt", DType::F32, s.heads);
  const auto idx_kv_cache = k.input("idx_kv_cache", DType::BF16, s.dim);
  const auto idx_block_table = k.input("idx_block_table", DType::I32, cfg.idx_max_blocks);
  const auto kv_seq_lens = k.input("kv_seq_lens", DType::I32, 1);
  const auto score = k.output("score", DType::F32, s.length);
  const auto workspace = k.workspace(DType::I32, s.keys);
  const Arguments a{zi, zs, wt, idx_kv_cache, idx_block_table, kv_seq_lens, score, workspace};
  k.cube([&](PartBuilder& p) { emit_cube(p, s, a); });
  k.vector([&](PartBuilder& p) { VectorPart{p, s, a}.emit(); });
  return pack(k, s.blocks, s.workspace_bytes());
}

}  // namespace

Kernel indexer_score(const LayerConfig& cfg, const ArchSpec& arch, const PlanChoice& choice) {
  return build_fitting("indexer_score", plan_scores(cfg, arch), arch, choice,
                       [&](const Plan& plan) { return build(cfg, arch, plan); });
}

}  // namespace npu::kernels
