#include "kernels/attention/sparse_attention.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "isa/errors.hpp"
#include "isa/units.hpp"
#include "kernels/attention/key_gather.hpp"
#include "kernels/common/cross_fifo.hpp"
#include "kernels/common/rope.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

constexpr double kMasked = 1.0e20;  ///< what the mask subtracts from the score of a code -1

/// The kernel's tiling. A step is one softmax block (at most `block` keys) of one token.
struct Plan {
  std::uint32_t tokens, heads, dim, rope, block, width;
  std::uint32_t list_blocks;  ///< steps a token
  std::uint32_t blocks;       ///< SPMD blocks; block i takes tokens i, i + blocks, ...
  std::uint32_t chunk;        ///< columns of a head in one cube instruction
  std::uint32_t vec_heads;    ///< heads of one vector core
  std::uint32_t rows;         ///< heads that a vector core handles at a time
  std::uint32_t slots;        ///< buffers of the value product and of the output
  std::uint32_t q_slots;
  CrossFifo scores, weights, values;
  [[nodiscard]] std::uint64_t weights_at() const { return blocks * scores.bytes(); }
  [[nodiscard]] std::uint64_t values_at() const { return weights_at() + blocks * weights.bytes(); }
  [[nodiscard]] std::uint64_t workspace_bytes() const { return values_at() + blocks * values.bytes(); }
};

struct Arguments {
  TensorArgument q;
  KeySources keys;
  TensorArgument sink;
  RopeArguments rope;
  TensorArgument o, workspace;
};

/// Bytes of UB that the tiles of a vector core take, and a margin for the columns of softmax state.
std::uint64_t vector_bytes(const Plan& s, std::uint32_t rows, std::uint32_t slots) {
  const std::uint64_t running = s.list_blocks > 1 ? std::uint64_t{s.vec_heads} * s.dim * 4 : 0;
  const std::uint64_t row =
      std::uint64_t{slots} * s.dim * (4 + 2) + 2ULL * s.block * (4 + 2) + s.rope * 4ULL + Rope::bytes_per_row(s.rope);
  const std::uint64_t state = 12ULL * round_up(s.vec_heads * 4, 32) + 4ULL * round_up(s.block * 4, 32);
  return running + rows * row + state + Rope::fixed_bytes(s.rope);
}

/// The most heads at a time that fit, with two buffers if possible. A column of per-head scalars starts on 32 bytes.
void choose_rows(Plan& s, const ArchSpec& arch) {
  const std::uint64_t capacity = arch.buffer(Space::UB).capacity.count();
  for (const std::uint32_t slots : {2U, 1U}) {
    for (const std::uint32_t rows : {16U, 8U}) {
      const std::uint32_t used = std::min(rows, s.vec_heads);
      if (s.vec_heads % used != 0 || vector_bytes(s, used, slots) > capacity) continue;
      s.rows = used;
      s.slots = slots;
      return;
    }
  }
  throw program_error(
      "sparse_attention: {} heads of {} do not fit {} bytes of UB in groups of 8 or 16 heads a vector core", s.heads,
      s.dim, capacity);
}

