#include "model/system/orchestrator.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "isa/errors.hpp"
#include "model/system/runtime_errors.hpp"

namespace npu::model {
namespace {

constexpr int kStackBytes = 4 << 20;  ///< the program is host code of any depth

}  // namespace

Orchestrator::Orchestrator(const sc_core::sc_module_name& name, Environment env, std::uint32_t card, TaskGraph& graph,
                           Scheduler& scheduler, ReadWord read_word)
    : sc_module{name},
      env_{env},
      card_{card},
      graph_{graph},
      scheduler_{scheduler},
      read_word_{std::move(read_word)},
      submit_cycles_{cycles_of_ns(env.machine.params, 1e3 * env.machine.params.scheduler.submit_us)} {
  SC_HAS_PROCESS(Orchestrator);
  SC_THREAD(run_programs);
  set_stack_size(kStackBytes);
}

void Orchestrator::launch(CardProgram program) {
  NPU_ASSERT(!program_, "a card runs one program at a time");
  program_ = std::move(program);
  busy_ = end_ = 0;
  launched_.notify(sc_core::SC_ZERO_TIME);
}

void Orchestrator::run_programs() {
  for (;;) {
    while (!program_) wait(launched_);
    try {
      (*program_)(*this);
    } catch (const sc_core::sc_unwind_exception&) {
      throw;
    } catch (...) {
      env_.faults.park();
      program_.reset();
      continue;  // a thread that ends switches stacks behind the address sanitizer's back (simulation.cpp)
    }
    program_.reset();
    end_ = env_.clock.now();
    if (listener_) listener_();
  }
}

void Orchestrator::block(Blocked reason) {
  if (blocked_ == Blocked::No) blocked_since_ = env_.clock.now();
  blocked_ = reason;
  wait(scheduler_.task_completed());
}

TaskId Orchestrator::submit(const TaskSpec& task) {
  while (!graph_.has_slot()) block(Blocked::Window);
  blocked_ = Blocked::No;
  submit_since_ = env_.clock.now();
  submitting_ = &task;
  wait(env_.clock.duration(submit_cycles_));
  end_submit(env_.clock.now());
  const TaskId id = graph_.submit(task);
  scheduler_.add(id);
  return id;
}

void Orchestrator::end_submit(std::uint64_t cycle) {
  busy_ += cycle - submit_since_;
  if (cycle > submit_since_) {
    const auto task = static_cast<std::uint32_t>(graph_.size());
    env_.observers.tell([&](Observer& o) {
      o.task_submitted(card_, task, submitting_->name, isa::Cycles{submit_since_}, isa::Cycles{cycle});
    });
  }
  submitting_ = nullptr;
}

void Orchestrator::cut_off(std::uint64_t cycle) {
  if (submitting_ != nullptr) end_submit(cycle);
  if (running()) end_ = cycle;
}

std::int32_t Orchestrator::read_i32(GmAddress address) {
  read_address_ = address;
  while (!graph_.live_writers(address, sizeof(std::int32_t)).empty()) block(Blocked::Read);
  blocked_ = Blocked::No;
  return read_word_(address);
}

void Orchestrator::describe_waits(std::vector<WaitRow>& rows) const {
  const std::string unit = fmt::format("card{}.orch", card_);
  switch (blocked_) {
    case Blocked::No:
      break;
    case Blocked::Window:
      rows.push_back({unit,
                      fmt::format("{} ({}): task window of {} slots is full, oldest task is {} '{}'",
                                  kFlowControlDeadlock.name, kFlowControlDeadlock.code, graph_.limits().task_window,
                                  graph_.first_unconsumed(), graph_.task(graph_.first_unconsumed()).name),
                      blocked_since_});
      break;
    case Blocked::Read: {
      std::vector<std::string> names;
      for (const std::uint32_t w : graph_.live_writers(read_address_, sizeof(std::int32_t))) {
        names.push_back(fmt::format("{} '{}'", w, graph_.task(w).name));
      }
      rows.push_back(
          {unit,
           fmt::format("{} ({}): int32 at {:#x}, written by task {}", kTensorWaitTimeout.name, kTensorWaitTimeout.code,
                       static_cast<std::uint64_t>(read_address_), fmt::join(names, ", ")),
           blocked_since_});
      break;
    }
  }
}

}  // namespace npu::model
