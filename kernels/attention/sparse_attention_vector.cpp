// The vector part: softmax of every block, merge of the blocks, sink, rope.
#include <cmath>
#include <functional>
#include <optional>
#include <string>

#include "kernels/attention/sparse_attention_parts.hpp"

namespace npu::kernels::attention {

using namespace isa;

namespace {

constexpr double kMasked = 1.0e20;  ///< what the mask subtracts from the score of a code -1

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
          p.tcvt(weight, x, RoundMode::Rint);
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

  /// o = bf16(rope(total / sum)).
  void write_output(const Reg& token, std::uint32_t first, const Tile& total) {
    p.vec(Opcode::TRowExpandDiv, total, total, heads(total_.sum, first));
    rope_.turn(total.view(0, s.dim - s.rope, s.rows, s.rope), s.rows);
    output_.produce();
    p.tcvt(output_[0], total, RoundMode::Rint);
    output_.push();
    output_.consume();
    const Reg row = token * s.heads + (first_head_ + first);
    p.tstore(p.tensor(a.o, s.dim).at(row, 0), output_[0]);
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
  std::array<State, 2> block_;  ///< of the step in softmax and of the one before
  State total_;
  Tile sink_, keep_, add_;  ///< [vec_heads, 1] f32
  Rope rope_;
  std::optional<Tile> running_;  ///< [vec_heads, hd] f32 when a token has several steps
};

}  // namespace

void emit_vector(PartBuilder& part, const Plan& plan, const Arguments& arguments) {
  VectorPart{part, plan, arguments}.emit();
}

}  // namespace npu::kernels::attention