Plan plan_attention(const LayerConfig& cfg, const ArchSpec& arch, std::uint32_t list_width) {
  Plan s{};
  s.tokens = cfg.tokens();
  s.heads = cfg.heads;
  s.dim = cfg.head_dim;
  s.rope = cfg.rope_dim;
  s.block = cfg.softmax_block;
  s.width = list_width;
  s.list_blocks = static_cast<std::uint32_t>(ceil_div(s.width, s.block));
  s.blocks = std::min(s.tokens, arch.clusters);
  s.chunk = std::min(s.dim, 128U);
  s.vec_heads = s.heads / 2;
  if (s.tokens == 0 || s.width == 0) throw program_error("sparse_attention: no tokens or an index list of width 0");
  if (s.heads % 2 != 0) throw program_error("sparse_attention: {} heads do not split over two vector cores", s.heads);
  if (s.dim % s.chunk != 0 || s.dim % 16 != 0) {
    throw program_error("sparse_attention: head_dim {} is neither a multiple of 128 nor of 16 below 128", s.dim);
  }
  if ((s.dim - s.rope) % 16 != 0) {
    throw program_error("sparse_attention: rope columns start at {}, 16 bf16 (32 bytes) are the step", s.dim - s.rope);
  }
  if (cfg.window > cfg.page) {
    throw program_error("sparse_attention: window {} exceeds the page of {} rows, block_table has one page a request",
                        cfg.window, cfg.page);
  }
  const std::uint64_t l1 = arch.buffer(Space::L1).capacity.count();
  const std::uint64_t key_bytes = 2ULL * round_up(s.block, 16) * s.dim * 2, q_bytes = round_up(s.heads, 16) * s.dim * 2;
  const std::uint64_t weight_bytes = round_up(s.heads, 16) * round_up(s.block, 16) * 2;
  s.q_slots = key_bytes + 2 * q_bytes + weight_bytes <= l1 ? 2 : 1;
  choose_rows(s, arch);
  s.scores = {.slots = 2, .rows = s.heads, .cols = s.block, .dtype = DType::F32, .full_id = 0, .free_id = 1};
  s.weights = {.slots = 2, .rows = s.heads, .cols = s.block, .dtype = DType::BF16, .full_id = 2, .free_id = 3};
  s.values = {.slots = 2, .rows = s.heads, .cols = s.dim, .dtype = DType::F32, .full_id = 4, .free_id = 5};
  return s;
}

GmTensor region(PartBuilder& p, const Arguments& a, std::uint64_t offset, const CrossFifo& fifo) {
  return {p.tensor(a.workspace).address(0, 0) + static_cast<std::int64_t>(offset), fifo.dtype, fifo.cols};
}

// ---- steps, the same in both parts
// -----------------------------------------------------------------------------------

/// Steps of this block.
Reg count_steps(PartBuilder& p, const Plan& s) {
  const Reg tokens = (p.imm(s.tokens + s.blocks - 1) - p.block_index()) / s.blocks;
  return tokens * s.list_blocks;
}
Reg token_of(PartBuilder& p, const Plan& s, const Reg& step) {
  return step / s.list_blocks * s.blocks + p.block_index();
}
/// First column of the step's part of the list, and how many it has.
Reg column_of(const Plan& s, const Reg& step) { return step % s.list_blocks * s.block; }
Reg columns_of(PartBuilder& p, const Plan& s, const Reg& step) {
  if (s.width % s.block == 0) return p.imm(s.block);
  const Reg col = column_of(s, step);
  return min(p.imm(s.width) - col, s.block);
}

/// Runs ahead(i) for i in [0, steps) and behind(i - 1) after it, so that behind lags by one step. The second argument
/// is the step's parity: buffers that live from ahead to behind exist twice.
template <class Ahead, class Behind>
void run_lagged(PartBuilder& p, const Reg& steps, const Ahead& ahead, const Behind& behind) {
  Reg step = p.imm(0);
  const auto round = [&](std::uint32_t parity) {
    p.if_(step < steps, [&] { ahead(step, parity); });
    p.if_(step > 0, [&] { behind(step - 1, 1 - parity); });
    step += 1;
  };
  p.while_([&] { return step <= steps; },
           [&] {
             round(0);
             p.if_(step <= steps, [&] { round(1); });
           });
}

/// One-slot rings used in turn by code that knows statically whose turn it is: no slot register.
class Alternating {
 public:
  Alternating(PartBuilder& p, Pipe producer, Pipe consumer, const PartBuilder::RingMember& member)
      : rings_{&p.ring(1, producer, consumer, {member}), &p.ring(1, producer, consumer, {member})} {}
  [[nodiscard]] Ring& next() { return *rings_[turn_++ % 2]; }
  [[nodiscard]] Ring& operator[](std::uint32_t i) const { return *rings_[i]; }

 private:
  std::array<Ring*, 2> rings_;
  std::uint32_t turn_ = 0;
};

// ---- cube
// ------------------------------------------------------------------------------------------------------------

