#include "kernels/common/cross_fifo.hpp"

#include "isa/errors.hpp"

namespace npu::kernels {

using isa::GmTensor;
using isa::PartBuilder;
using isa::Pipe;
using isa::Reg;

CrossFifoCursor::CrossFifoCursor(PartBuilder& part, const CrossFifo& fifo, GmTensor workspace, const Reg& block)
    : part_{part},
      fifo_{fifo},
      workspace_{workspace.address(block * (fifo.slots * fifo.rows), 0), fifo.dtype, fifo.cols},
      row_{part.imm(0)} {
  const isa::ArchSpec& arch = part.arch();
  if (fifo.slots > arch.cross_flag_limit) {
    throw program_error("kernel {}: a ring of {} slots between the cores counts to {}, core.cross_flag_limit = {}",
                        part.kernel(), fifo.slots, fifo.slots, arch.cross_flag_limit);
  }
}

void CrossFifoCursor::advance() {
  if (fifo_.slots == 1) return;
  part_.if_else(
      row_ == (fifo_.slots - 1) * fifo_.rows, [&] { row_.set(0); }, [&] { row_ += fifo_.rows; });
}

void CrossFifoWriter::put(Pipe pipe, const Body& body) {
  part_.wait_cross(fifo_.free_id);
  body(workspace_, row_);
  part_.set_cross(pipe, fifo_.full_id);
  advance();
}

void CrossFifoWriter::put(const isa::Tile& acc) {
  put(Pipe::FIX, [&](const GmTensor& slot, const Reg& row) { part_.tstore(slot.at(row, 0), acc); });
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
