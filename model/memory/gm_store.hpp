// The bytes of global memory: one range of addresses per card, committed by the host only where it is touched.
// Large inputs may stay where the host has them. Modelled: capacity, allocation, bounds. Not modelled: freeing (windows
// and tensors live as long as the system).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace npu::model {

/// Base alignment of every allocation, and least distance between two: an overrun hits no other tensor.
inline constexpr std::uint64_t kGmAlignment = 512;

class GmStore {
 public:
  /// A card's range of host addresses is reserved when its memory is touched for the first time.
  GmStore(std::uint32_t cards, std::uint64_t capacity_bytes);
  ~GmStore();
  GmStore(const GmStore&) = delete;
  GmStore& operator=(const GmStore&) = delete;

  /// Address of zeroed, aligned memory. The guard gap counts as used. Throws ConfigError when it does not fit.
  std::uint64_t allocate(std::uint32_t card, std::uint64_t bytes, const std::string& name);
  [[nodiscard]] std::uint64_t allocated() const;  ///< bytes, on all cards
  /// Host pointer of [address, address + bytes). Throws ProgramError opened by `who` unless one allocation holds it
  /// all, and ConfigError when the host cannot reserve the card's memory.
  [[nodiscard]] std::byte* resolve(std::uint64_t address, std::uint64_t bytes, std::string_view who) {
    if (last_ == nullptr || !last_->holds(address, bytes)) last_ = &find(address, bytes, who);
    return last_->data + (address - last_->begin);
  }
  /// The allocation at `address` reads these bytes, as many as it has and in whole cache lines; nothing may write
  /// there.
  void map(std::uint64_t address, std::span<const std::byte> bytes);
  /// Nothing may write the allocation at `address`.
  void protect(std::uint64_t address);
  /// Throws ProgramError opened by `who` where the byte belongs to an allocation that nothing may write.
  void require_writable(std::uint64_t address, std::string_view who) const;
  /// "?" when no allocation holds the address.
  [[nodiscard]] std::string_view allocation_name(std::uint64_t address) const;

 private:
  struct Allocation {
    std::uint64_t begin, end;
    std::byte* data;  // null until touched; of a mapped allocation: the host's, never written
    std::string name;
    bool read_only = false;
    [[nodiscard]] bool holds(std::uint64_t address, std::uint64_t bytes) const {
      return address >= begin && address <= end && bytes <= end - address;
    }
  };
  struct Card {
    std::byte* memory = nullptr;
    std::uint64_t used = 0;
    std::vector<Allocation> allocations;  // ascending
  };
  const Allocation* at_or_below(std::uint64_t address) const;
  Allocation& allocation_at(std::uint64_t address);
  const Allocation& find(std::uint64_t address, std::uint64_t bytes, std::string_view who);
  std::byte* reserve(std::size_t card);

  std::uint64_t capacity_;
  std::vector<Card> cards_;
  const Allocation* last_ = nullptr;  // hit by the last resolve(); reset when the table grows
};

}  // namespace npu::model
