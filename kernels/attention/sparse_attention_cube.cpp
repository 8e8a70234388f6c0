// The cube part: gathers keys, multiplies them with the queries, and once more with the weights.
#include <algorithm>

#include "kernels/attention/sparse_attention_parts.hpp"

namespace npu::kernels::attention {

using namespace isa;

namespace {

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

}  // namespace

void emit_cube(PartBuilder& part, const LayerConfig& cfg, const Plan& plan, const Arguments& arguments) {
  CubePart{part, cfg, plan, arguments}.emit();
}

}  // namespace npu::kernels::attention
