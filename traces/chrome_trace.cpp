#include "traces/chrome_trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "isa/errors.hpp"
#include "traces/row_order.hpp"

namespace npu::traces {
namespace {

// Process and thread ids never meet: viewers take a thread whose id is that of its process for its main thread.
constexpr std::uint64_t kHostProcess = 1;
constexpr std::uint64_t kLinkProcess = 2;
constexpr std::uint64_t kFirstCardProcess = 10;
constexpr std::uint64_t kFirstThread = 10'001;
constexpr std::uint64_t kLinkSortIndex = 1'000'000;

/// More than the keys, numbers and punctuation of any event; its texts come on top.
constexpr std::size_t kFixedBytes = 512;
/// Longer names are cut, so that every event fits a line of the file.
constexpr std::size_t kNameBytes = 4096;

std::string json_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text.substr(0, kNameBytes)) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted += '"';
}

std::uint64_t process_of(const TrackInfo& track) {
  switch (track.kind) {
    case TrackKind::Host:
      return kHostProcess;
    case TrackKind::Link:
      return kLinkProcess;
    case TrackKind::Orchestrator:
    case TrackKind::Scheduler:
    case TrackKind::Core:
    case TrackKind::Pipe:
      return kFirstCardProcess + track.card;
  }
  return kHostProcess;
}

}  // namespace

ChromeTraceWriter::ChromeTraceWriter(std::string path, const ChromeTraceOptions& options)
    : time_{options.core_mhz},
      window_{options.window},
      level_{options.level},
      file_{std::move(path), options.limit_bytes} {
  for (std::size_t reason = 0; reason < kWaitReasonCount; ++reason) {
    wait_heads_[reason] = fmt::format(
        R"(,"cat":"wait","cname":"grey","name":"wait: {0}","args":{{"reason":"{0}","for":)", kWaitReasonNames[reason]);
  }
  file_.put(
      fmt::format(R"({{"displayTimeUnit":"ns","otherData":{{"generator":"npusim","core_mhz":{}}},"traceEvents":[)",
                  time_.core_mhz()));
}

TrackId ChromeTraceWriter::add_track(const TrackInfo& info) {
  tracks_.push_back(info);
  rows_.emplace_back();
  return static_cast<TrackId>(tracks_.size() - 1);
}

NameId ChromeTraceWriter::intern(std::string_view name) {
  const NameId id = names_.intern(name);
  if (json_names_.size() < names_.size()) json_names_.push_back(json_string(name));
  return id;
}

Pen ChromeTraceWriter::begin_event(char phase, std::size_t text_bytes) {
  Pen pen = file_.line(kFixedBytes + text_bytes);
  if (!std::exchange(first_event_, false)) pen.put(',');
  pen.put("\n{\"ph\":\"");
  pen.put(phase);
  pen.put('"');
  return pen;
}

void ChromeTraceWriter::put_metadata(std::string_view what, std::string_view place, std::string_view key,
                                     std::string_view json_value) {
  const std::string rest = fmt::format(R"({},"name":"{}","args":{{"{}":{}}}}})", place, what, key, json_value);
  Pen pen = begin_event('M', rest.size());
  pen.put(rest);
  file_.commit(pen);
}

void ChromeTraceWriter::announce_process(std::uint64_t process, std::string_view name, std::uint64_t sort_index) {
  if (std::find(processes_.begin(), processes_.end(), process) != processes_.end()) return;
  processes_.push_back(process);
  const std::string place = fmt::format(R"(,"pid":{})", process);
  put_metadata("process_name", place, "name", json_string(name));
  put_metadata("process_sort_index", place, "sort_index", fmt::to_string(sort_index));
}

void ChromeTraceWriter::announce_rows() {
  const auto fresh = std::span{tracks_}.subspan(announced_);
  std::uint64_t thread = kFirstThread + announced_;
  for (const std::size_t index : reading_order(fresh)) {
    const TrackInfo& track = fresh[index];
    Row& row = rows_[announced_ + index];
    row.process = process_of(track);
    row.place = fmt::format(R"(,"pid":{},"tid":{})", row.process, thread);
    row.shown = track.kind != TrackKind::Pipe || level_ != Level::Task;
    if (row.shown) {
      if (row.process == kHostProcess) {
        announce_process(row.process, "host", 0);
      } else if (row.process == kLinkProcess) {
        announce_process(row.process, "links", kLinkSortIndex);
      } else {
        announce_process(row.process, fmt::format("card{}", track.card), 1 + track.card);
      }
      put_metadata("thread_name", row.place, "name", json_string(name_within_card(track)));
      put_metadata("thread_sort_index", row.place, "sort_index", fmt::to_string(thread - kFirstThread));
    }
    ++thread;
  }
  announced_ = tracks_.size();
}

