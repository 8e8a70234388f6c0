// The event vocabulary: who did what when, and why it waited. Producers hold a nullable Sink*; a null sink costs a
// branch, and no event may change what the model does.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "isa/units.hpp"

namespace npu::traces {

using isa::Cycles;

enum class TrackId : std::uint32_t {};
enum class NameId : std::uint32_t {};

/// Card and Memory (HBM, one side of L2) have counters and no spans.
enum class TrackKind : std::uint8_t { Host, Card, Orchestrator, Scheduler, Memory, Core, Pipe, Link };

/// One row of a timeline, one scope of a waveform.
struct TrackInfo {
  TrackKind kind = TrackKind::Core;
  std::string name;        ///< unique, hierarchical: "card0.cluster3.aic.mte2", "card0.sched1", "link0to1", "host"
  std::uint32_t card = 0;  ///< meaningless for Host
};

/// What fills a span. Task spans lie on Core tracks, Instruction and Wait spans on Pipe tracks (a core's scalar unit
/// is its pipe "s"), Transfer spans on Link tracks, Work spans on host, orchestrator and scheduler tracks.
enum class SpanKind : std::uint8_t { Task, Instruction, Wait, Transfer, Work };

/// Why a pipe did not work. A pipe's time inside a task is the sum of its busy and wait times.
enum class WaitReason : std::uint8_t {
  Instruction,  ///< queue empty
  Flag,         ///< wait_flag not satisfied
  Barrier,      ///< pipe_barrier: earlier instructions have not retired
  QueueFull,    ///< scalar unit: the pipe's queue is full
  CrossFlag,    ///< cross-core flag of the cluster
  Memory,       ///< scalar unit: data-cache miss, clean-out, dsb
  Notify,       ///< twait: cell not there yet
  Drain,        ///< halt: waits for the other pipes to finish
};
inline constexpr std::size_t kWaitReasonCount = 8;
inline constexpr std::array<std::string_view, kWaitReasonCount> kWaitReasonNames{
    "instruction", "flag", "barrier", "queue_full", "cross_flag", "memory", "notify", "drain"};

/// What a span says beside its name. Task and subject belong to Task spans (the subject is the kernel) and to the Work
/// spans of schedulers (the subject is the task); core to the latter. Of a Wait for a notify the subject is the cell
/// and the value that it waits for, core the sender once the notify is there.
struct Detail {
  static constexpr std::uint64_t kNoValue = std::numeric_limits<std::uint64_t>::max();
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  constexpr Detail(std::uint64_t number) : value{number} {}  // implicit: most spans have a number and nothing else

  /// Task block index; Instruction program counter; Wait WaitReason; Transfer bytes; Work block index or kNoValue.
  std::uint64_t value;
  std::uint32_t task = kNone;  ///< index in order of submission on its card
  NameId subject{kNone};
  TrackId core{kNone};  ///< on which a block starts or has ended; sender of a notify

  constexpr bool operator==(const Detail&) const = default;
};

enum class FlowKind : std::uint8_t { TaskDependency, NotifyToWait };
inline constexpr std::array<std::string_view, 2> kFlowKindNames{"dependency", "notify"};

/// Receives events. Per track, spans arrive in order of their begin and do not overlap; across tracks in any order.
class Sink {
 public:
  virtual ~Sink() = default;
  /// Announces a track; called before the first event, in an order that does not depend on the run.
  virtual TrackId add_track(const TrackInfo& info) = 0;
  /// Same text, same id. Not for the hot path: producers intern once.
  virtual NameId intern(std::string_view name) = 0;
  virtual void span(TrackId track, SpanKind kind, NameId name, Cycles begin, Cycles end, const Detail& detail) = 0;
  /// An arrow from the end of something on one track to the start of something on another.
  virtual void flow(FlowKind kind, TrackId from, Cycles from_time, TrackId to, Cycles to_time) = 0;
  /// A value that holds until the next sample (for example busy cores of a card); samples of one counter in order. It
  /// starts at 0.
  virtual void counter(TrackId track, NameId name, Cycles at, std::uint64_t value) = 0;
};

}  // namespace npu::traces