class CubePart {
 public:
  CubePart(PartBuilder& part, const LayerConfig& cfg, const Plan& plan, const Arguments& arguments)
      : p{part},
        cfg_{cfg},
        s{plan},
        a{arguments},
        scores_{p, s.scores, region(p, a, 0, s.scores), p.block_index()},
        weights_{p, s.weights, region(p, a, s.weights_at(), s.weights), p.block_index()},
        values_{p, s.values, region(p, a, s.values_at(), s.values), p.block_index()},
        q_{p.ring(s.q_slots, Pipe::MTE2, Pipe::MTE1, {{Space::L1, DType::BF16, s.heads, s.dim, Layout::NZ, "q"}})},
        keys_{p, Pipe::MTE2, Pipe::MTE1, {Space::L1, DType::BF16, s.block, s.dim, Layout::NZ, "keys"}},
        weight_{p.ring(1, Pipe::MTE2, Pipe::MTE1, {{Space::L1, DType::BF16, s.heads, s.block, Layout::NZ, "weights"}})},
        left_{
            p, Pipe::MTE1, Pipe::M, {Space::L0A, DType::BF16, s.heads, std::max(s.chunk, s.block), Layout::ZZ, "left"}},
        right_{p, Pipe::MTE1, Pipe::M, {Space::L0B, DType::BF16, s.chunk, s.block, Layout::ZNt, "right"}},
        acc_{p, Pipe::M, Pipe::FIX, {Space::L0C, DType::F32, s.heads, std::max(s.chunk, s.block), Layout::NZ, "acc"}} {}

  void emit() {
    run_lagged(
        p, count_steps(p, s), [&](const Reg& step, std::uint32_t parity) { score(step, keys_[parity]); },
        [&](const Reg& step, std::uint32_t parity) { value(step, keys_[parity]); });
    scores_.drain();
    values_.drain();
  }

 private:
  /// scores slot = q [H, hd] @ keys^T [hd, cols]; leaves the keys in their buffer.
  void score(const Reg& step, Ring& keys) {
    keys.produce();
    {
      Reg entry = p.tensor(a.keys.sparse_indices).address(token_of(p, s, step), column_of(s, step));
      const Reg end = entry + columns_of(p, s, step) * size_of(DType::I32);
      const Reg request = token_of(p, s, step) / cfg_.seq;
      gather_keys(p, cfg_, a.keys, request, entry, end, keys[0]);
    }
    keys.push();
    const Reg cols = columns_of(p, s, step), position = step % s.list_blocks;
    p.if_(position == 0, [&] {
      const Reg token = token_of(p, s, step);
      q_.produce();
      p.tload(q_[0], p.tensor(a.q, s.dim).at(token * s.heads, 0));  // (H, hd) bf16
      q_.push();
      q_.consume();
    });
    keys.consume();
    Ring& acc = acc_.next();
    acc.produce();
    const Tile sum = acc[0].valid(s.heads, cols);
    for (std::uint32_t k = 0; k < s.dim; k += s.chunk) {
      Ring &left = left_.next(), &right = right_.next();
      const Tile q = left[0].valid(s.heads, s.chunk), key = right[0].valid(s.chunk, cols);
      left.produce();
      p.textract(q, q_[0], 0, k);
      left.push();
      right.produce();
      p.textract(key, keys[0].valid(cols, s.dim), 0, k);
      right.push();
      left.consume();
      right.consume();
      k == 0 ? p.tmatmul(sum, q, key) : p.tmatmul_acc(sum, q, key);
      left.pop();
      right.pop();
    }
    p.if_(position == s.list_blocks - 1, [&] { q_.pop(); });
    acc.push();
    acc.consume();
    scores_.put(sum);
    acc.pop();
  }

  /// values slot = weights [H, cols] @ keys [cols, hd].
  void value(const Reg& step, Ring& keys) {
    const Reg cols = columns_of(p, s, step);
    const Tile source = weight_[0].valid(s.heads, cols);
    weights_.get([&](const GmTensor& slot, const Reg& row) {
      weight_.produce();
      p.tload(source, slot.at(row, 0));  // (H, cols) bf16
      weight_.push();
    });
    weight_.consume();
    Ring& left = left_.next();
    const Tile weight = left[0].valid(s.heads, cols);
    left.produce();
    p.textract(weight, source, 0, 0);
    left.push();
    weight_.pop();
    left.consume();
    values_.put(Pipe::FIX, [&](const GmTensor& slot, const Reg& row) {
      for (std::uint32_t n = 0; n < s.dim; n += s.chunk) {
        Ring &right = right_.next(), &acc = acc_.next();
        const Tile& owned = right[0];  // the same bytes as [cols, chunk], not transposed
        const Tile key = owned.reshape(DType::BF16, owned.cols(), owned.rows(), Layout::ZN).valid(cols, s.chunk);
        const Tile sum = acc[0].valid(s.heads, s.chunk);
        right.produce();
        p.textract(key, keys[0].valid(cols, s.dim), 0, n);
        right.push();
        right.consume();
        acc.produce();
        p.tmatmul(sum, weight, key);
        right.pop();
        acc.push();
        acc.consume();
        p.tstore(slot.at(row, n), sum);
        acc.pop();
      }
    });
    left.pop();
    keys.pop();
  }

