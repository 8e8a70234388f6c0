// System assembles the machine: clock, memory of all cards, cards with real cores, host.
#include <cstring>
#include <new>
#include <optional>
#include <string>

#include "isa/errors.hpp"
#include "model/core/core_factory.hpp"
#include "model/device.hpp"
#include "model/memory/memory_system.hpp"
#include "model/system/card_group.hpp"
#include "model/system/simulation.hpp"
#include "model/trace_observer.hpp"

namespace npu::model {
namespace {

/// Comes first in System::Impl: nothing of SystemC may exist before the settings.
struct PreparedSimulation {
  PreparedSimulation() { prepare_simulation(); }
};

void add_pipes(RunStats& run, const PipeTable& pipes) {
  for (std::size_t kind = 0; kind < pipes.size(); ++kind) {
    for (std::size_t p = 0; p < isa::kPipeCount; ++p) {
      const PipeStats& from = pipes[kind][p];
      PipeStats& to = run.pipes[kind][p];
      to.busy += from.busy;
      to.instructions += from.instructions;
      run.instructions += from.instructions;
      for (std::size_t r = 0; r < from.wait.size(); ++r) to.wait[r] += from.wait[r];
    }
  }
}

/// What to change when simulated time gets too long.
std::string slow_figures(const Machine& machine) {
  std::string text =
      "; way out: raise the bandwidths, or lower the times of scheduler and host, that make the run this long";
  std::string_view separator = ". Overridden: ";
  for (const Figure& figure : machine.figures) {
    if (!figure.overridden) continue;
    text += fmt::format("{}{} = {}", separator, figure.key, figure.value);
    separator = ", ";
  }
  return text;
}

ConfigError out_of_memory(const std::string& what) {
  return config_error(
      "this host has no memory left {}; way out: a smaller batch, sequence or preset, fewer cards, --share-weights, or "
      "a higher limit (ulimit -v)",
      what);
}

std::uint64_t buffer_bytes(const Machine& machine) {
  std::uint64_t bytes = 0;
  for (std::size_t s = 0; s < isa::kSpaceCount; ++s) {
    const bool on_vector = isa::owner_of(static_cast<isa::Space>(s)) == isa::CoreKind::AIV;
    bytes += machine.arch.buffers[s].physical.count() * (on_vector ? kVectorCoresPerCluster : 1);
  }
  return bytes * machine.arch.clusters;
}

}  // namespace

struct System::Impl {
  Impl(const Machine& m, const SystemOptions& o)
      : machine{m},
        options{o},
        clock{m.params.clock.core_mhz, slow_figures(m)},
        env{machine, clock, observers, o.sink, faults, o.stop_signal},
        memory{env, o.cards},
        group{env, o, GraphLimits{}, make_core_factory(env, memory, options),
              [this](GmAddress address) { return read_word(address); }} {
    memory.set_untimed(o.mode == Mode::Functional);
  }

  /// Listens from before the first component is made.
  [[nodiscard]] Observers listeners() {
    Observers all;
    if (options.sink != nullptr) all.add(trace.emplace(*options.sink, machine.params));
    for (Observer* observer : options.observers) all.add(*observer);
    return all;
  }

  [[nodiscard]] std::int32_t read_word(GmAddress address) {
    if (options.mode == Mode::Timing && memory.is_unknown(static_cast<std::uint64_t>(address), sizeof(std::int32_t))) {
      throw program_error(
          "the orchestrator reads {}, which timing mode does not compute; give its tensor, or use --mode timed",
          memory.allocation_name(static_cast<std::uint64_t>(address)));
    }
    std::int32_t value = 0;
    std::memcpy(&value, memory.resolve(static_cast<std::uint64_t>(address), sizeof value, "orchestrator read_i32"),
                sizeof value);
    return value;
  }

