#include "traces/vcd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <utility>

#include "isa/errors.hpp"
#include "traces/gtkwave_view.hpp"
#include "traces/row_order.hpp"

namespace npu::traces {
namespace {

constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();  ///< z, or "-" for strings
constexpr std::array<std::string_view, 2> kStateNames{"idle", "busy"};      ///< then kWaitReasonNames

/// Text without the characters that end or escape a word of the format.
std::string word(std::string_view text) {
  constexpr std::size_t kWordBytes = 4096;
  std::string result{text.substr(0, kWordBytes)};
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c <= ' ' || c > '~' || c == '\\'; }, '_');
  return result.empty() ? "_" : result;
}

/// A word that viewers do not take for a bit range or a hierarchy.
std::string identifier_word(std::string_view text) {
  std::string result = word(text);
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c == '[' || c == ']' || c == '.' || c == '$' || c == '/'; },
      '_');
  return result;
}

/// Shortest distinct codes over the 90 printable characters from % on: naive readers trip over ! to $, which also
/// begin times and keywords.
std::string identifier_code(std::size_t number) {
  constexpr char kFirst = '%';
  constexpr std::size_t kDigits = '~' - kFirst + 1;
  std::string code;
  for (std::size_t rest = number + 1; rest > 0; rest = (rest - 1) / kDigits) {
    code += static_cast<char>(kFirst + (rest - 1) % kDigits);
  }
  return code;
}

}  // namespace

struct VcdWriter::Scope {
  std::string name;
  std::vector<const Track*> tracks;  ///< one, unless two tracks share a name
  std::vector<Scope> children;

  Scope& child(std::string_view child_name) {
    const auto known =
        std::find_if(children.begin(), children.end(), [&](const Scope& s) { return s.name == child_name; });
    if (known != children.end()) return *known;
    children.push_back({std::string{child_name}, {}, {}});
    return children.back();
  }
};

VcdWriter::VcdWriter(std::string path, const VcdOptions& options)
    : time_{options.core_mhz},
      level_{options.level},
      window_{options.window},
      scope_{options.scope},
      file_{std::move(path), options.limit_bytes},
      most_changes_{options.limit_bytes / sizeof(Change)} {}

TrackId VcdWriter::add_track(const TrackInfo& info) {
  Track added;
  added.info = info;
  added.selected = (info.kind != TrackKind::Pipe || level_ != Level::Task) && scope_.matches(info.name);
  tracks_.push_back(std::move(added));
  return static_cast<TrackId>(tracks_.size() - 1);
}

NameId VcdWriter::intern(std::string_view name) {
  const NameId id = names_.intern(name);
  if (words_.size() < names_.size()) words_.push_back(word(name));
  return id;
}

void VcdWriter::close_open_span(std::uint32_t index) {
  Track& closing = tracks_[index];
  if (!std::exchange(closing.open, false)) return;
  changes_.push_back({closing.open_end.count(), 0, index, Action::Idle});
}

bool VcdWriter::is_full() {
  is_cut_ = is_cut_ || changes_.size() >= most_changes_;
  return is_cut_;
}

