// The cube part: scores of a tile of keys, and later its values.
#include <algorithm>

#include "kernels/calibration/flash_attention_parts.hpp"

namespace npu::kernels::flash {

using namespace isa;

namespace {

class CubePart {
 public:
  CubePart(PartBuilder& part, const FlashAttentionPlan& plan, const Arguments& arguments)
      : p{part},
        s{plan},
        fifos_{fifos_of(plan)},
        q_gm_{p.tensor(arguments.q)},
        k_gm_{p.tensor(arguments.k)},
        v_gm_{p.tensor(arguments.v)},
        scores_{p, fifos_.scores, region(p, arguments, 0, fifos_.scores), p.block_index()},
        weights_{p, fifos_.weights, region(p, arguments, fifos_.weights_at(), fifos_.weights), p.block_index()},
        values_{p, fifos_.values, region(p, arguments, fifos_.values_at(), fifos_.values), p.block_index()},
        first_key_{p.imm(0)},
        q_{p.ring(1, Pipe::MTE2, Pipe::MTE1, {{Space::L1, DType::F16, s.cube_s0, s.head_dim, Layout::NZ, "q"}})},
        k_{p.ring(2, Pipe::MTE2, Pipe::MTE1, {{Space::L1, DType::F16, s.cube_s1, s.head_dim, Layout::NZ, "k"}})},
        pv_{p.ring(2, Pipe::MTE2, Pipe::MTE1,
                   {{Space::L1, DType::F16, s.cube_s0, s.cube_s1, Layout::NZ, "weights"},
                    {Space::L1, DType::F16, s.cube_s1, s.head_dim, Layout::NZ, "v"}})},
        operands_{p.ring(2, Pipe::MTE1, Pipe::M,
                         {{Space::L0A, DType::F16, s.cube_s0, std::max(s.head_dim, s.cube_s1), Layout::ZZ, "left"},
                          {Space::L0B, DType::F16, s.head_dim, s.cube_s1, Layout::ZNt, "right"}})},
        acc_{p.ring(2, Pipe::M, Pipe::FIX,
                    {{Space::L0C, DType::F32, s.cube_s0, std::max(s.head_dim, s.cube_s1), Layout::NZ, "acc"}})} {}

  void emit() {
    walk(p, s,
         {.begin =
              [&](const Reg& query, const Reg& key) {
                first_key_.set(key);
                q_.produce();
                p.tload(q_[0], q_gm_.at(query, 0));  // (cube_s0, head_dim) f16
                q_.push();
                q_.consume();
              },
          .ahead = [&](const Reg& tile) { score(tile); },
          .behind = [&](const Reg& tile) { value(tile); },
          .end = [&] { q_.pop(); }});
    scores_.drain();
    values_.drain();
  }

 private:
  /// scores slot = q [cube_s0, hd] @ k^T [hd, tile_s1], product by product.
  void score(const Reg& tile) {
    scores_.put(Pipe::FIX, [&](const GmTensor& slot, const Reg& slot_row) {
      const Reg key = tile * s.tile_s1 + first_key_;
      for (std::uint32_t col = 0; col < s.tile_s1; col += s.cube_s1) {
        k_.produce();
        {
          const Reg row = key + col;
          p.tload(k_[0], k_gm_.at(row, 0));  // (cube_s1, hd) f16
        }
        k_.push();
        k_.consume();
        operands_.produce();
        const Tile left = operands_[0].valid(s.cube_s0, s.head_dim), right = operands_[1];
        p.textract(left, q_[0], 0, 0);
        p.textract(right, k_[0], 0, 0);
        k_.pop();
        operands_.push();
        operands_.consume();
        acc_.produce();
        const Tile acc = acc_[0].valid(s.cube_s0, s.cube_s1);
        p.tmatmul(acc, left, right);
        operands_.pop();
        acc_.push();
        acc_.consume();
        p.tstore(slot.at(slot_row, col), acc);
        acc_.pop();
      }
    });
  }

  /// values slot = weights [cube_s0, tile_s1] @ v [tile_s1, hd], summed over its products.
  void value(const Reg& tile) {
    weights_.get([&](const GmTensor& weights, const Reg& weights_row) {
      values_.put(Pipe::FIX, [&](const GmTensor& slot, const Reg& slot_row) {
        const Reg key = tile * s.tile_s1 + first_key_;
        acc_.produce();
        const Tile acc = acc_[0].valid(s.cube_s0, s.head_dim);
        for (std::uint32_t col = 0; col < s.tile_s1; col += s.cube_s1) {
          pv_.produce();
          p.tload(pv_[0], weights.at(weights_row, col));  // (cube_s0, cube_s1) f16
          {
            const Reg row = key + col;
            p.tload(pv_[1], v_gm_.at(row, 0));  // (cube_s1, hd) f16
          }
          pv_.push();
          pv_.consume();
          operands_.produce();
          const Tile left = operands_[0].valid(s.cube_s0, s.cube_s1);
          const Tile right = operands_[1].reshape(DType::F16, s.cube_s1, s.head_dim, Layout::ZN);
          p.textract(left, pv_[0], 0, 0);
          p.textract(right, pv_[1], 0, 0);
          pv_.pop();
          operands_.push();
          operands_.consume();
          col == 0 ? p.tmatmul(acc, left, right) : p.tmatmul_acc(acc, left, right);
          operands_.pop();
        }
        acc_.push();
        acc_.consume();
        p.tstore(slot.at(slot_row, 0), acc);
        acc_.pop();
      });
    });
  }

  PartBuilder& p;
  const FlashAttentionPlan& s;
  Fifos fifos_;
  GmTensor q_gm_, k_gm_, v_gm_;
  CrossFifoWriter scores_;
  CrossFifoReader weights_;
  CrossFifoWriter values_;
  Reg first_key_;  ///< of the block's head
  Ring &q_, &k_, &pv_, &operands_, &acc_;
};

}  // namespace

void emit_cube(PartBuilder& part, const FlashAttentionPlan& plan, const Arguments& arguments) {
  CubePart{part, plan, arguments}.emit();
}

}  // namespace npu::kernels::flash
