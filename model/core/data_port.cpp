#include "model/core/data_port.hpp"

#include <algorithm>
#include <cstring>

namespace npu::model {
namespace {

std::int64_t load_from(const std::byte* from, isa::DType dtype) {
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

void store_to(std::byte* to, isa::DType dtype, std::int64_t value) {
  std::memcpy(to, &value, isa::size_of(dtype));  // little-endian: the low bytes
}

}  // namespace

DataPort::DataPort(const CoreContext& core, const LocalMemory& local)
    : core_{core}, local_{local}, cache_{core.params().cache_lines, core.env.machine.arch.cache_line} {}

void DataPort::begin_block(std::uint64_t time) {
  stores_done_ = time;
  cache_.invalidate_clean();
}

std::int64_t DataPort::load_element(const isa::Access& at) const { return load_from(local_.bytes_of(at), at.dtype); }

void DataPort::store_element(const isa::Access& at, std::int64_t value) const {
  store_to(local_.bytes_of(at), at.dtype, value);
}

void DataPort::require_accessible(const isa::Access& at) const {
  const bool writes = isa::writes(at.kind);
  (void)core_.services.memory.resolve(at.begin, at.line_bytes, writes ? "scalar store" : "scalar load");
  if (writes) core_.services.memory.require_writable(at.begin, "scalar store");
}

std::uint64_t DataPort::fill_cycles(std::uint64_t address) const {
  return core_.services.memory.scalar_latency(core_.where.card, address, false);
}

// A line starts inside its tensor and may end in the guard gap behind it, which belongs to nobody.
void DataPort::write_back(DataCache::Line& line, std::uint64_t time) {
  MemorySystem& memory = core_.services.memory;
  std::memcpy(memory.resolve(line.address, 1, "data cache"), cache_.data(line).data(), cache_.line_bytes());
  line.dirty = false;
  stores_done_ = std::max(stores_done_, time + memory.scalar_latency(core_.where.card, line.address, true));
  core_.tell([&](Observer& o) { o.line_written_back(core_.where, line.address, Cycles{time}); });
}

void DataPort::fill(std::uint64_t address, std::uint64_t time) {
  DataCache::Line& line = cache_.slot(address);
  if (line.dirty) write_back(line, time);
  if (line.address != DataCache::kInvalid) {
    core_.tell([&](Observer& o) { o.line_dropped(core_.where, line.address, Cycles{time}); });
  }
  line.address = cache_.line_address(address);
  std::memcpy(cache_.data(line).data(), core_.services.memory.resolve(line.address, 1, "data cache"),
              cache_.line_bytes());
  core_.tell([&](Observer& o) { o.line_filled(core_.where, line.address, Cycles{time}); });
}

std::int64_t DataPort::load(const isa::Access& at) {
  const DataCache::Line& line = cache_.slot(at.begin);
  return load_from(cache_.data(line).data() + (at.begin - line.address), at.dtype);
}

void DataPort::store(const isa::Access& at, std::int64_t value) {
  DataCache::Line& line = cache_.slot(at.begin);
  store_to(cache_.data(line).data() + (at.begin - line.address), at.dtype, value);
  line.dirty = true;
}

std::uint64_t DataPort::clean(std::uint64_t begin, std::uint64_t end, std::uint64_t time) {
  std::uint64_t touched = 0;
  for (DataCache::Line& line : cache_.lines()) {
    if (line.address == DataCache::kInvalid) continue;
    if (line.address + cache_.line_bytes() <= begin || line.address >= end) continue;
    ++touched;
    if (line.dirty) {
      write_back(line, time);
      core_.services.notifies->stored(line.address, cache_.line_bytes());
    }
    core_.tell([&](Observer& o) { o.line_dropped(core_.where, line.address, Cycles{time}); });
    line.address = DataCache::kInvalid;
  }
  return touched;
}

std::int32_t DataPort::read_cell(std::uint64_t address) const {
  std::int32_t value = 0;
  std::memcpy(&value, core_.services.memory.resolve(address, sizeof value, "cell"), sizeof value);
  return value;
}

std::uint64_t DataPort::send(std::uint64_t address, std::uint64_t time) {
  MemorySystem& memory = core_.services.memory;
  (void)memory.resolve(address, sizeof(std::int32_t), "notify");
  memory.require_writable(address, "notify");
  const std::uint64_t arrival = time + memory.scalar_latency(core_.where.card, address, true);
  stores_done_ = std::max(stores_done_, arrival);
  return arrival;
}

}  // namespace npu::model
