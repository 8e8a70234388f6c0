#include "kernels/common/cross_fifo.hpp"

namespace npu::kernels {

using isa::GmTensor;
using isa::PartBuilder;
using isa::Pipe;
using isa::Reg;

CrossFifoCursor::CrossFifoCursor(PartBuilder& part, const CrossFifo& fifo, GmTensor workspace, const Reg& block)
    : part_{part},
      fifo_{fifo},
      workspace_{std::move(workspace)},
      first_{block * (fifo.slots * fifo.rows)},
      last_{first_ + (fifo.slots - 1) * fifo.rows},
      row_{part.copy(first_)} {}

void CrossFifoCursor::advance() {
  part_.if_else(row_ == last_, [&] { row_.set(first_); }, [&] { row_ += fifo_.rows; });
}

void CrossFifoWriter::put(const isa::Tile& acc) {
  part_.wait_cross(fifo_.free_id);
  part_.tstore(workspace_.at(row_, 0), acc);
  part_.set_cross(Pipe::FIX, fifo_.full_id);
  advance();
}

void CrossFifoWriter::drain() {
  for (std::uint32_t slot = 0; slot < fifo_.slots; ++slot) part_.wait_cross(fifo_.free_id);
}

CrossFifoReader::CrossFifoReader(PartBuilder& part, const CrossFifo& fifo, GmTensor workspace, const Reg& block)
    : CrossFifoCursor{part, fifo, std::move(workspace), block} {
  for (std::uint32_t slot = 0; slot < fifo.slots; ++slot) part.set_cross(Pipe::MTE2, fifo.free_id);
}

void CrossFifoReader::get(const std::function<void(const GmTensor&, const Reg&)>& body) {
  part_.wait_cross(fifo_.full_id);
  body(workspace_, row_);
  part_.set_cross(Pipe::MTE2, fifo_.free_id);
  advance();
}

}  // namespace npu::kernels
