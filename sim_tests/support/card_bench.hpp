// Host and cards with cores that do nothing but take time: a block's duration is looked up by kernel name.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <systemc>
#include <vector>

#include "isa/errors.hpp"
#include "model/system/card_group.hpp"
#include "model/trace_observer.hpp"
#include "sim_tests/support/scheduler_machine.hpp"
#include "sim_tests/support/spy_sink.hpp"

namespace npu::test {

inline constexpr std::uint64_t kForever = ~std::uint64_t{0};  ///< duration of a block that never ends

struct BlockRecord {
  std::uint32_t card, core;
  std::string program;
  std::uint32_t task, block, sub_block;
  bool mixed;
  std::uint64_t begin;
  bool operator==(const BlockRecord&) const = default;
};

struct Workload {
  std::map<std::string, std::uint64_t> durations;     ///< by program name; 100 if absent
  std::function<void(const model::Block&)> on_start;  ///< may throw
  bool polling = false;                               ///< cores wake every 1000 cycles while a block runs
  bool retire_when_polling = false;                   ///< and retire an instruction each time
  std::vector<BlockRecord> records;                   ///< in order of start
};

class FakeCore final : public sc_core::sc_module, public model::CoreInterface {
 public:
  FakeCore(const sc_core::sc_module_name& name, model::Environment env, const model::CoreLocation& at,
           model::BlockObserver& observer, Workload& work)
      : sc_module{name}, env_{env}, at_{at}, observer_{observer}, work_{work} {
    env_.observers.tell([&](model::Observer& o) { o.core_added(at, env_.machine.arch); });
    SC_HAS_PROCESS(FakeCore);
    SC_METHOD(end_block);
    dont_initialize();
    sensitive << end_;
    SC_METHOD(poll);
    dont_initialize();
    sensitive << poll_;
  }
  void start(const model::Block& block) override {
    NPU_ASSERT(!busy_, "the scheduler starts a block on a busy core");
    busy_ = true;
    begin_ = env_.clock.now();
    program_ = block.program->name;
    block_ = block.block;
    work_.records.push_back(
        {at_.card, at_.index, program_, block.task, block.block, block.sub_block, block.mixed, begin_});
    if (work_.on_start) work_.on_start(block);
    const auto found = work_.durations.find(program_);
    const std::uint64_t duration = found == work_.durations.end() ? 100 : found->second;
    if (work_.polling) env_.clock.notify_at(poll_, begin_ + kPollPeriod);
    ends_ = duration != kForever;
    if (ends_) env_.clock.notify_at(end_, begin_ + duration);
  }
  void describe_waits(std::vector<model::WaitRow>& rows) const override {
    if (busy_) rows.push_back({model::track_name(at_) + ".s", program_ + " waits", begin_, true, block_});
  }
  [[nodiscard]] std::uint64_t latest() const override { return 0; }
  std::optional<model::BlockStats> cut_off(std::uint64_t cycle) override {
    if (!busy_) return std::nullopt;
    return stats(cycle);
  }
  [[nodiscard]] std::uint64_t retired() const override { return retired_; }
  [[nodiscard]] bool goes_on() const override { return busy_ && ends_; }

 private:
  static constexpr std::uint64_t kPollPeriod = 1000;

  void poll() {
    if (!busy_) return;
    if (work_.retire_when_polling) ++retired_;
    env_.clock.notify_at(poll_, env_.clock.now() + kPollPeriod);
  }
  void end_block() {
    busy_ = false;
    ++retired_;
    observer_.block_finished(at_.index, stats(env_.clock.now()));
  }
  [[nodiscard]] model::BlockStats stats(std::uint64_t end) const {
    model::BlockStats stats;
    stats.begin = begin_;
    stats.end = end;
    stats.pipes[0].busy = end - begin_;
    stats.pipes[0].instructions = 1;
    return stats;
  }

