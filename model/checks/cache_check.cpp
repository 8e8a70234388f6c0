#include "model/checks/cache_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model/core/block.hpp"
#include "model/core/notify_board.hpp"

namespace npu::model {

using isa::Opcode;
using isa::Operation;

template <class F>
void CacheCheck::for_holders(std::uint64_t begin, std::uint64_t end, const F& f) {
  const std::uint64_t first = begin / line_bytes_ * line_bytes_;
  for (auto it = lines_.lower_bound({first, CoreId{}}); it != lines_.end() && it->first.first < end; ++it)
    f(it->first.second, it->second);
}

CacheCheck::Line* CacheCheck::find(const CoreLocation& core, std::uint64_t address) {
  const auto it = lines_.find({address / line_bytes_ * line_bytes_, id_of(core)});
  return it == lines_.end() ? nullptr : &it->second;
}

void CacheCheck::core_added(const CoreLocation&, const isa::ArchSpec& arch) { line_bytes_ = arch.cache_line; }

void CacheCheck::block_started(const CoreLocation& core, const Block&, Cycles) {
  std::erase_if(lines_, [&](const auto& entry) { return entry.first.second == id_of(core) && !entry.second.dirty; });
}

void CacheCheck::block_ended(const CoreLocation& core, const Block&, Cycles, Cycles end) {
  for (auto& [key, line] : lines_) {
    if (key.second != id_of(core) || !line.dirty) continue;
    findings_.add({"cache", line.stored_by, line.store, line.store}, [&, address = key.first] {
      Finding f;
      f.check = "cache";
      f.message = fmt::format("the line at {:#x} is still dirty in the data cache when its block ends", address);
      f.remedy = "dcci of the line, and dsb, behind the last store";
      f.here = place_of(core, *line.stored_by, line.store, end.count());
      return f;
    });
  }
}

void CacheCheck::operation_retired(const CoreLocation& core, const Operation& op, Cycles at) {
  const isa::Access* gm = op.transfer();
  if (gm == nullptr || !isa::writes(gm->kind) || lines_.empty()) return;
  std::uint64_t begin = gm->begin;
  for (std::uint32_t i = 0; i < gm->lines; ++i, begin += static_cast<std::uint64_t>(gm->pitch)) {
    for_holders(begin, begin + gm->line_bytes, [&](const CoreId&, Line& line) {
      if (std::exchange(line.stale, true)) return;
      line.written_by = place_of(core, *op.program, op.index, at.count());
    });
  }
}

void CacheCheck::notify_performed(const Notify& notify, Cycles at) {
  for_holders(notify.address, notify.address + sizeof(std::int32_t), [&](const CoreId&, Line& line) {
    if (std::exchange(line.stale, true)) return;
    line.written_by = {track_name(notify.sender), "a notify", at.count()};
  });
}

void CacheCheck::line_written_back(const CoreLocation& core, std::uint64_t address, Cycles at) {
  Line* const own = find(core, address);
  for_holders(address, address + line_bytes_, [&](const CoreId& holder, Line& line) {
    if (holder == id_of(core) || std::exchange(line.stale, true)) return;
    const bool known = own != nullptr && own->stored_by != nullptr;
    line.written_by = known ? place_of(core, *own->stored_by, own->store, at.count())
                            : FindingPlace{track_name(core), "a write-back of its data cache", at.count()};
  });
  if (own != nullptr) own->dirty = false;
}

void CacheCheck::line_filled(const CoreLocation& core, std::uint64_t address, Cycles) {
  lines_[{address, id_of(core)}] = {};
}

void CacheCheck::line_dropped(const CoreLocation& core, std::uint64_t address, Cycles) {
  lines_.erase({address, id_of(core)});
}

void CacheCheck::scalar_accessed(const CoreLocation& core, const Operation& op, Cycles at) {
  if (op.opcode != Opcode::LdGm && op.opcode != Opcode::StGm) return;
  const std::uint64_t address = op.accesses[0].begin;
  Line* const line = find(core, address);
  if (line == nullptr) return;
  if (op.opcode == Opcode::LdGm) {
    if (!line->stale) return;
    findings_.add({"cache", op.program, op.index, 0}, [&] {
      Finding f;
      f.check = "cache";
      f.message = fmt::format("the load of {:#x} gets what the data cache kept, not what was written since", address);
      f.remedy = "dcci of the line before the load";
      f.here = place_of(core, *op.program, op.index, at.count());
      f.other = line->written_by;
      return f;
    });
    return;
  }
  line->dirty = true;
  line->stored_by = op.program;
  line->store = op.index;
  for_holders(address, address + 1, [&](const CoreId& holder, Line& other) {
    if (holder == id_of(core) || !other.dirty) return;
    findings_.add({"cache", op.program, op.index, other.store}, [&] {
      Finding f;
      f.check = "cache";
      f.message = fmt::format("two cores hold the line at {:#x} dirty: one write-back will undo the other", address);
      f.remedy =
          fmt::format("give every core lines of its own ({} bytes), or dcci before the other core stores", line_bytes_);
      f.here = place_of(core, *op.program, op.index, at.count());
      f.other = {fmt::format("card{}, core {}", holder.first, holder.second),
                 place_of(core, *other.stored_by, other.store, 0).instruction, 0};
      return f;
    });
  });
}

}  // namespace npu::model
