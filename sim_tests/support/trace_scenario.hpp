// A run small enough to check by hand: two cards, one cube core and one vector core each, 1 GHz (a cycle is 1 ns).
#pragma once

#include "traces/sink.hpp"

namespace npu::test {

struct TraceScenario {
  traces::TrackId host, orchestrator, scheduler, aic, aic_s, aic_mte2, aic_m, aiv, aiv_v, link;

  /// Tracks are announced in an order that is not the reading order.
  static TraceScenario announce(traces::Sink& sink) {
    using traces::TrackKind;
    TraceScenario t{};
    t.link = sink.add_track({TrackKind::Link, "link0to1", 0});
    t.aic_m = sink.add_track({TrackKind::Pipe, "card0.aic0.m", 0});
    t.aic_mte2 = sink.add_track({TrackKind::Pipe, "card0.aic0.mte2", 0});
    t.aic_s = sink.add_track({TrackKind::Pipe, "card0.aic0.s", 0});
    t.aiv_v = sink.add_track({TrackKind::Pipe, "card1.aiv10.v", 1});
    t.aiv = sink.add_track({TrackKind::Core, "card1.aiv10", 1});
    t.aic = sink.add_track({TrackKind::Core, "card0.aic0", 0});
    t.scheduler = sink.add_track({TrackKind::Scheduler, "card0.sched0", 0});
    t.orchestrator = sink.add_track({TrackKind::Orchestrator, "card0.orch", 0});
    t.host = sink.add_track({TrackKind::Host, "host", 0});
    return t;
  }

  /// Announces and plays: 14 spans, 2 arrows, 3 samples. Across tracks the events are out of order.
  static TraceScenario play(traces::Sink& sink) {
    using namespace isa::literals;
    using traces::FlowKind;
    using traces::SpanKind;
    using traces::WaitReason;
    const TraceScenario t = announce(sink);
    const auto reason = [](WaitReason r) { return static_cast<std::uint64_t>(r); };
    const auto gemm = sink.intern("gemm");
    const auto add = sink.intern("vector add \"x\"");
    const auto load = sink.intern("tload");
    const auto mul = sink.intern("tmatmul");
    const auto bytes = sink.intern("bytes in flight");
    traces::Detail block{7};
    block.task = 2;
    block.subject = sink.intern("gemm.cube");
    sink.span(t.aic, SpanKind::Task, gemm, 100_cyc, 200_cyc, block);
    sink.span(t.aic_mte2, SpanKind::Instruction, load, 110_cyc, 140_cyc, 3);
    sink.span(t.aic_mte2, SpanKind::Instruction, load, 140_cyc, 150_cyc, 4);
    sink.span(t.aic_mte2, SpanKind::Wait, load, 150_cyc, 160_cyc, reason(WaitReason::Flag));
    sink.span(t.aic_m, SpanKind::Wait, mul, 100_cyc, 145_cyc, reason(WaitReason::Flag));
    sink.span(t.aic_m, SpanKind::Instruction, mul, 145_cyc, 180_cyc, 5);
    sink.span(t.aic_s, SpanKind::Instruction, sink.intern("salu"), 100_cyc, 105_cyc, 0);
    sink.span(t.aic_s, SpanKind::Wait, sink.intern("halt"), 105_cyc, 200_cyc, reason(WaitReason::Drain));
    sink.span(t.host, SpanKind::Work, sink.intern("submit"), 0_cyc, 40_cyc, traces::Detail::kNoValue);
    sink.span(t.orchestrator, SpanKind::Work, sink.intern("build graph"), 40_cyc, 80_cyc, traces::Detail::kNoValue);
    traces::Detail dispatch{7};
    dispatch.task = 2;
    dispatch.subject = gemm;
    dispatch.core = t.aic;
    sink.span(t.scheduler, SpanKind::Work, sink.intern("dispatch"), 80_cyc, 100_cyc, dispatch);
    sink.span(t.link, SpanKind::Transfer, sink.intern("tput"), 200_cyc, 260_cyc, 4096);
    sink.counter(t.link, bytes, 200_cyc, 4096);
    sink.counter(t.link, bytes, 260_cyc, 512);
    sink.counter(t.link, bytes, 260_cyc, 0);
    sink.span(t.aiv, SpanKind::Task, add, 270_cyc, 300_cyc, 0);
    sink.span(t.aiv_v, SpanKind::Instruction, sink.intern("tadd"), 275_cyc, 290_cyc, 1);
    sink.flow(FlowKind::TaskDependency, t.aic, 200_cyc, t.aiv, 270_cyc);
    sink.flow(FlowKind::NotifyToWait, t.aic_s, 200_cyc, t.aiv_v, 275_cyc);
    return t;
  }
};

}  // namespace npu::test
