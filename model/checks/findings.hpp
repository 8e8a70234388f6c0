// What checks have found: equal findings once, with a count.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "isa/operation.hpp"
#include "isa/units.hpp"
#include "model/core/core_location.hpp"

namespace npu::model {

/// An instruction on a core, at a time: one end of a finding.
struct FindingPlace {
  std::string core;         ///< track name, "card0.cluster1.aiv0"
  std::string instruction;  ///< kernel, file and line, and the instruction as text
  std::uint64_t cycle = 0;
};

struct Finding {
  std::string check;    ///< race, fence, cache or uninit
  std::string message;  ///< what happened between the two ends
  std::string remedy;   ///< the smallest change that orders or fills what was missing
  FindingPlace here;    ///< where it was noticed
  FindingPlace other;   ///< the other access; empty strings where there is none
  std::uint64_t count = 1;
};

class Findings {
 public:
  /// What makes two findings equal: the check, and both instructions.
  struct Key {
    std::string_view check;
    const isa::Program* program = nullptr;
    std::uint32_t instruction = 0, other = 0;
    auto operator<=>(const Key&) const = default;
  };
  /// Counts the finding; make() gives its text where it is the first of its key.
  template <class Make>
  void add(const Key& key, const Make& make) {
    if (const auto it = index_.find(key); it != index_.end()) {
      ++all_[it->second].count;
      return;
    }
    index_.emplace(key, all_.size());
    all_.push_back(make());
  }
  [[nodiscard]] const std::vector<Finding>& all() const { return all_; }

 private:
  std::map<Key, std::size_t> index_;
  std::vector<Finding> all_;
};

/// Kernel, place in the source, and text of an instruction.
[[nodiscard]] FindingPlace place_of(const CoreLocation& core, const isa::Program& program, std::uint32_t instruction,
                                    std::uint64_t cycle);

}  // namespace npu::model
