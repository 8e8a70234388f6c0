// The vector part: running softmax of a tile of scores, and later its values into the output.
#include <algorithm>
#include <cmath>

#include "kernels/calibration/flash_attention_parts.hpp"

namespace npu::kernels::flash {

using namespace isa;

namespace {

class VectorPart {
 public:
  VectorPart(PartBuilder& part, const FlashAttentionPlan& plan, const Arguments& arguments)
      : p{part},
        s{plan},
        fifos_{fifos_of(plan)},
        o_gm_{p.tensor(arguments.o)},
        first_row_{p.special(SpecialReg::SubBlock) * s.core_rows()},
        query_{p.imm(0)},
        kept_offset_{p.imm(0)},
        scores_{p, fifos_.scores, region(p, arguments, 0, fifos_.scores), p.block_index()},
        weights_{p, fifos_.weights, region(p, arguments, fifos_.weights_at(), fifos_.weights), p.block_index()},
        values_{p, fifos_.values, region(p, arguments, fifos_.values_at(), fifos_.values), p.block_index()},
        load_{p.ring(2, Pipe::MTE2, Pipe::V, {{Space::UB, DType::F32, 1, load_elements(), Layout::ND, "load"}})},
        weight_{p.ring(2, Pipe::V, Pipe::MTE3,
                       {{Space::UB, DType::F16, s.slice_rows(), s.tile_s1, Layout::ND, "weights"}})},
        output_{p.ub(DType::F32, s.core_rows(), s.head_dim, "output")},
        largest_{p.column(DType::F32, s.core_rows(), "largest")},
        total_{p.column(DType::F32, s.core_rows(), "total")},
        tile_largest_{p.column(DType::F32, s.core_rows(), "tile_largest")},
        tile_total_{p.column(DType::F32, s.core_rows(), "tile_total")},
        all_kept_{p.column(DType::F32, s.fifo * s.core_rows(), "kept")} {}

  void emit() {
    walk(p, s,
         {.begin = [&](const Reg& query, const Reg&) { query_.set(query); },
          .ahead = [&](const Reg& tile) { softmax(tile); },
          .behind = [&](const Reg& tile) { merge(tile); },
          .end = [&] { store_output(); }});
    weights_.drain();
  }

 private:
  /// A slot holds a slice of scores, or the values of the core's rows.
  [[nodiscard]] std::uint32_t load_elements() const {
    return std::max(s.slice_rows() * s.tile_s1, s.core_rows() * s.head_dim);
  }
  [[nodiscard]] Tile loaded(std::uint32_t rows, std::uint32_t cols) const {
    return load_[0].view(0, 0, 1, rows * cols).reshape(DType::F32, rows, cols, Layout::ND);
  }
  [[nodiscard]] Tile slice(const Tile& column, std::uint32_t first) const {
    return column.view(first, 0, s.slice_rows(), 1);
  }
  /// exp(old max - new max) of a tile: of as many tiles as are in flight.
  [[nodiscard]] Tile kept(const Reg& tile) {
    kept_offset_.set(tile % s.fifo * (s.core_rows() * size_of(DType::F32)));
    return all_kept_.view(0, 0, s.core_rows(), 1).at(kept_offset_);
  }

  /// weights slot = f16(exp(scale (score - max))); max, sum and what earlier sums keep go to the state.
  void softmax(const Reg& tile) {
    const Tile keep = kept(tile);
    weights_.put(Pipe::MTE3, [&](const GmTensor& out, const Reg& out_row) {
      scores_.get([&](const GmTensor& in, const Reg& in_row) {
        for (std::uint32_t first = 0; first < s.core_rows(); first += s.slice_rows()) {
          const Reg row = first_row_ + first;
          load_.produce();
          {
            const Reg from = in_row + row;
            p.tload(loaded(s.slice_rows(), s.tile_s1), in.at(from, 0));  // (slice, tile_s1) f32
          }
          load_.push();
          load_.consume();
          weight_.produce();
          p.if_else(
              tile == 0, [&] { first_slice(first); }, [&] { next_slice(first, slice(keep, first)); });
          load_.pop();
          weight_.push();
          weight_.consume();
          const Reg to = out_row + row;
          p.tstore(out.at(to, 0), weight_[0]);  // (slice, tile_s1) f16
          weight_.pop();
        }
      });
    });
  }

