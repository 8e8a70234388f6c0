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
constexpr std::uint64_t kFirstProcess = 1;
constexpr std::uint64_t kFirstThread = 1'000'001;

/// More than the keys, numbers and punctuation of any event; its texts come on top.
constexpr std::size_t kFixedBytes = 1024;
/// Longer names are cut, so that every event fits a line of the file: a row, a name, a subject and a core.
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

constexpr std::array<std::string_view, 5> kCategories{"task", "instruction", "wait", "transfer",
                                                      "work"};  // by SpanKind

// Times are in steps of 1/1024 us. Perfetto cuts both begin and length to whole nanoseconds.
constexpr std::uint64_t kShortest = 2;     ///< Perfetto sees one nanosecond
constexpr std::uint64_t kBehindBegin = 2;  ///< Perfetto sees a later nanosecond
constexpr std::uint64_t kBeforeEnd = 3;    ///< Perfetto sees an earlier nanosecond than the end that it adds up

}  // namespace

ChromeTraceWriter::ChromeTraceWriter(std::string path, const ChromeTraceOptions& options)
    : time_{options.core_mhz},
      window_{options.window},
      level_{options.level},
      file_{std::move(path), options.limit_bytes} {
  for (std::size_t reason = 0; reason < kWaitReasonCount; ++reason) {
    wait_names_[reason] = fmt::format(R"("wait: {}")", kWaitReasonNames[reason]);
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

std::size_t ChromeTraceWriter::process_named(const std::string& name) {
  const auto known =
      std::find_if(processes_.begin(), processes_.end(), [&](const Process& process) { return process.name == name; });
  if (known != processes_.end()) return static_cast<std::size_t>(known - processes_.begin());
  processes_.push_back({name, false});
  return processes_.size() - 1;
}

void ChromeTraceWriter::place_rows() {
  const auto fresh = std::span{tracks_}.subspan(placed_);
  std::uint64_t thread = kFirstThread + placed_;
  for (const std::size_t index : reading_order(fresh)) {
    const TrackInfo& track = fresh[index];
    Row& row = rows_[placed_ + index];
    row.shown = track.kind != TrackKind::Pipe || level_ != TimelineLevel::Task;
    if (row.shown) row.process = process_named(group_of(track));
    row.thread = thread++;
    row.place = fmt::format(R"(,"pid":{},"tid":{})", kFirstProcess + row.process, row.thread);
  }
  placed_ = tracks_.size();
}

void ChromeTraceWriter::announce(Process& process) {
  if (std::exchange(process.announced, true)) return;
  const auto index = static_cast<std::uint64_t>(&process - processes_.data());
  const std::string place = fmt::format(R"(,"pid":{})", kFirstProcess + index);
  put_metadata("process_name", place, "name", json_string(process.name));
  put_metadata("process_sort_index", place, "sort_index", fmt::to_string(index));
}

void ChromeTraceWriter::announce(Row& row) {
  if (std::exchange(row.announced, true)) return;
  Process& process = processes_[row.process];
  announce(process);
  const TrackInfo& track = tracks_[static_cast<std::size_t>(&row - rows_.data())];
  put_metadata("thread_name", row.place, "name", json_string(name_within(process.name, track)));
  put_metadata("thread_sort_index", row.place, "sort_index", fmt::to_string(row.thread - kFirstThread));
}

bool ChromeTraceWriter::goes_on(const Slice& slice, SpanKind kind, Cycles begin, const Detail& detail) const {
  if (slice.spans == 0 || slice.kind != kind || slice.end != begin) return false;
  if (kind == SpanKind::Wait) return slice.detail == detail;
  return kind == SpanKind::Instruction && level_ == TimelineLevel::Pipe;
}

void ChromeTraceWriter::span(TrackId track, SpanKind kind, NameId name, Cycles begin, Cycles end,
                             const Detail& detail) {
  NPU_ASSERT(!finished_ && begin <= end, "a span ends before it begins, or comes after the end of the trace");
  Row& on = row(track);
  if (!on.shown || !window_.clip(begin, end)) return;
  Slice& last = on.last;
  if (goes_on(last, kind, begin, detail)) {
    last.end = end;
    ++last.spans;
    return;
  }
  put_slice(on);
  last = {kind, name, begin, end, detail, 1};
}

void ChromeTraceWriter::put_slice(Row& row) {
  const Slice& slice = row.last;
  const std::uint64_t from = time_.microseconds_1024(slice.begin);
  const std::uint64_t to = time_.microseconds_1024(slice.end);
  if (slice.spans == 0 || to - from < kShortest) return;
  announce(row);
  std::string_view name = json_names_[static_cast<std::size_t>(slice.name)];
  if (slice.kind == SpanKind::Wait) name = wait_names_.at(slice.detail.value);
  if (slice.kind == SpanKind::Instruction && level_ == TimelineLevel::Pipe) name = R"("busy")";
  const bool has_subject = slice.detail.subject != NameId{Detail::kNone};
  Pen pen =
      begin_event('X', row.place.size() + name.size() +
                           (has_subject ? json_names_[static_cast<std::size_t>(slice.detail.subject)].size() : 0));
  pen.put(row.place);
  pen.put(R"(,"ts":)");
  pen.put_1024ths(from);
  pen.put(R"(,"dur":)");
  pen.put_1024ths(to - from);
  pen.put(R"(,"cat":")");
  pen.put(kCategories[static_cast<std::size_t>(slice.kind)]);
  pen.put(R"(","name":)");
  pen.put(name);
  pen.put(R"(,"args":{)");
  put_args(pen, slice);
  pen.put(R"("cycle":)");
  pen.put_number(slice.begin.count());
  pen.put(R"(,"cycles":)");
  pen.put_number(elapsed(slice.begin, slice.end).count());
  pen.put("}}");
  file_.commit(pen);
}

void ChromeTraceWriter::put_args(Pen& pen, const Slice& slice) const {
  const Detail& detail = slice.detail;
  const auto number = [&](std::string_view key, std::uint64_t value) {
    pen.put(key);
    pen.put_number(value);
    pen.put(',');
  };
  const auto text = [&](std::string_view key, std::string_view json_value) {
    pen.put(key);
    pen.put(json_value);
    pen.put(',');
  };
  switch (slice.kind) {
    case SpanKind::Instruction:
      if (level_ == TimelineLevel::Pipe) return number(R"("instructions":)", slice.spans);
      return number(R"("pc":)", detail.value);
    case SpanKind::Transfer:
      return number(R"("bytes":)", detail.value);
    case SpanKind::Wait:
      if (detail.subject != NameId{Detail::kNone}) {
        text(R"("awaits":)", json_names_[static_cast<std::size_t>(detail.subject)]);
      }
      if (detail.core != TrackId{Detail::kNone}) {
        pen.put(R"("from":")");
        pen.put(tracks_[static_cast<std::size_t>(detail.core)].name);
        pen.put("\",");
      }
      return;
    case SpanKind::Task:
    case SpanKind::Work:
      break;
  }
  if (detail.task != Detail::kNone) number(R"("task":)", detail.task);
  if (detail.subject != NameId{Detail::kNone}) {
    text(slice.kind == SpanKind::Task ? R"("kernel":)" : R"("of":)",
         json_names_[static_cast<std::size_t>(detail.subject)]);
  }
  if (detail.value != Detail::kNoValue) number(R"("block":)", detail.value);
  if (detail.core != TrackId{Detail::kNone}) {
    const TrackInfo& core = tracks_[static_cast<std::size_t>(detail.core)];
    pen.put(R"("core":")");
    pen.put(name_within(processes_[rows_[static_cast<std::size_t>(detail.core)].process].name, core));
    pen.put("\",");
  }
}

void ChromeTraceWriter::put_arrow(char phase, FlowKind kind, Row& row, std::uint64_t time) {
  announce(row);
  Pen pen = begin_event(phase, row.place.size());
  pen.put(row.place);
  pen.put(R"(,"ts":)");
  pen.put_1024ths(time);
  pen.put(R"(,"cat":"flow","name":")");
  pen.put(kFlowKindNames[static_cast<std::size_t>(kind)]);
  pen.put(R"(","id":)");
  pen.put_number(arrows_);
  pen.put(phase == 'f' ? std::string_view{R"(,"bp":"e"})"} : std::string_view{"}"});
  file_.commit(pen);
}

void ChromeTraceWriter::flow(FlowKind kind, TrackId from, Cycles from_time, TrackId to, Cycles to_time) {
  NPU_ASSERT(!finished_ && from_time <= to_time, "an arrow points back in time, or comes after the end of the trace");
  Row& tail = row(from);
  Row& head = row(to);
  // from_time is the end of a span, so it may lie on the end of the window.
  const bool inside = window_.begin <= from_time && from_time <= window_.end && window_.contains(to_time);
  if (!tail.shown || !head.shown || !inside) return;
  ++arrows_;
  const std::uint64_t start = time_.microseconds_1024(from_time);
  put_arrow('s', kind, tail, std::max(start, time_.microseconds_1024(window_.begin) + kBeforeEnd) - kBeforeEnd);
  put_arrow('f', kind, head, time_.microseconds_1024(to_time) + kBehindBegin);
}

ChromeTraceWriter::Counter& ChromeTraceWriter::counter_of(Row& row, TrackId track, NameId name) {
  const auto known =
      std::find_if(row.counters.begin(), row.counters.end(), [&](const Counter& c) { return c.name == name; });
  if (known != row.counters.end()) return *known;
  const std::string title = fmt::format(
      "{} {}", name_within(processes_[row.process].name, tracks_[static_cast<std::size_t>(track)]), names_[name]);
  row.counters.push_back(
      {name, fmt::format(R"(,"pid":{},"name":{})", kFirstProcess + row.process, json_string(title)), false, 0});
  return row.counters.back();
}

void ChromeTraceWriter::put_sample(Row& row, const Counter& counter, Cycles at, std::uint64_t value) {
  announce(processes_[row.process]);
  Pen pen = begin_event('C', counter.place.size());
  pen.put(counter.place);
  pen.put(R"(,"ts":)");
  pen.put_1024ths(time_.microseconds_1024(at));
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
    put_sample(place, counter, window_.begin, counter.earlier);
  }
  put_sample(place, counter, at, value);
}

void ChromeTraceWriter::finish() {
  if (finished_) return;
  for (Row& row : rows_) {
    put_slice(row);
    for (const Counter& counter : row.counters) {
      if (counter.has_earlier) put_sample(row, counter, window_.begin, counter.earlier);
    }
  }
  finished_ = true;
  file_.put("\n]}\n");
  file_.close();
}

}  // namespace npu::traces