void ChromeTraceWriter::span(TrackId track, SpanKind kind, NameId name, Cycles begin, Cycles end,
                             std::uint64_t detail) {
  NPU_ASSERT(!finished_ && begin <= end, "a span ends before it begins, or comes after the end of the trace");
  const Row& place = row(track);
  if (!place.shown || !window_.clip(begin, end)) return;
  const std::uint64_t from = time_.nanoseconds(begin);
  const std::string_view text = json_names_[static_cast<std::size_t>(name)];
  Pen pen = begin_event('X', place.place.size() + text.size());
  pen.put(place.place);
  pen.put(R"(,"ts":)");
  pen.put_thousandths(from);
  pen.put(R"(,"dur":)");
  pen.put_thousandths(time_.nanoseconds(end) - from);
  const auto named = [&](std::string_view head, std::string_view key) {
    pen.put(head);
    pen.put(text);
    pen.put(key);
    pen.put_number(detail);
  };
  switch (kind) {
    case SpanKind::Task:
      named(R"(,"cat":"task","name":)", R"(,"args":{"block":)");
      break;
    case SpanKind::Instruction:
      named(R"(,"cat":"instruction","name":)", R"(,"args":{"pc":)");
      break;
    case SpanKind::Wait:
      pen.put(wait_heads_.at(detail));
      pen.put(text);
      break;
    case SpanKind::Transfer:
      named(R"(,"cat":"transfer","name":)", R"(,"args":{"bytes":)");
      break;
    case SpanKind::Work:
      named(R"(,"cat":"work","name":)", R"(,"args":{"detail":)");
      break;
  }
  pen.put(R"(,"cycle":)");
  pen.put_number(begin.count());
  pen.put(R"(,"cycles":)");
  pen.put_number(elapsed(begin, end).count());
  pen.put("}}");
  file_.commit(pen);
}

void ChromeTraceWriter::put_arrow(char phase, FlowKind kind, const Row& row, std::uint64_t nanoseconds) {
  Pen pen = begin_event(phase, row.place.size());
  pen.put(row.place);
  pen.put(R"(,"ts":)");
  pen.put_thousandths(nanoseconds);
  pen.put(R"(,"cat":"flow","name":")");
  pen.put(kFlowKindNames[static_cast<std::size_t>(kind)]);
  pen.put(R"(","id":)");
  pen.put_number(arrows_);
  pen.put(phase == 'f' ? std::string_view{R"(,"bp":"e"})"} : std::string_view{"}"});
  file_.commit(pen);
}

void ChromeTraceWriter::flow(FlowKind kind, TrackId from, Cycles from_time, TrackId to, Cycles to_time) {
  NPU_ASSERT(!finished_ && from_time <= to_time, "an arrow points back in time, or comes after the end of the trace");
  const Row& tail = row(from);
  const Row& head = row(to);
  // from_time is the end of a span, so it may lie on the end of the window.
  const bool inside = window_.begin <= from_time && from_time <= window_.end && window_.contains(to_time);
  if (!tail.shown || !head.shown || !inside) return;
  ++arrows_;
  const std::uint64_t start = time_.nanoseconds(from_time);
  put_arrow('s', kind, tail, std::max(start, time_.nanoseconds(window_.begin) + 1) - 1);
  put_arrow('f', kind, head, time_.nanoseconds(to_time) + 1);
}

ChromeTraceWriter::Counter& ChromeTraceWriter::counter_of(Row& row, TrackId track, NameId name) {
  const auto known =
      std::find_if(row.counters.begin(), row.counters.end(), [&](const Counter& c) { return c.name == name; });
  if (known != row.counters.end()) return *known;
  const std::string title =
      fmt::format("{} {}", name_within_card(tracks_[static_cast<std::size_t>(track)]), names_[name]);
  row.counters.push_back({name, fmt::format(R"(,"pid":{},"name":{})", row.process, json_string(title)), false, 0});
  return row.counters.back();
}

void ChromeTraceWriter::put_sample(const Counter& counter, Cycles at, std::uint64_t value) {
  Pen pen = begin_event('C', counter.place.size());
  pen.put(counter.place);
  pen.put(R"(,"ts":)");
  pen.put_thousandths(time_.nanoseconds(at));
  pen.put(R"(,"args":{"value":)");
  pen.put_number(value);
  pen.put("}}");
  file_.commit(pen);
}

void ChromeTraceWriter::counter(TrackId track, NameId name, Cycles at, std::uint64_t value) {
  NPU_ASSERT(!finished_, "a sample comes after the end of the trace");
  Row& place = row(track);
  if (!place.shown || at >= window_.end) return;
  Counter& counter = counter_of(place, track, name);
  if (at < window_.begin) {
    counter.has_earlier = true;
    counter.earlier = value;
    return;
  }
  if (std::exchange(counter.has_earlier, false) && at > window_.begin) {
    put_sample(counter, window_.begin, counter.earlier);
  }
  put_sample(counter, at, value);
}

void ChromeTraceWriter::finish() {
  if (finished_) return;
  if (announced_ < tracks_.size()) announce_rows();
  for (const Row& row : rows_) {
    for (const Counter& counter : row.counters) {
      if (counter.has_earlier) put_sample(counter, window_.begin, counter.earlier);
    }
  }
  finished_ = true;
  file_.put("\n]}\n");
  file_.close();
}

}  // namespace npu::traces
