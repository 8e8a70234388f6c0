#include "isa/builder/capacity.hpp"

#include <algorithm>

namespace npu::isa {
namespace {

std::uint64_t all_slots(const Allocation& a) { return std::uint64_t{a.bytes} * a.slots; }

}  // namespace

std::vector<SpaceBudget> budgets_of(const std::vector<Allocation>& memory_map, const ArchSpec& arch) {
  std::vector<SpaceBudget> budgets;
  for (std::size_t s = 0; s < kSpaceCount; ++s) {
    SpaceBudget budget{.space = static_cast<Space>(s)};
    budget.limit = arch.buffer(budget.space).capacity.count();
    for (const Allocation& a : memory_map) {
      if (a.space != budget.space) continue;
      budget.used = std::max(budget.used, std::uint64_t{a.offset} + a.bytes);
      const bool is_tile = a.rows != 0;
      if (is_tile && (budget.largest == nullptr || all_slots(a) > all_slots(*budget.largest))) budget.largest = &a;
    }
    if (budget.largest != nullptr) budgets.push_back(budget);
  }
  return budgets;
}

std::string first_cut(const SpaceBudget& budget) {
  const Allocation& tile = *budget.largest;
  const bool by_cols = tile.cols >= tile.rows;
  std::string text = fmt::format("{} of {} (", by_cols ? "columns" : "rows", tile.name);
  if (tile.slots > 1) text += fmt::format("{} slots of ", tile.slots);
  text += fmt::format("{}x{} {})", tile.rows, tile.cols, name_of(tile.dtype));
  if (!budget.is_over()) return text;
  const std::uint64_t excess = budget.used - budget.limit, bytes = all_slots(tile),
                      extent = by_cols ? tile.cols : tile.rows;
  const std::uint64_t fitting = excess < bytes ? extent * (bytes - excess) / bytes : 0;
  return fitting > 0 ? text + fmt::format(" to {}", fitting) : text + ", and those of other tiles";
}

void require_capacity(const std::string& kernel, const std::vector<Allocation>& memory_map, const ArchSpec& arch) {
  std::string text;
  std::vector<Space> exceeded;
  for (const SpaceBudget& budget : budgets_of(memory_map, arch)) {
    if (!budget.is_over()) continue;
    exceeded.push_back(budget.space);
    text += fmt::format("{}kernel {}: its tiles need {} bytes of {}, {} has {} ({}); cut the {}; memory map:",
                        text.empty() ? "" : "\n", kernel, budget.used, name_of(budget.space), arch.name, budget.limit,
                        capacity_key(budget.space), first_cut(budget));
    for (const Allocation& a : memory_map) {
      if (a.space == budget.space) text += fmt::format("\n  {:>8} + {:<8} {}", a.offset, a.bytes, a.name);
    }
  }
  if (!text.empty()) throw CapacityError{text, std::move(exceeded), memory_map};
}

}  // namespace npu::isa
