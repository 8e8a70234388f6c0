#include "model/memory/gm_store.hpp"

#include <sys/mman.h>

#include <algorithm>

#include "isa/errors.hpp"
#include "isa/units.hpp"
#include "model/device.hpp"

namespace npu::model {

GmStore::GmStore(std::uint32_t cards, std::uint64_t capacity_bytes) : capacity_{capacity_bytes}, cards_(cards) {
  NPU_ASSERT(capacity_bytes < std::uint64_t{1} << kCardShift, "a card's memory does not fit its address range");
}

/// Start of the card's memory.
std::byte* GmStore::reserve(std::size_t card) {
  Card& c = cards_[card];
  if (c.memory != nullptr) return c.memory;
  void* memory = ::mmap(nullptr, capacity_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    throw config_error(
        "this host cannot reserve {} bytes of address space for the memory of card {} (of {} cards): "
        "lower memory.hbm_capacity_gib or raise the limit (ulimit -v)",
        capacity_, card, cards_.size());
  }
  ::madvise(memory, capacity_, MADV_NOHUGEPAGE);  // paged pools are sparse: a large page would mostly hold nothing
  return c.memory = static_cast<std::byte*>(memory);
}

GmStore::~GmStore() {
  for (const Card& card : cards_) {
    if (card.memory != nullptr) ::munmap(card.memory, capacity_);
  }
}

std::uint64_t GmStore::allocate(std::uint32_t card, std::uint64_t bytes, const std::string& name) {
  if (card >= cards_.size()) throw config_error("'{}' is for card {}, the system has {}", name, card, cards_.size());
  if (bytes == 0) throw config_error("'{}' on card {} has no bytes", name, card);
  Card& c = cards_[card];
  const std::uint64_t gap = c.allocations.empty() ? 0 : kGmAlignment;
  const std::uint64_t offset = isa::round_up(c.used, kGmAlignment) + gap;
  if (offset > capacity_ || bytes > capacity_ - offset) {
    throw config_error(
        "'{}' needs {} bytes, but card {} has {} of {} bytes of HBM left (memory.hbm_capacity_gib): "
        "use smaller tensors or more cards",
        name, bytes, card, capacity_ - std::min(offset, capacity_), capacity_);
  }
  c.used = offset + bytes;
  const auto begin = static_cast<std::uint64_t>(gm_address(card, offset));
  last_ = nullptr;
  c.allocations.push_back({begin, begin + bytes, nullptr, name});
  return begin;
}

std::uint64_t GmStore::allocated() const {
  std::uint64_t sum = 0;
  for (const Card& card : cards_) sum += card.used;
  return sum;
}

const GmStore::Allocation* GmStore::at_or_below(std::uint64_t address) const {
  const std::uint64_t card = (address >> kCardShift) - 1;  // below card 0 wraps round to a card that does not exist
  if (card >= cards_.size()) return nullptr;
  const auto& table = cards_[card].allocations;
  const auto above = std::upper_bound(table.begin(), table.end(), address,
                                      [](std::uint64_t a, const Allocation& x) { return a < x.begin; });
  return above == table.begin() ? nullptr : &*std::prev(above);
}

const GmStore::Allocation& GmStore::find(std::uint64_t address, std::uint64_t bytes, std::string_view who) {
  const Allocation* a = at_or_below(address);
  if (a == nullptr) {
    throw program_error("{}: {} bytes at {:#x} lie below every allocation: not an address of global memory", who, bytes,
                        address);
  }
  const std::uint64_t card = (address >> kCardShift) - 1;
  if (a->holds(address, bytes)) {
    Allocation& held = cards_[card].allocations[static_cast<std::size_t>(a - cards_[card].allocations.data())];
    if (held.data == nullptr) held.data = reserve(card) + (a->begin & ((std::uint64_t{1} << kCardShift) - 1));
    return held;
  }
  const std::uint64_t end = address + std::min(bytes, ~address);  // no further than addresses go
  throw program_error("{}: {} bytes at offset {} of '{}' (card {}, {} bytes, address {:#x}) end {} bytes behind it",
                      who, bytes, address - a->begin, a->name, card, a->end - a->begin, a->begin, end - a->end);
}

GmStore::Allocation& GmStore::allocation_at(std::uint64_t address) {
  auto& table = cards_.at((address >> kCardShift) - 1).allocations;
  const auto it = std::lower_bound(table.begin(), table.end(), address,
                                   [](const Allocation& x, std::uint64_t a) { return x.begin < a; });
  NPU_ASSERT(it != table.end() && it->begin == address, "an allocation begins at the address");
  return *it;
}

void GmStore::map(std::uint64_t address, std::span<const std::byte> bytes) {
  Allocation& target = allocation_at(address);
  NPU_ASSERT(target.end - target.begin == bytes.size(), "a whole allocation");
  target.data = const_cast<std::byte*>(bytes.data());
  target.read_only = true;
}

void GmStore::protect(std::uint64_t address) { allocation_at(address).read_only = true; }

void GmStore::require_writable(std::uint64_t address, std::string_view who) const {
  const Allocation* a = at_or_below(address);
  if (a != nullptr && a->read_only) {
    throw program_error("{}: writes to '{}', which no task of the run declares as its output; make it out or inout",
                        who, a->name);
  }
}

std::string_view GmStore::allocation_name(std::uint64_t address) const {
  const Allocation* a = at_or_below(address);
  return a != nullptr && address < a->end ? std::string_view{a->name} : "?";
}

}  // namespace npu::model
