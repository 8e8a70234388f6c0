// On-chip bytes that are read before anybody has written them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "model/checks/findings.hpp"
#include "model/observer.hpp"

namespace npu::model {

/// On silicon a buffer holds what the last kernel left there, L0C included; the simulator's are zero. A block starts
/// with nothing written.
class UninitCheck final : public Observer {
 public:
  /// `findings` outlives the check.
  explicit UninitCheck(Findings& findings) : findings_{findings} {}

  void core_added(const CoreLocation& core, const isa::ArchSpec& arch) override;
  void block_started(const CoreLocation& core, const Block& block, Cycles at) override;
  void operation_started(const CoreLocation& core, const isa::Operation& op, Cycles at) override;
  void scalar_accessed(const CoreLocation& core, const isa::Operation& op, Cycles at) override;

 private:
  /// One bit per byte of a space.
  class WrittenBytes {
   public:
    void resize(std::uint64_t bytes) { words_.assign((bytes + 63) / 64, 0); }
    void forget();
    void write(std::uint64_t begin, std::uint64_t end);
    /// The first byte of [begin, end) that is not written; `end` where all are.
    [[nodiscard]] std::uint64_t first_missing(std::uint64_t begin, std::uint64_t end) const;

   private:
    std::vector<std::uint64_t> words_;
    std::uint64_t used_ = 0;  ///< words behind are zero
  };
  using Spaces = std::array<WrittenBytes, isa::kSpaceCount>;

  void look(const CoreLocation& core, const isa::Operation& op, Cycles at);

  Findings& findings_;
  std::vector<std::vector<Spaces>> cores_;  ///< by card and index
};

}  // namespace npu::model
