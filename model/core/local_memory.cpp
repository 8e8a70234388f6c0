#include "model/core/local_memory.hpp"

#include "model/memory/memory_system.hpp"

namespace npu::model {

LocalMemory::LocalMemory(isa::CoreKind kind, const isa::ArchSpec& arch) {
  for (std::size_t s = 0; s < isa::kSpaceCount; ++s) {
    if (isa::owner_of(static_cast<isa::Space>(s)) == kind) spaces_[s] = LocalSpace{arch.buffers[s].physical.count()};
  }
}

isa::TileView LocalMemory::view_of(const isa::Access& access) const {
  return {.data = bytes_of(access),
          .pitch = static_cast<std::uint32_t>(access.pitch),
          .rows = access.rows(),
          .cols = access.cols(),
          .dtype = access.dtype,
          .layout = access.layout};
}

isa::Operands operands_of(const isa::Operation& op, const LocalMemory& local, MemorySystem& memory) {
  isa::Operands operands;
  operands.scalar = op.scalar;
  if (op.opcode == isa::Opcode::TFillPad) {
    operands.t[0] = local.view_of(op.accesses[0]);
    operands.full = local.view_of(op.accesses[1]);
    operands.pad = op.program->tiles[op.ins().t0].pad;
    return operands;
  }
  for (std::size_t i = 0; i < operands.t.size() && i < op.count; ++i) {
    if (op.accesses[i].place != isa::Place::Gm) operands.t[i] = local.view_of(op.accesses[i]);
  }
  if (op.opcode == isa::Opcode::TMatmulBias) operands.bias = local.view_of(op.accesses[3]);
  if (const isa::Access* gm = op.transfer()) {
    operands.gm = {.data = memory.resolve(gm->begin, gm->extent(), isa::writes(gm->kind) ? "write" : "read"),
                   .pitch = gm->pitch,
                   .dtype = gm->dtype,
                   .layout = gm->layout};
  }
  return operands;
}

}  // namespace npu::model