void VcdWriter::span(TrackId id, SpanKind kind, NameId name, Cycles begin, Cycles end, const Detail& detail) {
  NPU_ASSERT(!finished_ && begin <= end, "a span ends before it begins, or comes after the end of the trace");
  Track& on = track(id);
  if (!on.selected || !window_.clip(begin, end) || begin == end) return;
  if (is_full()) return;
  NPU_ASSERT(!on.open || on.open_end <= begin, "spans of one track overlap or are out of order");
  const auto index = static_cast<std::uint32_t>(id);
  if (on.open_end < begin) close_open_span(index);
  const std::uint64_t value = (std::uint64_t{static_cast<std::uint32_t>(name)} << 32) | (detail.value & 0xffff'ffffU);
  changes_.push_back({begin.count(), value, index, kind == SpanKind::Wait ? Action::Wait : Action::Busy});
  on.used = true;
  on.open = true;
  on.open_end = end;
}

void VcdWriter::counter(TrackId id, NameId name, Cycles at, std::uint64_t value) {
  NPU_ASSERT(!finished_, "a sample comes after the end of the trace");
  Track& on = track(id);
  if (!on.selected || at >= window_.end || is_full()) return;
  auto known = std::find_if(on.counters.begin(), on.counters.end(),
                            [&](std::size_t index) { return counters_[index].name == name; });
  if (known == on.counters.end()) {
    counters_.push_back({name, 0, kNone, 0});
    known = on.counters.insert(on.counters.end(), counters_.size() - 1);
  }
  on.used = true;
  Counter& sampled = counters_[*known];
  if (at < window_.begin) {
    sampled.initial = value;
  } else if (sampled.last_change != kNone && changes_[sampled.last_change].cycle == at.count()) {
    changes_[sampled.last_change].value = value;
  } else {
    sampled.last_change = changes_.size();
    changes_.push_back({at.count(), value, static_cast<std::uint32_t>(*known), Action::Sample});
  }
}

void VcdWriter::check_scope() const {
  if (tracks_.empty() || std::any_of(tracks_.begin(), tracks_.end(), [](const Track& t) { return t.selected; })) return;
  throw config_error("VCD scope '{}' takes no track at this level; the {} tracks have names like '{}' and '{}'",
                     scope_.text(), tracks_.size(), tracks_.front().info.name, tracks_.back().info.name);
}

std::size_t VcdWriter::declare(const Track& track, std::string_view what, Type type, unsigned width) {
  const std::size_t index = variables_.size();
  const bool rests_at_zero = type == Type::Bit || type == Type::State;
  const std::string_view name = track.info.name;
  variables_.push_back({identifier_word(fmt::format("{}_{}", name.substr(name.rfind('.') + 1), what)),
                        {},
                        type,
                        width,
                        identifier_code(index),
                        rests_at_zero ? 0 : kNone});
  return index;
}

void VcdWriter::declare_variables() {
  for (Track& t : tracks_) {
    if (!t.selected) continue;
    t.first_variable = variables_.size();
    switch (t.info.kind) {
      case TrackKind::Core:
        declare(t, "task", Type::Name, 1);
        declare(t, "block", Type::Vector, 32);
        break;
      case TrackKind::Pipe:
        declare(t, "op", Type::Name, 1);
        declare(t, "busy", Type::Bit, 1);
        declare(t, "state", Type::State, 1);
        if (level_ == Level::Signal) declare(t, "pc", Type::Vector, 32);
        break;
      case TrackKind::Card:
      case TrackKind::Memory:
        break;
      case TrackKind::Host:
      case TrackKind::Orchestrator:
      case TrackKind::Scheduler:
        declare(t, "work", Type::Name, 1);
        declare(t, "busy", Type::Bit, 1);
        break;
      case TrackKind::Link:
        declare(t, "transfer", Type::Name, 1);
        declare(t, "busy", Type::Bit, 1);
        break;
    }
    t.end_variable = variables_.size();
    for (const std::size_t index : t.counters) {
      Counter& c = counters_[index];
      c.variable = declare(t, names_[c.name], Type::Vector, 64);
      variables_[c.variable].value = c.initial;
    }
  }
}

void VcdWriter::put_declaration(Variable& v, const std::string& scope_path) {
  const auto put = [&](std::string_view type, std::string_view range) {
    file_.put(fmt::format("$var {} {} {} {}{} $end\n", type, v.width, v.identifier, v.name, range));
    v.path = fmt::format("{}.{}{}", scope_path, v.name, range.substr(range.empty() ? 0 : 1));
  };
  switch (v.type) {
    case Type::Bit:
      return put("wire", "");
    case Type::Vector:
      return put("reg", fmt::format(" [{}:0]", v.width - 1));
    case Type::Name:
    case Type::State:
      return put("string", "");
  }
}

void VcdWriter::put_scope(const Scope& scope, const std::string& path) {
  file_.put(fmt::format("$scope module {} $end\n", scope.name));
  for (const Track* t : scope.tracks) {
    for (std::size_t v = t->first_variable; v < t->end_variable; ++v) put_declaration(variables_[v], path);
    for (const std::size_t c : t->counters) put_declaration(variables_[counters_[c].variable], path);
  }
  for (const Scope& child : scope.children) put_scope(child, fmt::format("{}.{}", path, child.name));
  file_.put("$upscope $end\n");
}

void VcdWriter::put_header() {
  file_.put("$version npusim $end\n");
  file_.put(fmt::format("$comment core clock {} MHz $end\n", time_.core_mhz()));
  file_.put("$timescale 1ps $end\n");
  std::vector<TrackInfo> infos;
  for (const Track& t : tracks_) infos.push_back(t.info);
  Scope root;
  for (const std::size_t index : reading_order(infos)) {
    const Track& t = tracks_[index];
    if (!t.selected) continue;
    Scope* at = &root;
    std::string_view rest = t.info.name;
    for (auto dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
      at = &at->child(identifier_word(rest.substr(0, dot)));
      rest.remove_prefix(dot + 1);
    }
    at->child(identifier_word(rest)).tracks.push_back(&t);
  }
  for (const Scope& scope : root.children) put_scope(scope, scope.name);
  file_.put("$enddefinitions $end\n");
}

void VcdWriter::put_value(const Variable& v) {
  Pen pen = file_.line(TextFile::kLineBytes);
  const auto put_text = [&](std::string_view text) {
    pen.put('s');
    pen.put(text);
    pen.put(' ');
  };
  switch (v.type) {
    case Type::Bit:
      pen.put(v.value != 0 ? '1' : '0');
      break;
    case Type::Vector:
      pen.put('b');
      if (v.value == kNone) {
        pen.put('z');
      } else {
        // Leading zeros may be left out: the reader extends on the left with 0.
        for (unsigned bit = std::max(1U, static_cast<unsigned>(std::bit_width(v.value))); bit-- > 0;) {
          pen.put((v.value >> bit & 1) != 0 ? '1' : '0');
        }
      }
      pen.put(' ');
      break;
    case Type::Name:
      put_text(v.value == kNone ? std::string_view{"-"} : std::string_view{words_[v.value]});
      break;
    case Type::State:
      if (v.value < kStateNames.size()) {
        put_text(kStateNames[v.value]);
      } else {
        pen.put("swait_");
        pen.put(kWaitReasonNames.at(v.value - kStateNames.size()));
        pen.put(' ');
      }
      break;
  }
  pen.put(v.identifier);
  pen.put('\n');
  file_.commit(pen);
}

void VcdWriter::set(std::size_t variable, std::uint64_t value, std::uint64_t cycle) {
  Variable& v = variables_[variable];
  if (v.value == value) return;
  v.value = value;
  if (cycle == window_.begin.count()) return;  // part of $dumpvars
  if (cycle != stamped_cycle_) {
    Pen pen = file_.line(Pen::kNumberBytes + 2);
    pen.put('#');
    pen.put_number(time_.picoseconds(Cycles{cycle}));
    pen.put('\n');
    file_.commit(pen);
    stamped_cycle_ = cycle;
  }
  put_value(v);
}

void VcdWriter::apply(const Change& change) {
  if (change.action == Action::Sample) return set(counters_[change.subject].variable, change.value, change.cycle);
  const Track& t = tracks_[change.subject];
  const bool idle = change.action == Action::Idle;
  const bool busy = change.action == Action::Busy;
  const std::uint64_t name = idle ? kNone : change.value >> 32;
  const std::uint64_t detail = change.value & 0xffff'ffffU;
  const std::size_t first = t.first_variable;
  set(first, name, change.cycle);
  switch (t.info.kind) {
    case TrackKind::Core:
      set(first + 1, idle ? kNone : detail, change.cycle);
      break;
    case TrackKind::Pipe:
      set(first + 1, busy ? 1 : 0, change.cycle);
      set(first + 2, idle ? 0 : busy ? 1 : kStateNames.size() + detail, change.cycle);
      if (level_ == Level::Signal) set(first + 3, busy ? detail : kNone, change.cycle);
      break;
    case TrackKind::Card:
    case TrackKind::Memory:
      break;
    case TrackKind::Host:
    case TrackKind::Orchestrator:
    case TrackKind::Scheduler:
    case TrackKind::Link:
      set(first + 1, busy ? 1 : 0, change.cycle);
      break;
  }
}

void VcdWriter::finish() {
  if (finished_) return;
  finished_ = true;
  for (std::size_t index = 0; index < tracks_.size(); ++index) close_open_span(static_cast<std::uint32_t>(index));
  std::stable_sort(changes_.begin(), changes_.end(),
                   [](const Change& a, const Change& b) { return a.cycle < b.cycle; });
  declare_variables();
  put_header();
  const auto later =
      std::find_if(changes_.begin(), changes_.end(), [&](const Change& c) { return c.cycle > window_.begin.count(); });
  std::for_each(changes_.begin(), later, [&](const Change& c) { apply(c); });
  stamped_cycle_ = window_.begin.count();
  file_.put(fmt::format("#{}\n$dumpvars\n", time_.picoseconds(window_.begin)));
  for (const Variable& v : variables_) put_value(v);
  file_.put("$end\n");
  std::for_each(later, changes_.end(), [&](const Change& c) { apply(c); });
  file_.close();
  check_scope();
  write_view();
}

std::pair<std::uint64_t, std::uint64_t> VcdWriter::first_task() const {
  const auto is_task = [&](const Change& c) {
    return c.action == Action::Busy && tracks_[c.subject].info.kind == TrackKind::Core;
  };
  const auto begin = std::find_if(changes_.begin(), changes_.end(), is_task);
  if (begin == changes_.end()) {
    return {time_.picoseconds(window_.begin), changes_.empty() ? 0 : time_.picoseconds(Cycles{changes_.back().cycle})};
  }
  const auto end = std::find_if(begin + 1, changes_.end(), [&](const Change& c) {
    return c.action != Action::Sample && c.subject == begin->subject;
  });
  return {time_.picoseconds(Cycles{begin->cycle}),
          time_.picoseconds(Cycles{(end == changes_.end() ? changes_.back() : *end).cycle})};
}

void VcdWriter::write_view() const {
  const std::string path = view_path(file_.path());
  if (path.empty()) return;
  std::vector<TrackInfo> infos;
  for (const Track& t : tracks_) infos.push_back(t.info);
  ViewGroup overview{"overview", true, {}};
  std::vector<ViewGroup> cores;
  for (const std::size_t index : reading_order(infos)) {
    const Track& t = tracks_[index];
    if (!t.used) continue;
    const std::string core =
        t.info.kind == TrackKind::Pipe ? t.info.name.substr(0, t.info.name.rfind('.')) : t.info.name;
    const bool in_core = t.info.kind == TrackKind::Pipe || t.info.kind == TrackKind::Core;
    if (in_core && (cores.empty() || cores.back().title != core)) cores.push_back({core, cores.empty(), {}});
    const std::string_view scope = std::string_view{t.info.name}.substr(0, t.info.name.rfind('.') + 1);
    const auto show = [&](const Variable& v) {
      if (in_core) cores.back().signals.push_back({v.name, v.path});
      if (t.info.kind == TrackKind::Pipe || (in_core && v.type != Type::Name)) return;
      std::string shown = fmt::format("{}{}", scope, v.name);
      std::replace(shown.begin(), shown.end(), '.', ' ');
      overview.signals.push_back({std::move(shown), v.path});
    };
    for (std::size_t v = t.first_variable; v < t.end_variable; ++v) {
      if (variables_[v].type != Type::Bit) show(variables_[v]);
    }
    for (const std::size_t counter : t.counters) show(variables_[counters_[counter].variable]);
  }
  cores.insert(cores.begin(), std::move(overview));
  const auto [begin, end] = first_task();
  TextFile view{path};
  view.put(gtkwave_view(file_.path(), begin, end, cores));
  view.close();
}

}  // namespace npu::traces
