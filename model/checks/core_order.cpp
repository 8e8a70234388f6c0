#include "model/checks/core_order.hpp"

#include <algorithm>

namespace npu::model {

using isa::Opcode;
using isa::Pipe;

void CoreOrder::begin_block() {
  clocks_ = {};
  started_ = {};
  for (auto& queue : issued_) queue.clear();
}

void CoreOrder::join(Clock& into, const Clock& from) {
  for (std::size_t p = 0; p < into.size(); ++p) into[p] = std::max(into[p], from[p]);
}

std::uint32_t CoreOrder::scalar_step() {
  const std::size_t s = isa::index_of(Pipe::S);
  return clocks_[s][s] = ++started_[s];
}

std::uint32_t CoreOrder::started(const isa::Operation& op) {
  const std::size_t p = isa::index_of(op.pipe);
  Clock& clock = clocks_[p];
  if (op.pipe == Pipe::S) {
    clock[p] = started_[p] + 1;
  } else {
    join(clock, issued_[p].front());
    issued_[p].pop();
  }
  const std::uint32_t number = ++started_[p];
  if (op.opcode == Opcode::WaitFlag) {
    join(clock, flag(op));
  } else if (op.opcode == Opcode::SetFlag) {
    flag(op) = clock;
    flag(op)[p] = number;
  } else if (op.opcode == Opcode::PipeBarrier && op.pipe == Pipe::S) {
    join(clock, started_);
  } else if (op.opcode == Opcode::PipeBarrier) {
    clock[p] = number;
  }
  return number;
}

}  // namespace npu::model