  model::Environment env_;
  model::CoreLocation at_;
  model::BlockObserver& observer_;
  Workload& work_;
  sc_core::sc_event end_{"end_event"}, poll_{"poll_event"};
  bool busy_ = false, ends_ = false;
  std::uint64_t begin_ = 0, retired_ = 0;
  std::string program_;
  std::uint32_t block_ = 0;
};

/// A kernel whose parts carry its name; it takes `outputs` Out tensors after `inputs` In tensors.
[[nodiscard]] inline isa::KernelObject make_kernel(const std::string& name, bool cube, bool vector,
                                                   std::uint32_t inputs = 0, std::uint32_t outputs = 0) {
  isa::KernelObject k;
  k.name = name;
  for (std::uint32_t i = 0; i < inputs; ++i) k.args.push_back({fmt::format("in{}", i), isa::ArgKind::In});
  for (std::uint32_t i = 0; i < outputs; ++i) k.args.push_back({fmt::format("out{}", i), isa::ArgKind::Out});
  isa::Program part;
  part.name = name;
  if (cube) {
    part.kind = isa::CoreKind::AIC;
    k.cube = part;
  }
  if (vector) {
    part.kind = isa::CoreKind::AIV;
    k.vector = part;
  }
  return k;
}

/// A task named after its kernel, without scalars.
[[nodiscard]] inline model::TaskSpec task(const isa::KernelObject& kernel, std::uint32_t blocks = 1,
                                          std::vector<model::TensorArg> tensors = {},
                                          std::vector<model::TaskId> after = {}) {
  model::TaskSpec spec;
  spec.kernel = &kernel;
  spec.name = kernel.name;
  spec.blocks = blocks;
  spec.tensors = std::move(tensors);
  spec.after = std::move(after);
  return spec;
}
[[nodiscard]] inline model::TaskSpec together(model::TaskSpec spec) {
  spec.sync_start = true;
  return spec;
}

[[nodiscard]] inline model::TensorArg in(std::uint64_t address, std::uint64_t size) {
  return {model::GmAddress{address}, isa::Bytes{size}, model::Direction::In};
}
[[nodiscard]] inline model::TensorArg out(std::uint64_t address, std::uint64_t size) {
  return {model::GmAddress{address}, isa::Bytes{size}, model::Direction::Out};
}

[[nodiscard]] inline model::SystemOptions options(std::uint32_t cards, bool ideal_scheduler = false,
                                                  std::vector<double> start_skew_us = {}) {
  model::SystemOptions o;
  o.cards = cards;
  o.ideal_scheduler = ideal_scheduler;
  o.start_skew_us = std::move(start_skew_us);
  return o;
}

class CardBench {
 public:
  explicit CardBench(const model::Machine& m, model::SystemOptions options = test::options(1),
                     const model::GraphLimits& limits = {})
      : machine_{m}, clock_{m.params.clock.core_mhz}, options_{std::move(options)} {
    observers_.add(trace_);
    const model::Environment env{machine_, clock_, observers_, nullptr, faults_, options_.stop_signal};
    const model::CoreFactory factory = [this, env](const model::CoreLocation& at, model::BlockObserver& observer) {
      return std::make_unique<FakeCore>(fmt::format("card{}_core{}", at.card, at.index).c_str(), env, at, observer,
                                        work);
    };
    group = std::make_unique<model::CardGroup>(
        env, options_, limits, factory, [this](model::GmAddress a) { return memory[static_cast<std::uint64_t>(a)]; });
  }
  /// Runs the same program on every card. Copies take no time.
  void run(const model::CardProgram& program) { run_each(std::vector(group->size(), program)); }
  void run_each(std::vector<model::CardProgram> programs) {
    group->enqueue({std::move(programs), isa::Bytes{0}, isa::Bytes{0}});
    group->finish();
  }
  /// Cycle at which card 0 was launched.
  [[nodiscard]] std::uint64_t launch() const { return group->card(0).stats().begin; }
  [[nodiscard]] std::uint64_t now() const { return clock_.now(); }
  /// Starts of the program's blocks on card 0, relative to the launch.
  [[nodiscard]] std::vector<std::uint64_t> starts(const std::string& program) const {
    std::vector<std::uint64_t> found;
    for (const BlockRecord& r : work.records) {
      if (r.card == 0 && r.program == program) found.push_back(r.begin - launch());
    }
    return found;
  }
  [[nodiscard]] std::vector<std::uint32_t> cores(const std::string& program) const {
    std::vector<std::uint32_t> found;
    for (const BlockRecord& r : work.records) {
      if (r.program == program) found.push_back(r.core);
    }
    return found;
  }

  SpySink sink;
  Workload work;
  std::map<std::uint64_t, std::int32_t> memory;

 private:
  model::Machine machine_;
  model::Clock clock_;
  model::FaultLatch faults_;
  model::SystemOptions options_;
  model::TraceObserver trace_{sink, machine_.params};
  model::Observers observers_;

 public:
  std::unique_ptr<model::CardGroup> group;
};

}  // namespace npu::test
