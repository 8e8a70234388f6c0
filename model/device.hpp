// The simulated system as its host sees it: memory, programs for the card orchestrators, results. No SystemC here.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "isa/program.hpp"
#include "isa/units.hpp"
#include "model/activity.hpp"
#include "model/config/machine.hpp"
#include "traces/sink.hpp"

namespace npu::model {

using isa::Bytes;
using isa::Cycles;
class Observer;

/// Byte address in the memory of all cards; the bits from kCardShift on name the card.
enum class GmAddress : std::uint64_t {};
using isa::kCardShift;
[[nodiscard]] constexpr GmAddress gm_address(std::uint32_t card, std::uint64_t offset) {
  return GmAddress{(static_cast<std::uint64_t>(card) + 1) << kCardShift | offset};
}
[[nodiscard]] constexpr std::uint32_t card_of(GmAddress a) {
  return static_cast<std::uint32_t>((static_cast<std::uint64_t>(a) >> kCardShift) - 1);
}
[[nodiscard]] constexpr GmAddress operator+(GmAddress a, std::uint64_t bytes) {
  return GmAddress{static_cast<std::uint64_t>(a) + bytes};
}

enum class TaskId : std::uint32_t {};

/// NoDep: passed to the kernel, ignored by the dependency analysis.
enum class Direction : std::uint8_t { In, Out, InOut, NoDep };

struct TensorArg {
  GmAddress address{};  ///< handed to the kernel
  Bytes size{};         ///< [address, address + size) is the region that dependencies are derived from
  Direction direction = Direction::In;
};

/// One submit: an SPMD task of `blocks` blocks.
struct TaskSpec {
  const isa::KernelObject* kernel = nullptr;  ///< outlives the run
  std::string name;                           ///< as shown in traces and statistics
  std::uint32_t blocks = 1;
  std::vector<TensorArg> tensors;     ///< in the order of the kernel's tensor arguments
  std::vector<std::int64_t> scalars;  ///< in the order of the kernel's scalar arguments
  std::vector<TaskId> after;          ///< explicit dependencies (write-after-read is not derived)
  bool sync_start = false;            ///< all blocks get a core together or none does (blocks that wait for each other)
};

/// What the program of a card's orchestrator thread can do. Calls cost simulated time.
class OrchestratorApi {
 public:
  virtual ~OrchestratorApi() = default;
  virtual TaskId submit(const TaskSpec& task) = 0;
  /// Reads an int32 that a task produces; blocks until its last writer has completed.
  virtual std::int32_t read_i32(GmAddress address) = 0;
  [[nodiscard]] virtual std::uint32_t card() const = 0;
};
/// An exception that leaves the program (a ProgramError for an overflow seen in a count) stops the run.
using CardProgram = std::function<void(OrchestratorApi&)>;

/// Timed: results and times. Functional: the results of timed mode, and no time of its own (movers take none). Timing:
/// the times of timed mode for the same control flow, and no results: only integers that can steer a program are
/// computed (model/core/execution.cpp).
enum class Mode : std::uint8_t { Functional, Timed, Timing };

/// How far a run is.
struct RunProgress {
  double simulated_us = 0.0;
  std::size_t tasks_done = 0;  ///< all cards
};

struct SystemOptions {
  std::uint32_t cards = 2;
  Mode mode = Mode::Timed;
  bool ideal_scheduler = false;
  std::vector<double> start_skew_us;   ///< per card, empty: none
  traces::Sink* sink = nullptr;        ///< of the timeline; may be null
  ActivityMarker* activity = nullptr;  ///< may be null; says at any time what the simulating thread does
  /// Called now and then while a run goes on; may be empty. Changes nothing.
  std::function<void(const RunProgress&)> on_progress = {};
  std::optional<double> max_us = {};  ///< simulated time after which a run ends with TimeLimit
  /// May be null. A number other than 0 (a signal's) ends the run at the next event with Interrupted.
  const std::atomic<int>* stop_signal = nullptr;
  std::vector<Observer*> observers = {};  ///< that listen to the run; they outlive the system
};

struct PipeStats {
  std::uint64_t busy = 0;  ///< cycles
  std::array<std::uint64_t, traces::kWaitReasonCount> wait{};
  std::uint64_t instructions = 0;
};
using PipeTable = std::array<std::array<PipeStats, isa::kPipeCount>, 2>;  ///< by core kind and pipe

/// One task as it ran, summed over its blocks.
struct TaskStats {
  std::string name;
  std::uint32_t card = 0;
  std::uint32_t blocks = 0;
  std::uint64_t begin = 0, end = 0;  ///< cycles: first block starts, last block ends
  /// Cycles: a scheduler begins to dispatch the first block; one has seen the end of the last block.
  std::uint64_t dispatched = 0, completed = 0;
  std::uint64_t core_cycles = 0;         ///< summed over cores
  std::uint64_t max_core_cycles = 0;     ///< of the core with the most
  std::array<std::uint32_t, 2> cores{};  ///< that ran at least one block, by core kind
  PipeTable pipes;
  Bytes read, written;  ///< global memory, by the movers of its blocks
};

/// What a unit waited for, or did, when a run ended early.
struct WaitRow {
  std::string unit;  ///< track name
  std::string what;
  std::uint64_t since = 0;                  ///< cycle
  bool has_since = true;                    ///< false: the row sums up others
  std::optional<std::uint32_t> block = {};  ///< that a core's unit works on
};

struct CardStats {
  std::uint64_t begin = 0, end = 0;             ///< cycles: launch received, last task complete
  std::uint64_t orch_busy = 0, sched_busy = 0;  ///< cycles; sched over its threads
  std::uint64_t orch_end = 0;                   ///< cycles: graph built
  Bytes hbm_read, hbm_write, l2_read, l2_write;
  std::uint64_t l2_hit_bytes = 0;
  std::uint64_t elapsed_core_cycles = 0;
};
struct LinkStats {
  std::uint32_t from = 0, to = 0;
  Bytes bytes;
  std::uint64_t busy = 0;  ///< cycles with at least one flow
};
struct RunStats {
  Cycles host_begin, host_end;
  std::vector<CardStats> cards;
  std::vector<TaskStats> tasks;  ///< in submission order, card by card
  std::vector<LinkStats> links;
  PipeTable pipes;  ///< all cards
  std::uint64_t instructions = 0;
  std::vector<WaitRow> waits;  ///< open waits of a run that ended early
};

/// A host, its cards and their links. One per process (SystemC elaborates once); run() may be called repeatedly.
class System {
 public:
  System(const Machine& machine, const SystemOptions& options);
  ~System();
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  /// Zeroed device memory, aligned to 512 bytes. The name appears in messages. Throws ConfigError when HBM is full.
  [[nodiscard]] GmAddress allocate(std::uint32_t card, Bytes size, const std::string& name);
  /// Host view of allocated memory, for filling and reading tensors outside run().
  [[nodiscard]] std::span<std::byte> bytes(GmAddress address, Bytes size);

  /// The tensor allocated at `address` is these bytes of the host instead of a copy. They outlive the runs, and no task
  /// may write them (ProgramError). False, and nothing done, unless they are whole cache lines.
  [[nodiscard]] bool map(GmAddress address, std::span<const std::byte> bytes);
  /// No task may write the tensor allocated at `address` (ProgramError).
  void protect(GmAddress address);
  /// Timing mode: these bytes hold, before run(), what the cards would compute from floats (routing, selected rows);
  /// what the cards would write there does not replace them.
  void give(GmAddress address, Bytes size);

  /// Runs one program per card (group start). Throws ProgramError, Deadlock, TimeLimit, Interrupted, ConfigError; the
  /// spans that are open then have been closed in the sink, and stats() tells how far the run came.
  void run(const std::vector<CardProgram>& programs, Bytes upload, Bytes download);
  [[nodiscard]] RunStats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace npu::model
