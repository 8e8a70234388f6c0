#include "model/system/scheduler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "isa/errors.hpp"
#include "model/system/runtime_errors.hpp"

namespace npu::model {
namespace {

constexpr std::array kShapes{Shape::Mixed, Shape::Cube, Shape::Vector};
constexpr std::uint32_t kMaxThreads = 64;  ///< bits of TaskRun::payload_threads

}  // namespace

Scheduler::Scheduler(const sc_core::sc_module_name& name, Environment env, std::uint32_t card,
                     const SchedulerCosts& costs, TaskGraph& graph, const CoreFactory& factory)
    : sc_module{name},
      env_{env},
      card_{card},
      costs_{costs},
      graph_{graph},
      threads_{make_threads(env, card, costs.threads)},
      pool_{card, env.machine.arch.clusters, costs, factory, *this},
      since_(pool_.size()),
      thread_stats_(costs.threads) {
  SC_HAS_PROCESS(Scheduler);
  SC_METHOD(advance);
  dont_initialize();
  sensitive << wake_;
}

std::vector<Scheduler::Thread> Scheduler::make_threads(Environment env, std::uint32_t card, std::uint32_t count) {
  if (count == 0 || count > kMaxThreads) {
    throw config_error("scheduler.threads is {}, must be 1 to {}", count, kMaxThreads);
  }
  env.observers.tell([&](Observer& o) { o.card_added(card, count); });
  return std::vector<Thread>(count);
}

void Scheduler::begin_run() {
  NPU_ASSERT(parts_on_cores_ == 0 && events_.empty(), "a card starts with idle cores");
  runs_.clear();
  for (Thread& t : threads_) t.since = env_.clock.now();
  std::fill(thread_stats_.begin(), thread_stats_.end(), SchedulerThreadStats{});
  pipes_ = {};
}

void Scheduler::end_run() {
  for (std::uint32_t t = 0; t < threads_.size(); ++t) {
    NPU_ASSERT(!threads_[t].work, "a card ends with idle scheduler threads");
    close_work(t, env_.clock.now());
  }
  end_trace(env_.clock.now());
}

void Scheduler::cut_off(std::uint64_t cycle) {
  for (std::uint32_t t = 0; t < threads_.size(); ++t) close_work(t, cycle);
  for (std::uint32_t core = 0; core < pool_.size(); ++core) {
    if (const auto stats = pool_.core(core).cut_off(cycle)) count_block(core, pool_.finish(core), *stats);
  }
  end_trace(env_.clock.now());
}

void Scheduler::add(TaskId id) {
  const auto index = static_cast<std::uint32_t>(id);
  NPU_ASSERT(index == runs_.size(), "tasks arrive in submission order");
  const Task& task = graph_.task(index);
  TaskRun& run = runs_.emplace_back();
  run.shape = shape_of(*task.kernel);
  run.parts_left = std::uint64_t{task.blocks} * pool_.footprint(run.shape, 0).size();
  run.since = env_.clock.now();
  run.stats.name = task.name;
  run.stats.card = card_;
  run.stats.blocks = task.blocks;
  if (task.sync_start && task.blocks > pool_.capacity(run.shape)) {
    throw runtime_error(kRequireSyncStartInvalid,
                        "task '{}' is to start {} blocks together, card {} has room for {}; "
                        "use fewer blocks or drop sync_start",
                        task.name, task.blocks, card_, pool_.capacity(run.shape));
  }
  if (task.state != TaskState::Ready) return;
  make_ready(index, env_.clock.now());
  wake_.notify(sc_core::SC_ZERO_TIME);
}

void Scheduler::make_ready(std::uint32_t task, std::uint64_t now) {
  Lane& target = lane(runs_[task].shape);
  (graph_.task(task).sync_start ? target.cohorts : target.tasks).push_back(task);
  runs_[task].since = now;
}

void Scheduler::count_block(std::uint32_t core, const Part& part, const BlockStats& stats) {
  TaskStats& task = runs_[part.task].stats;
  const std::size_t kind = isa::index_of(pool_.location(core).kind);
  const std::uint64_t cycles = stats.end - stats.begin;
  task.begin = std::min(task.begin, stats.begin);
  task.end = std::max(task.end, stats.end);
  task.core_cycles += cycles;
  const auto [spent, is_first] = runs_[part.task].core_cycles.try_emplace(core, 0);
  if (is_first) ++task.cores[kind];
  spent->second += cycles;
  task.max_core_cycles = std::max(task.max_core_cycles, spent->second);
  task.read += stats.read;
  task.written += stats.written;
  for (std::size_t p = 0; p < isa::kPipeCount; ++p) {
    for (PipeStats* sum : {&task.pipes[kind][p], &pipes_[kind][p]}) {
      sum->busy += stats.pipes[p].busy;
      sum->instructions += stats.pipes[p].instructions;
      for (std::size_t r = 0; r < traces::kWaitReasonCount; ++r) sum->wait[r] += stats.pipes[p].wait[r];
    }
  }
}

void Scheduler::block_finished(std::uint32_t core, const BlockStats& stats) {
  const std::uint64_t now = env_.clock.now();
  const Part part = pool_.finish(core);
  --parts_on_cores_;
  ++parts_ended_;
  count_block(core, part, stats);
  runs_[part.task].since = now;
  runs_[part.task].last_core = core;
  const std::uint64_t visible = now + costs_.finish_visible;
  threads_[pool_.owner(core)].completions.insert({visible, core, part.task, part.block});
  push_event(visible, EventKind::Wake, core);
  plan_starts(core, now);
  wake_.notify(sc_core::SC_ZERO_TIME);
}

void Scheduler::advance() {
  env_.faults.guard([this] { run_events(env_.clock.now()); });
}

void Scheduler::run_events(std::uint64_t now) {
  for (bool any_began = true; any_began;) {
    while (!events_.empty() && events_.top().cycle <= now) {
      const Event event = events_.top();
      events_.pop();
      handle(event);
    }
    // Threads look for work only when everything that this cycle brings is known, in index order.
    any_began = false;
    for (std::uint32_t t = 0; t < threads_.size(); ++t) {
      if (!threads_[t].work && begin_work(t, now)) any_began = true;
    }
  }
  if (!events_.empty()) env_.clock.notify_at(wake_, events_.top().cycle);
  if (!env_.observers.empty()) tell_load(now);
}

void Scheduler::tell_load(std::uint64_t now) const {
  std::uint64_t ready = 0;
  for (const Lane& l : lanes_) ready += l.cohorts.size() + l.tasks.size();
  env_.observers.tell([&](Observer& o) { o.card_loaded(card_, isa::Cycles{now}, parts_on_cores_, ready); });
}

void Scheduler::end_trace(std::uint64_t now) const {
  tell_load(now);
  env_.observers.tell([&](Observer& o) { o.card_ended(card_, isa::Cycles{now}); });
}

void Scheduler::handle(const Event& event) {
  switch (event.kind) {
    case EventKind::StartCore:
      start_core(event.index, event.cycle);
      break;
    case EventKind::ThreadDone:
      end_work(event.index, event.cycle);
      break;
    case EventKind::Wake:
      break;  // a completion is visible; a free thread finds it
  }
}

void Scheduler::push_event(std::uint64_t cycle, EventKind kind, std::uint32_t index) {
  events_.push({cycle, kind, index});
}

void Scheduler::plan_starts(std::uint32_t core, std::uint64_t now) {
  for (const PlannedStart& s : pool_.plan_starts(core, now)) {
    since_[s.core] = s.since;
    push_event(s.cycle, EventKind::StartCore, s.core);
  }
}

void Scheduler::start_core(std::uint32_t core, std::uint64_t now) {
  const Part part = pool_.start(core);
  const Task& task = graph_.task(part.task);
  TaskRun& run = runs_[part.task];
  ++parts_on_cores_;
  if (!run.started) {
    run.started = true;
    run.stats.begin = since_[core];
    for (const std::uint32_t p : task.producers) {
      const TaskRun& producer = runs_[p];
      env_.observers.tell([&](Observer& o) {
        o.dependency_met(pool_.location(producer.last_core), isa::Cycles{producer.stats.end}, pool_.location(core),
                         isa::Cycles{now});
      });
    }
  }
  const CoreLocation& at = pool_.location(core);
  const auto& program = at.kind == isa::CoreKind::AIC ? task.kernel->cube : task.kernel->vector;
  pool_.core(core).start({.program = &*program,
                          .args = &task.args,
                          .name = task.name,
                          .task = part.task,
                          .block = part.block,
                          .block_count = task.blocks,
                          .sub_block = at.sub_block,
                          .mixed = part.mixed,
                          .since = since_[core]});
}

bool Scheduler::begin_work(std::uint32_t t, std::uint64_t now) {
  Thread& thread = threads_[t];
  if (!thread.completions.empty() && thread.completions.begin()->visible <= now) {
    thread.completion = *thread.completions.begin();
    thread.completions.erase(thread.completions.begin());
    const Completion& c = thread.completion;
    occupy(t, SchedulerWork::Poll, now, costs_.poll, {.task = c.task, .block = c.block, .core = c.core});
    return true;
  }
  claim_cohorts();
  if (!thread.claims.empty()) {
    Claim claim = std::move(thread.claims.front());
    thread.claims.pop_front();
    begin_publish(t, std::move(claim), now);
    return true;
  }
  if (auto claim = claim_block(t)) {
    begin_publish(t, std::move(*claim), now);
    return true;
  }
  return false;
}

void Scheduler::begin_publish(std::uint32_t t, Claim claim, std::uint64_t now) {
  TaskRun& run = runs_[claim.part.task];
  if (run.payload_threads == 0) run.stats.dispatched = now;
  const std::uint64_t bit = std::uint64_t{1} << t;
  std::uint64_t cost = costs_.publish * claim.cores.size();
  if ((run.payload_threads & bit) == 0) cost += costs_.dispatch;
  run.payload_threads |= bit;
  const Subject subject{.task = claim.part.task, .block = claim.part.block, .core = claim.cores.front()};
  threads_[t].claim = std::move(claim);
  occupy(t, SchedulerWork::Dispatch, now, cost, subject);
}

void Scheduler::occupy(std::uint32_t t, SchedulerWork work, std::uint64_t now, std::uint64_t cost,
                       const Subject& subject) {
  close_work(t, now);
  threads_[t].work = work;
  threads_[t].subject = subject;
  push_event(now + cost, EventKind::ThreadDone, t);
}

/// Accounts for what the thread has done since it last changed, and records it.
void Scheduler::close_work(std::uint32_t t, std::uint64_t now) {
  Thread& thread = threads_[t];
  const std::uint64_t cycles = now - thread.since;
  (thread.work ? thread_stats_[t].busy : thread_stats_[t].idle) += cycles;
  if (thread.work && cycles > 0) {
    const Subject& subject = thread.subject;
    ThreadWork work{.card = card_,
                    .thread = t,
                    .work = *thread.work,
                    .task = subject.task,
                    .task_name = graph_.task(subject.task).name,
                    .block = subject.block,
                    .core = std::nullopt};
    if (subject.core) work.core = pool_.location(*subject.core);
    env_.observers.tell([&](Observer& o) { o.thread_worked(work, isa::Cycles{thread.since}, isa::Cycles{now}); });
  }
  thread.since = now;
}

void Scheduler::end_work(std::uint32_t t, std::uint64_t now) {
  close_work(t, now);
  Thread& thread = threads_[t];
  NPU_ASSERT(thread.work.has_value(), "an idle thread has nothing to end");
  const SchedulerWork done = *thread.work;
  thread.work.reset();
  switch (done) {
    case SchedulerWork::Poll: {
      const std::uint32_t task = thread.completion.task;
      pool_.release(thread.completion.core);
      if (--runs_[task].parts_left > 0) break;
      runs_[task].stats.completed = now;
      const std::uint64_t edges = graph_.task(task).successors.size();
      occupy(t, SchedulerWork::Resolve, now, costs_.resolve + edges * costs_.resolve_edge,
             {.task = task, .block = std::nullopt, .core = std::nullopt});
      break;
    }
    case SchedulerWork::Resolve:
      end_resolve(thread.completion.task, now);
      break;
    case SchedulerWork::Dispatch:
      for (const std::uint32_t core : thread.claim.cores) {
        pool_.publish(core, thread.claim.part, now + costs_.visible);
      }
      plan_starts(thread.claim.cores.front(), now);
      break;
  }
}

void Scheduler::end_resolve(std::uint32_t task, std::uint64_t now) {
  std::vector<std::uint32_t> ready;
  graph_.complete(task, ready);
  for (const std::uint32_t r : ready) make_ready(r, now);
  task_completed_.notify(sc_core::SC_ZERO_TIME);
  if (listener_) listener_();
}

bool Scheduler::held_back(Shape shape) const {
  // A waiting cohort gets the next free cores that it could use; mixed blocks use both kinds.
  return std::any_of(kShapes.begin(), kShapes.end(), [&](Shape waiting) {
    const bool share_cores = waiting == shape || waiting == Shape::Mixed || shape == Shape::Mixed;
    return share_cores && !lane(waiting).cohorts.empty();
  });
}

void Scheduler::claim_cohorts() {
  for (const Shape shape : kShapes) {
    auto& queue = lane(shape).cohorts;
    while (!queue.empty()) {
      const std::uint32_t task = queue.front();
      const auto places = pool_.idle_places(shape);
      const std::uint32_t blocks = graph_.task(task).blocks;
      if (places.size() < blocks) break;
      for (std::uint32_t b = 0; b < blocks; ++b) {
        threads_[pool_.owner(places[b])].claims.push_back(claim_at(queue, places[b]));
      }
    }
  }
}

std::optional<Scheduler::Claim> Scheduler::claim_block(std::uint32_t t) {
  for (const Shape shape : kShapes) {
    auto& queue = lane(shape).tasks;
    if (queue.empty() || held_back(shape)) continue;
    if (const auto place = pool_.idle_place(shape, t)) return claim_at(queue, *place);
  }
  for (const Shape shape : kShapes) {
    auto& queue = lane(shape).tasks;
    if (queue.empty() || held_back(shape) || !pool_.idle_places(shape).empty()) continue;
    // A second slot taken by a single part would keep the cluster from the mixed block that waits for it.
    if (shape != Shape::Mixed && !lane(Shape::Mixed).tasks.empty()) continue;
    if (const auto place = pool_.staging_place(shape, t)) return claim_at(queue, *place);
  }
  return std::nullopt;
}

Scheduler::Claim Scheduler::claim_at(std::deque<std::uint32_t>& queue, std::uint32_t place) {
  const std::uint32_t task = queue.front();
  TaskRun& run = runs_[task];
  if (run.next_block == 0) graph_.mark_running(task);
  run.since = env_.clock.now();
  Claim claim{{task, run.next_block, run.shape == Shape::Mixed}, pool_.footprint(run.shape, place)};
  for (const std::uint32_t core : claim.cores) pool_.claim(core, claim.part);
  if (++run.next_block == graph_.task(task).blocks) queue.pop_front();
  return claim;
}

}  // namespace npu::model