  PartBuilder& p;
  const LayerConfig& cfg_;
  const Plan& s;
  const Arguments& a;
  CrossFifoWriter scores_;
  CrossFifoReader weights_;
  CrossFifoWriter values_;
  Ring& q_;
  Alternating keys_;
  Ring& weight_;
  Alternating left_, right_, acc_;
};

// ---- vector
// ----------------------------------------------------------------------------------------------------------

/// Softmax state of this core's heads.
struct State {
  Tile largest, sum;  ///< [vec_heads, 1] f32
  State(PartBuilder& p, const Plan& s, const std::string& name)
      : largest{p.column(DType::F32, s.vec_heads, name + "_max")},
        sum{p.column(DType::F32, s.vec_heads, name + "_sum")} {}
};

class VectorPart {
 public:
  VectorPart(PartBuilder& part, const Plan& plan, const Arguments& arguments)
      : p{part},
        s{plan},
        a{arguments},
        first_head_{p.special(SpecialReg::SubBlock) * s.vec_heads},
        scores_{p, s.scores, region(p, a, 0, s.scores), p.block_index()},
        weights_{p, s.weights, region(p, a, s.weights_at(), s.weights), p.block_index()},
        values_{p, s.values, region(p, a, s.values_at(), s.values), p.block_index()},
        codes_{p.ring(1, Pipe::MTE2, Pipe::V, {{Space::UB, DType::I32, 1, s.block, Layout::ND, "codes"}})},
        mask_{p.ub(DType::F32, 1, s.block, "mask")},
        score_{p, Pipe::MTE2, Pipe::V, {Space::UB, DType::F32, s.rows, s.block, Layout::ND, "scores"}},
        weight_{p, Pipe::V, Pipe::MTE3, {Space::UB, DType::BF16, s.rows, s.block, Layout::ND, "weights"}},
        value_{p.ring(s.slots, Pipe::MTE2, Pipe::V, {{Space::UB, DType::F32, s.rows, s.dim, Layout::ND, "values"}})},
        output_{p.ring(s.slots, Pipe::V, Pipe::MTE3, {{Space::UB, DType::BF16, s.rows, s.dim, Layout::ND, "o"}})},
        turned_{p.ub(DType::F32, s.rows, s.rope, "rope_columns")},
        block_{State{p, s, "even_block"}, State{p, s, "odd_block"}},
        total_{p, s, "running"},
        sink_{p.column(DType::F32, s.vec_heads, "sink")},
        keep_{p.column(DType::F32, s.vec_heads, "keep")},
        add_{p.column(DType::F32, s.vec_heads, "add")},
        rope_{p, a.rope, s.rope, s.rows, RopeTurn::Inverse} {
    if (s.list_blocks > 1) running_.emplace(p.ub(DType::F32, s.vec_heads, s.dim, "running_o"));
    p.tload(sink_, p.tensor(a.sink).transposed_at(0, first_head_));
    p.sync(Pipe::MTE2, Pipe::V);
  }

  void emit() {
    run_lagged(
        p, count_steps(p, s), [&](const Reg& step, std::uint32_t parity) { softmax(step, block_[parity]); },
        [&](const Reg& step, std::uint32_t parity) { merge(step, block_[parity]); });
    weights_.drain();
  }

 private:
  [[nodiscard]] Tile heads(const Tile& column, std::uint32_t first) const { return column.view(first, 0, s.rows, 1); }