  PreparedSimulation prepared;
  Machine machine;
  SystemOptions options;
  Clock clock;
  FaultLatch faults;
  std::optional<TraceObserver> trace;
  Observers observers = listeners();
  Environment env;
  MemorySystem memory;
  CardGroup group;
  std::vector<MemoryTraffic> traffic_before;  ///< per card, when the latest run began
  std::vector<LinkTraffic> links_before;
};

System::System(const Machine& machine, const SystemOptions& options) try
    : impl_{std::make_unique<Impl>(machine, options)} {
} catch (const std::bad_alloc&) {
  throw out_of_memory(fmt::format("for {} cards whose cores have {} bytes of buffers each (chip.aic, core.*_kib)",
                                  options.cards, buffer_bytes(machine)));
}

System::~System() = default;

GmAddress System::allocate(std::uint32_t card, Bytes size, const std::string& name) {
  return GmAddress{impl_->memory.allocate(card, size.count(), name)};
}

std::span<std::byte> System::bytes(GmAddress address, Bytes size) {
  if (size.count() == 0) return {};
  return {impl_->memory.resolve(static_cast<std::uint64_t>(address), size.count(), "host"), size.count()};
}

bool System::map(GmAddress address, std::span<const std::byte> bytes) {
  if (bytes.size() % impl_->machine.arch.cache_line != 0) return false;  // a data cache would read behind them
  impl_->memory.map(static_cast<std::uint64_t>(address), bytes);
  return true;
}

void System::protect(GmAddress address) { impl_->memory.protect(static_cast<std::uint64_t>(address)); }

void System::give(GmAddress address, Bytes size) {
  impl_->memory.give(static_cast<std::uint64_t>(address), size.count());
}

void System::run(const std::vector<CardProgram>& programs, Bytes upload, Bytes download) {
  Impl& s = *impl_;
  s.traffic_before.clear();
  for (std::uint32_t c = 0; c < s.options.cards; ++c) s.traffic_before.push_back(s.memory.traffic(c));
  const auto links = s.memory.links();
  s.links_before.assign(links.begin(), links.end());
  try {
    s.group.enqueue({programs, upload, download});
    s.group.finish();
    s.memory.end_run();
  } catch (const std::bad_alloc&) {
    s.memory.end_run();
    throw out_of_memory(fmt::format("while it simulates cycle {}, with {} bytes of tensors on {} cards", s.clock.now(),
                                    s.memory.allocated(), s.options.cards));
  } catch (...) {
    s.memory.end_run();
    throw;
  }
}

RunStats System::stats() const {
  const Impl& s = *impl_;
  RunStats run;
  const std::size_t runs = s.group.host().run_count();
  if (runs == 0) return run;
  run.waits = s.group.waits();
  const HostRunTimes& times = s.group.host().times(runs - 1);
  run.host_begin = Cycles{times.begin};
  run.host_end = Cycles{times.end};
  for (std::size_t c = 0; c < s.group.size(); ++c) {
    const Card& card = s.group.card(c);
    const MemoryTraffic& before = s.traffic_before[c];
    const MemoryTraffic after = s.memory.traffic(card.index());
    CardStats stats = card.stats();
    stats.hbm_read = Bytes{after.hbm_read - before.hbm_read};
    stats.hbm_write = Bytes{after.hbm_write - before.hbm_write};
    stats.l2_read = Bytes{after.l2_read - before.l2_read};
    stats.l2_write = Bytes{after.l2_write - before.l2_write};
    stats.l2_hit_bytes = after.l2_hit - before.l2_hit;
    run.cards.push_back(stats);
    for (TaskStats& task : card.scheduler().task_stats()) run.tasks.push_back(std::move(task));
    add_pipes(run, card.scheduler().pipe_stats());
  }
  const auto links = s.memory.links();
  for (std::size_t l = 0; l < links.size(); ++l) {
    run.links.push_back({links[l].from, links[l].to, Bytes{links[l].bytes - s.links_before[l].bytes},
                         links[l].busy - s.links_before[l].busy});
  }
  return run;
}

}  // namespace npu::model
