// Scalar accesses: tile elements, global memory through the data cache, int32 cells.
#include <algorithm>
#include <cstring>

#include "isa/errors.hpp"
#include "isa/instructions/instruction_table.hpp"
#include "model/core/core.hpp"

namespace npu::model {

using isa::Instruction;
using isa::Opcode;
using traces::WaitReason;

namespace {

std::int64_t load_element(const std::byte* from, isa::DType dtype) {
  const auto as = [&]<class T>(T value) {
    std::memcpy(&value, from, sizeof value);
    return static_cast<std::int64_t>(value);
  };
  switch (dtype) {
    case isa::DType::I8:
      return as(std::int8_t{});
    case isa::DType::U8:
      return as(std::uint8_t{});
    case isa::DType::I16:
      return as(std::int16_t{});
    case isa::DType::F16:
    case isa::DType::BF16:
      return as(std::uint16_t{});
    case isa::DType::I32:
    case isa::DType::F32:
      return as(std::int32_t{});
    case isa::DType::I64:
      return as(std::int64_t{});
  }
  return 0;
}

void store_element(std::byte* to, isa::DType dtype, std::int64_t value) {
  std::memcpy(to, &value, isa::size_of(dtype));  // little-endian: the low bytes
}

}  // namespace

// ---- memory ------------------------------------------------------------------------------------------------------

// A line starts inside its tensor and may end in the guard gap behind it, which belongs to nobody.
void Core::write_back(DataCache::Line& line) {
  std::memcpy(services_.memory.resolve(line.address, 1, "data cache"), cache_.data(line).data(), cache_.line_bytes());
  line.dirty = false;
}

bool Core::scalar_memory(const Instruction& ins) {
  const auto dtype = static_cast<isa::DType>(ins.mode);
  const std::uint64_t address = scalar_address(ins);
  if (address % isa::size_of(dtype) != 0) {
    fail(pc_,
         fmt::format("scalar access to {:#x} is not aligned; limit: multiples of {} bytes ({}); way out: align the "
                     "address",
                     address, isa::size_of(dtype), isa::name_of(dtype)));
  }
  named(pc_, [&] {
    (void)services_.memory.resolve(address, isa::size_of(dtype),
                                   ins.opcode == Opcode::StGm ? "scalar store" : "scalar load");
    if (ins.opcode == Opcode::StGm) services_.memory.require_writable(address, "scalar store");
  });
  if (!cache_.hit(address)) {
    if (!fill_arrives_) {
      fill_arrives_ = true;
      wait_in_order(scalar_time_ + services_.memory.scalar_latency(where_.card, address, false));
      return false;
    }
    DataCache::Line& line = cache_.slot(address);
    if (line.dirty) {
      write_back(line);
      store_done_ =
          std::max(store_done_, scalar_time_ + services_.memory.scalar_latency(where_.card, line.address, true));
    }
    line.address = cache_.line_address(address);
    std::memcpy(cache_.data(line).data(), services_.memory.resolve(line.address, 1, "data cache"), cache_.line_bytes());
  }
  fill_arrives_ = false;
  DataCache::Line& line = cache_.slot(address);
  std::byte* element = cache_.data(line).data() + (address - line.address);
  if (ins.opcode == Opcode::LdGm) {
    load_register(ins, load_element(element, dtype));
  } else {
    store_element(element, dtype, registers_[ins.r0]);
    line.dirty = true;
  }
  return true;
}

void Core::scalar_tile(const Instruction& ins) {
  const ResolvedTile t = resolve_tile(ins.t0);
  const isa::TileDesc& d = block_.program->tiles[ins.t0];
  const std::int64_t row = registers_[ins.r1], col = registers_[ins.r2];
  if (row < 0 || row >= t.rows || col < 0 || col >= t.cols) {
    fail(pc_, fmt::format("element ({}, {}) of tile {}; limit: {}x{} are valid; way out: keep row and column inside",
                          row, col, block_.program->tile_names[ins.t0], t.rows, t.cols));
  }
  const isa::TileView view{.data = spaces_[isa::index_of(d.space)].data() + t.offset,
                           .pitch = d.pitch,
                           .rows = t.rows,
                           .cols = t.cols,
                           .dtype = d.dtype,
                           .layout = d.layout};
  const bool columns = isa::is_column_major(d.layout);
  std::byte* element = view.data + (columns ? col : row) * d.pitch + (columns ? row : col) * isa::size_of(d.dtype);
  if (ins.opcode == Opcode::LdTile) {
    load_register(ins, load_element(element, d.dtype));
  } else {
    store_element(element, d.dtype, registers_[ins.r0]);
    if (services_.mode == Mode::Timing) {
      mark_element(ins, static_cast<std::uint32_t>(element - spaces_[isa::index_of(d.space)].data()));
    }
  }
}

void Core::clean_cache(const Instruction& ins) {
  const auto begin = static_cast<std::uint64_t>(registers_[ins.r0]);
  const std::int64_t bytes = registers_[ins.r1];
  if (ins.mode == 0 && bytes < 0) {
    fail(pc_, fmt::format("dcci of {} bytes; limit: not below 0; way out: pass address and size", bytes));
  }
  const std::uint64_t end = begin + std::min(static_cast<std::uint64_t>(bytes), ~begin);
  std::uint64_t touched = 0;
  for (DataCache::Line& line : cache_.lines()) {
    if (line.address == DataCache::kInvalid) continue;
    if (ins.mode == 0 && (line.address + cache_.line_bytes() <= begin || line.address >= end)) continue;
    ++touched;
    if (line.dirty) {
      write_back(line);
      services_.notifies->stored(line.address, cache_.line_bytes());
      store_done_ =
          std::max(store_done_, scalar_time_ + services_.memory.scalar_latency(where_.card, line.address, true));
    }
    line.address = DataCache::kInvalid;
  }
  const double ns = env_.machine.params.core.dcci_ns;
  spend_waiting(scalar_time_ + std::max<std::uint64_t>(1, touched) * cycles_of_ns(env_.machine.params, ns),
                WaitReason::Memory);
}

// ---- cells -------------------------------------------------------------------------------------------------------

void Core::require_cell(std::uint64_t address) const {
  if (address % sizeof(std::int32_t) == 0) return;
  fail(pc_,
       fmt::format("cell {:#x} is not aligned to 4 bytes; limit: a cell is an aligned int32; way out: step through "
                   "cells by 4 bytes",
                   address));
}

std::int32_t Core::read_cell(std::uint64_t address) const {
  std::int32_t value = 0;
  std::memcpy(&value, services_.memory.resolve(address, sizeof value, "cell"), sizeof value);
  return value;
}

void Core::send_notify(const Instruction& ins) {
  const auto address = static_cast<std::uint64_t>(registers_[ins.r0]);
  require_cell(address);
  named(pc_, [&] {
    (void)services_.memory.resolve(address, sizeof(std::int32_t), "notify");
    services_.memory.require_writable(address, "notify");
  });
  const std::uint64_t arrival = scalar_time_ + services_.memory.scalar_latency(where_.card, address, true);
  store_done_ = std::max(store_done_, arrival);
  services_.notifies->post(arrival, {.address = address,
                                     .value = static_cast<std::int32_t>(registers_[ins.r1]),
                                     .add = ins.mode == 1,
                                     .source = track_,
                                     .sent = scalar_time_});
}

bool Core::wait_cell(const Instruction& ins) {
  const auto address = static_cast<std::uint64_t>(registers_[ins.r0]);
  if (!watching_) {
    require_cell(address);
    (void)named(pc_, [&] { return read_cell(address); });
    if (const std::uint32_t card = card_of(GmAddress{address}); card != where_.card) {
      fail(pc_,
           fmt::format("cell {:#x} of {} is on card {}; limit: twait polls a cell of its own card, {}; way out: let "
                       "the other card notify a cell here",
                       address, services_.memory.allocation_name(address), card, where_.card));
    }
  }
  if (!compare(ins.mode, read_cell(address), registers_[ins.r1])) {
    if (!watching_) {
      block_scalar(ScalarState::Cell, WaitReason::Notify);
      services_.notifies->watch(address, *this);
      watching_ = true;
      watched_cell_ = address;
    }
    return false;
  }
  if (watching_) {
    services_.notifies->unwatch(address, *this);
    watching_ = false;
    resume_scalar(env_.clock.now());
    if (env_.sink != nullptr && has_notify_) {
      env_.sink->flow(traces::FlowKind::NotifyToWait, last_notify_.source, Cycles{last_notify_.sent}, track_,
                      Cycles{scalar_time_});
    }
  }
  spend_waiting(scalar_time_ + cycles_of_ns(env_.machine.params, env_.machine.params.link.poll_ns), WaitReason::Notify);
  has_notify_ = false;
  return true;
}

}  // namespace npu::model