  /// mask = 0 where the list names a row, -1e20 where it has -1.
  void load_mask(const Reg& step, const Reg& cols) {
    const Tile codes = codes_[0].valid(1, cols), mask = mask_.valid(1, cols);
    codes_.produce();
    {
      const Reg token = token_of(p, s, step), col = column_of(s, step);
      p.tload(codes, p.tensor(a.keys.sparse_indices).at(token, col));
    }
    codes_.push();
    codes_.consume();
    p.vecs(Opcode::TMaxS, codes, codes, -1);
    p.vecs(Opcode::TMinS, codes, codes, 0);
    p.tcvt(mask, codes, RoundMode::Rint);
    codes_.pop();
    p.vecs(Opcode::TMulS, mask, mask, kMasked);
  }

  /// weights slot = bf16(exp(score - max)); the block's max and fp32 sum go to `state`.
  void softmax(const Reg& step, const State& state) {
    const Reg cols = columns_of(p, s, step);
    load_mask(step, cols);
    const double scale = 1.0 / std::sqrt(static_cast<double>(s.dim));
    weights_.put(Pipe::MTE3, [&](const GmTensor& out, const Reg& out_row) {
      scores_.get([&](const GmTensor& in, const Reg& in_row) {
        for (std::uint32_t first = 0; first < s.vec_heads; first += s.rows) {
          const Reg head = first_head_ + first;
          Ring &load = score_.next(), &store = weight_.next();
          const Tile x = load[0].valid(s.rows, cols), weight = store[0].valid(s.rows, cols);
          load.produce();
          p.tload(x, in.at(in_row + head, 0));  // (rows, cols) f32
          load.push();
          load.consume();
          p.vecs(Opcode::TMulS, x, x, scale);
          p.vec(Opcode::TColExpandAdd, x, x, mask_.valid(1, cols));
          p.vec(Opcode::TRowMax, heads(state.largest, first), x);
          p.vec(Opcode::TRowExpandSub, x, x, heads(state.largest, first));
          p.vec(Opcode::TExp, x, x);
          p.vec(Opcode::TRowSum, heads(state.sum, first), x);
          store.produce();
          p.tcvt(weight, x, RoundMode::Round);
          load.pop();
          store.push();
          store.consume();
          p.tstore(out.at(out_row + head, 0), weight);
          store.pop();
        }
      });
    });
  }

  /// keep, add = exp(m - m'), exp(m_b - m'); running max and sum take the block in. Overwrites `state`.
  void merge_state(const State& state) {
    p.vec(Opcode::TMax, add_, total_.largest, state.largest);  // m'
    p.vec(Opcode::TSub, keep_, total_.largest, add_);
    p.vec(Opcode::TCopy, total_.largest, add_);
    p.vec(Opcode::TSub, add_, state.largest, add_);
    p.vec(Opcode::TExp, keep_, keep_);
    p.vec(Opcode::TExp, add_, add_);
    p.vec(Opcode::TMul, total_.sum, total_.sum, keep_);
    p.vec(Opcode::TMul, state.sum, state.sum, add_);
    p.vec(Opcode::TAdd, total_.sum, total_.sum, state.sum);
  }

  /// Takes the step's values slot into the running output; the last step of a token writes it.
  void merge(const Reg& step, const State& state) {
    const Reg position = step % s.list_blocks;
    const auto start = [&] {
      p.vec(Opcode::TCopy, total_.largest, state.largest);
      p.vec(Opcode::TCopy, total_.sum, state.sum);
    };
    running_ ? p.if_else(position == 0, start, [&] { merge_state(state); }) : start();
    const Reg token = token_of(p, s, step);
    const auto last = [&](const std::function<void()>& body) {
      running_ ? p.if_(position == s.list_blocks - 1, body) : body();
    };
    last([&] { prepare_output(token, state.largest); });
    values_.get([&](const GmTensor& in, const Reg& in_row) {
      for (std::uint32_t first = 0; first < s.vec_heads; first += s.rows) {
        value_.produce();
        p.tload(value_[0], in.at(in_row + (first_head_ + first), 0));  // (rows, hd) f32
        value_.push();
        value_.consume();
        const Tile total = running_ ? running_->view(first, 0, s.rows, s.dim) : value_[0];
        if (running_) {
          p.if_else(
              position == 0, [&] { p.vec(Opcode::TCopy, total, value_[0]); },
              [&] {
                p.vec(Opcode::TRowExpandMul, value_[0], value_[0], heads(add_, first));
                p.vec(Opcode::TRowExpandMul, total, total, heads(keep_, first));
                p.vec(Opcode::TAdd, total, total, value_[0]);
              });
        }
        last([&] { write_output(token, first, total); });
        value_.pop();
      }
    });
  }

