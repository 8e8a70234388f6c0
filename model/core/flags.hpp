// Flags between the pipes of a core, and cross-core flags of its cluster.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "isa/arch_spec.hpp"
#include "model/core/core_context.hpp"
#include "model/core/ring_buffer.hpp"

namespace npu::model {

/// Binary flags by (pipe that sets, pipe that waits, id). A flag holds the cycle at which it was set.
class Flags {
 public:
  explicit Flags(std::uint32_t ids_per_pair)
      : ids_{ids_per_pair}, cells_(isa::kPipeCount * isa::kPipeCount * ids_per_pair, kNever) {}

  /// kNever while it is not set.
  [[nodiscard]] std::uint64_t set_at(isa::Pipe from, isa::Pipe to, std::uint32_t id) const {
    return cells_[cell(from, to, id)];
  }
  /// The flag is not set.
  void set(isa::Pipe from, isa::Pipe to, std::uint32_t id, std::uint64_t time) { cells_[cell(from, to, id)] = time; }
  void take(isa::Pipe from, isa::Pipe to, std::uint32_t id) { cells_[cell(from, to, id)] = kNever; }

  struct Name {
    isa::Pipe from, to;
    std::uint32_t id;
  };
  /// The first flag that is set.
  [[nodiscard]] std::optional<Name> any_set() const {
    const auto it = std::find_if(cells_.begin(), cells_.end(), [](std::uint64_t time) { return time != kNever; });
    if (it == cells_.end()) return std::nullopt;
    const auto at = static_cast<std::uint32_t>(it - cells_.begin()), pair = at / ids_;
    return Name{static_cast<isa::Pipe>(pair / isa::kPipeCount), static_cast<isa::Pipe>(pair % isa::kPipeCount),
                at % ids_};
  }

 private:
  [[nodiscard]] std::size_t cell(isa::Pipe from, isa::Pipe to, std::uint32_t id) const {
    return (isa::index_of(from) * isa::kPipeCount + isa::index_of(to)) * ids_ + id;
  }
  std::uint32_t ids_;
  std::vector<std::uint64_t> cells_;
};

/// What the other cores of a cluster have sent to this one: by flag id and sender a queue of arrivals. The vector cores
/// have one sender, the cube core; the cube core waits for both vector cores.
class CrossFlags {
 public:
  CrossFlags(std::uint32_t ids, isa::CoreKind receiver)
      : senders_{receiver == isa::CoreKind::AIC ? isa::kVectorCoresPerCluster : 1}, arrivals_(ids) {}

  /// How many of this sender nobody has taken.
  std::size_t receive(std::uint32_t id, std::uint32_t sender, std::uint64_t arrival) {
    arrivals_[id][sender].push() = arrival;
    return arrivals_[id][sender].size();
  }
  /// When the oldest one of every sender was there; kNever while one is missing.
  [[nodiscard]] std::uint64_t arrived(std::uint32_t id) const {
    std::uint64_t latest = 0;
    for (std::uint32_t s = 0; s < senders_; ++s) {
      if (arrivals_[id][s].empty()) return kNever;
      latest = std::max(latest, arrivals_[id][s].front());
    }
    return latest;
  }
  /// The oldest one of every sender.
  void take(std::uint32_t id) {
    for (std::uint32_t s = 0; s < senders_; ++s) arrivals_[id][s].pop();
  }
  struct Left {
    std::uint32_t id;
    std::size_t count;
  };
  /// The first flag that nobody has taken.
  [[nodiscard]] std::optional<Left> any_left() const {
    for (std::uint32_t id = 0; id < arrivals_.size(); ++id) {
      for (const auto& queue : arrivals_[id]) {
        if (!queue.empty()) return Left{id, queue.size()};
      }
    }
    return std::nullopt;
  }

 private:
  std::uint32_t senders_;
  std::vector<std::array<RingBuffer<std::uint64_t>, isa::kVectorCoresPerCluster>> arrivals_;
};

}  // namespace npu::model