  void first_slice(std::uint32_t first) {
    const Tile x = loaded(s.slice_rows(), s.tile_s1);
    p.vec(Opcode::TRowMax, slice(largest_, first), x);
    p.vec(Opcode::TRowExpandSub, x, x, slice(largest_, first));
    p.vecs(Opcode::TMulS, x, x, scale());
    p.vec(Opcode::TExp, x, x);
    p.vec(Opcode::TRowSum, slice(total_, first), x);
    p.tcvt(weight_[0], x, RoundMode::Round);
  }

  void next_slice(std::uint32_t first, const Tile& keep) {
    const Tile x = loaded(s.slice_rows(), s.tile_s1);
    const Tile now = slice(tile_largest_, first), before = slice(largest_, first), total = slice(total_, first);
    p.vec(Opcode::TRowMax, now, x);
    p.vec(Opcode::TMax, now, now, before);
    p.vec(Opcode::TSub, keep, before, now);
    p.vec(Opcode::TCopy, before, now);
    p.vec(Opcode::TRowExpandSub, x, x, now);
    p.vecs(Opcode::TMulS, keep, keep, scale());
    p.vecs(Opcode::TMulS, x, x, scale());
    p.vec(Opcode::TExp, keep, keep);
    p.vec(Opcode::TExp, x, x);
    p.tcvt(weight_[0], x, RoundMode::Round);
    p.vec(Opcode::TMul, total, keep, total);
    p.vec(Opcode::TRowSum, slice(tile_total_, first), x);
    p.vec(Opcode::TAdd, total, total, slice(tile_total_, first));
  }

  /// output = output * kept + values slot; the first tile's values are the output.
  void merge(const Reg& tile) {
    const Tile keep = kept(tile);
    values_.get([&](const GmTensor& in, const Reg& in_row) {
      const Reg row = in_row + first_row_;
      load_.produce();
      const Tile value = loaded(s.core_rows(), s.head_dim);
      p.tload(value, in.at(row, 0));  // (core rows, hd) f32
      load_.push();
      load_.consume();
      p.if_else(
          tile == 0,
          [&] {
            p.sync(Pipe::MTE3, Pipe::V);  // the output of the block before has left
            p.vec(Opcode::TCopy, output_, value);
          },
          [&] {
            p.vec(Opcode::TRowExpandMul, output_, output_, keep);
            p.vec(Opcode::TAdd, output_, output_, value);
          });
      load_.pop();
    });
  }

  void store_output() {
    p.vec(Opcode::TRowExpandDiv, output_, output_, total_);
    p.sync(Pipe::V, Pipe::MTE3);
    const Reg row = query_ + first_row_;
    p.tstore(o_gm_.at(row, 0), output_);  // (core rows, hd) f32
  }

  [[nodiscard]] double scale() const { return 1.0 / std::sqrt(static_cast<double>(s.head_dim)); }

  PartBuilder& p;
  const FlashAttentionPlan& s;
  Fifos fifos_;
  GmTensor o_gm_;
  Reg first_row_;  ///< of this core in a block
  Reg query_;      ///< first row of the block
  Reg kept_offset_;
  CrossFifoReader scores_;
  CrossFifoWriter weights_;
  CrossFifoReader values_;
  Ring &load_, &weight_;
  Tile output_;
  Tile largest_, total_, tile_largest_, tile_total_;  ///< [core rows, 1] f32
  Tile all_kept_;                                     ///< [fifo * core rows, 1] f32
};

}  // namespace

void emit_vector(PartBuilder& part, const FlashAttentionPlan& plan, const Arguments& arguments) {
  VectorPart{part, plan, arguments}.emit();
}

}  // namespace npu::kernels::flash