  /// The token's angle; the running sum takes in exp(sink - m). `scratch` is overwritten.
  void prepare_output(const Reg& token, const Tile& scratch) {
    rope_.load(token);
    p.vec(Opcode::TSub, scratch, sink_, total_.largest);
    p.vec(Opcode::TExp, scratch, scratch);
    p.vec(Opcode::TAdd, total_.sum, total_.sum, scratch);
  }

  /// o = rope(bf16(total / sum)): the quotient rounds as a whole, the rope columns once more.
  void write_output(const Reg& token, std::uint32_t first, const Tile& total) {
    p.vec(Opcode::TRowExpandDiv, total, total, heads(total_.sum, first));
    output_.produce();
    const Tile& o = output_[0];
    const Tile rope_columns = o.view(0, s.dim - s.rope, s.rows, s.rope);
    p.tcvt(o, total, RoundMode::Round);
    p.tcvt(turned_, rope_columns, RoundMode::None);
    rope_.turn(turned_, s.rows);
    p.tcvt(rope_columns, turned_, RoundMode::Rint);
    output_.push();
    output_.consume();
    const Reg row = token * s.heads + (first_head_ + first);
    p.tstore(p.tensor(a.o, s.dim).at(row, 0), o);
    output_.pop();
  }

  PartBuilder& p;
  const Plan& s;
  const Arguments& a;
  Reg first_head_;
  CrossFifoReader scores_;
  CrossFifoWriter weights_;
  CrossFifoReader values_;
  Ring& codes_;
  Tile mask_;
  Alternating score_, weight_;
  Ring &value_, &output_;
  Tile turned_;
  std::array<State, 2> block_;  ///< of the step in softmax and of the one before
  State total_;
  Tile sink_, keep_, add_;  ///< [vec_heads, 1] f32
  Rope rope_;
  std::optional<Tile> running_;  ///< [vec_heads, hd] f32 when a token has several steps
};

}  // namespace

//   cube    gather, scores 0 | scores 1 | values 0 | scores 2 | values 1 ...   keys of a step stay in L1 for its values
//   vector          softmax 0 | softmax 1 | merge 0 | softmax 2 | merge 1 ...   each core half of the heads
Kernel sparse_attention(const LayerConfig& cfg, const ArchSpec& arch, std::uint32_t list_width) {
  const Plan s = plan_attention(cfg, arch, list_width);
  KernelBuilder k{"sparse_attention", arch};
  const auto q = k.input("q", DType::BF16, s.heads * s.dim);
  const auto kv_cache = k.input("kv_cache", DType::BF16, s.dim);
  const auto block_table = k.input("block_table", DType::I32, 1);
  const auto kv = k.input("kv", DType::BF16, s.dim);
  const auto cmp_kv = k.input("cmp_kv", DType::BF16, s.dim);
  const auto cmp_block_table = k.input("cmp_block_table", DType::I32, cfg.cmp_max_blocks);
  const auto sparse_indices = k.input("sparse_indices", DType::I32, s.width);
  const auto sink = k.input("attn_sink", DType::F32, s.heads);
  const auto position_ids = k.input("position_ids", DType::I32, 1);
  const auto freqs_cos = k.input("freqs_cos", DType::BF16, s.rope);
  const auto freqs_sin = k.input("freqs_sin", DType::BF16, s.rope);
  const auto o = k.output("o", DType::BF16, s.heads * s.dim);
  const auto workspace = k.inout("workspace", DType::F32, s.dim);
  const Arguments a{q,    {kv_cache, block_table, kv, cmp_kv, cmp_block_table, sparse_indices},
                    sink, {position_ids, freqs_cos, freqs_sin},
                    o,    workspace};
  k.cube([&](PartBuilder& p) { CubePart{p, cfg, s, a}.emit(); });
  k.vector([&](PartBuilder& p) { VectorPart{p, s, a}.emit(); });
  return pack(k, s.blocks, s.workspace_bytes());
}

}  // namespace npu::kernels
