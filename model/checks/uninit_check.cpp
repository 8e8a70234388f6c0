#include "model/checks/uninit_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace npu::model {

using isa::Access;

void UninitCheck::WrittenBytes::forget() {
  std::fill(words_.begin(), words_.begin() + static_cast<std::ptrdiff_t>(used_), 0);
  used_ = 0;
}

void UninitCheck::WrittenBytes::write(std::uint64_t begin, std::uint64_t end) {
  for (std::uint64_t w = begin / 64; w * 64 < end; ++w) {
    const std::uint64_t first = std::max(begin, w * 64) - w * 64, last = std::min(end, (w + 1) * 64) - w * 64;
    const std::uint64_t upto = last == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << last) - 1;
    words_[w] |= upto & ~((std::uint64_t{1} << first) - 1);
    used_ = std::max(used_, w + 1);
  }
}

std::uint64_t UninitCheck::WrittenBytes::first_missing(std::uint64_t begin, std::uint64_t end) const {
  for (std::uint64_t w = begin / 64; w * 64 < end; ++w) {
    const std::uint64_t first = std::max(begin, w * 64) - w * 64;
    const std::uint64_t missing = ~words_[w] & ~((std::uint64_t{1} << first) - 1);
    if (missing == 0) continue;
    return std::min(end, w * 64 + static_cast<std::uint64_t>(std::countr_zero(missing)));
  }
  return end;
}

void UninitCheck::core_added(const CoreLocation& core, const isa::ArchSpec& arch) {
  if (cores_.size() <= core.card) cores_.resize(core.card + 1);
  auto& card = cores_[core.card];
  if (card.size() <= core.index) card.resize(core.index + 1);
  for (std::size_t s = 0; s < isa::kSpaceCount; ++s) {
    if (isa::owner_of(static_cast<isa::Space>(s)) == core.kind)
      card[core.index][s].resize(arch.buffers[s].physical.count());
  }
}

void UninitCheck::block_started(const CoreLocation& core, const Block&, Cycles) {
  for (WrittenBytes& space : cores_[core.card][core.index]) space.forget();
}

void UninitCheck::operation_started(const CoreLocation& core, const isa::Operation& op, Cycles at) {
  look(core, op, at);
}

void UninitCheck::scalar_accessed(const CoreLocation& core, const isa::Operation& op, Cycles at) { look(core, op, at); }

void UninitCheck::look(const CoreLocation& core, const isa::Operation& op, Cycles at) {
  Spaces& spaces = cores_[core.card][core.index];
  const auto for_lines = [](const Access& access, const auto& visit) {
    if (access.pitch == std::int64_t{access.line_bytes}) return visit(access.begin, access.begin + access.bytes());
    std::uint64_t begin = access.begin;
    for (std::uint32_t i = 0; i < access.lines; ++i, begin += static_cast<std::uint64_t>(access.pitch))
      visit(begin, begin + access.line_bytes);
  };
  for (const Access& access : op.touched()) {
    if (access.empty() || access.place == isa::Place::Gm || !isa::reads(access.kind)) continue;
    for_lines(access, [&](std::uint64_t begin, std::uint64_t end) {
      const std::uint64_t missing = spaces[isa::index_of(access.place)].first_missing(begin, end);
      if (missing == end) return;
      findings_.add({"uninit", op.program, op.index, op.index}, [&] {
        Finding f;
        f.check = "uninit";
        f.message = fmt::format("{} reads bytes {:#x} to {:#x} of {}, of which nothing in this block has written {:#x}",
                                isa::name_of(op.pipe), access.begin, access.begin + access.extent(),
                                isa::name_of(access.place), missing);
        f.remedy = "load, clear or pad the whole region before it is read, or narrow the valid region";
        f.here = place_of(core, *op.program, op.index, at.count());
        return f;
      });
    });
  }
  for (const Access& access : op.touched()) {
    if (access.empty() || access.place == isa::Place::Gm || !isa::writes(access.kind)) continue;
    for_lines(access,
              [&](std::uint64_t begin, std::uint64_t end) { spaces[isa::index_of(access.place)].write(begin, end); });
  }
}

}  // namespace npu::model
