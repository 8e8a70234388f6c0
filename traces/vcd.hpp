// Waveforms for GTKWave and other viewers: Value Change Dump (IEEE 1364-2005, 18.2) with string variables, an extension
// that GTKWave, vcd2fst and Surfer read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "traces/name_table.hpp"
#include "traces/scope_pattern.hpp"
#include "traces/sink.hpp"
#include "traces/text_file.hpp"
#include "traces/timebase.hpp"

namespace npu::traces {

struct VcdOptions {
  double core_mhz;  ///< clock of the cycles of all events
  Level level = Level::Pipe;
  Window window{};
  std::string scope{};                             ///< ScopePattern; empty: every track
  std::uint64_t limit_bytes = TextFile::kNoLimit;  ///< of the file, and of the events in memory; more are left out
};

/// Writes changes only, in ticks of 1 ps. Scopes follow the dotted names of the tracks, in reading order. A variable is
/// named after the last part of its track and its meaning (mte2_op), because viewers show that name alone:
///   core                           _task (string), _block (32 bits)
///   pipe, from Level::Pipe         _busy (1 bit), _state (string idle, busy or wait_REASON), _op (string)
///   pipe, from Level::Signal       also _pc (32 bits)
///   host, orchestrator, scheduler  _busy, _work (string)
///   link                           _busy, _transfer (string)
///   counter                        64 bits, in the scope of its track
/// While nothing runs, strings read "-" and vectors are z; counters start at 0. Spans of no cycles leave no mark;
/// arrows do not appear. Events are kept in memory (24 bytes a span that follows its neighbour at once) and written by
/// finish(), because a VCD must be in order of time over all tracks. Beside NAME.vcd it leaves NAME.gtkw
/// (gtkwave_view.hpp).
class VcdWriter final : public Sink {
 public:
  /// Throws ConfigError if the file cannot be created.
  VcdWriter(std::string path, const VcdOptions& options);
  VcdWriter(const VcdWriter&) = delete;
  VcdWriter& operator=(const VcdWriter&) = delete;

  TrackId add_track(const TrackInfo& info) override;
  NameId intern(std::string_view name) override;
  void span(TrackId track, SpanKind kind, NameId name, Cycles begin, Cycles end, const Detail& detail) override;
  void flow(FlowKind, TrackId, Cycles, TrackId, Cycles) override {}
  void counter(TrackId track, NameId name, Cycles at, std::uint64_t value) override;

  /// Throws ConfigError if the scope pattern takes none of the tracks announced so far. For use before a long run.
  void check_scope() const;
  /// Writes the file; a waveform that nobody finishes leaves nothing. Throws ConfigError if any write failed, or as
  /// check_scope(). Events may not follow.
  void finish();
  /// Whether events were left out because of the limit.
  [[nodiscard]] bool is_cut() const { return is_cut_ || file_.is_cut(); }

 private:
  enum class Action : std::uint32_t { Idle, Busy, Wait, Sample };
  /// Subject is a track, or for Sample a counter. Value: of a span its name (high half) and detail (low half).
  struct Change {
    std::uint64_t cycle;
    std::uint64_t value;
    std::uint32_t subject;
    Action action;
  };
  enum class Type : std::uint8_t { Bit, Vector, Name, State };
  struct Variable {
    std::string name;
    std::string path;  ///< with all scopes, and the range of a vector
    Type type;
    unsigned width;
    std::string identifier;
    std::uint64_t value;  ///< as last written
  };
  struct Track {
    TrackInfo info;
    bool selected = false;
    bool used = false;  ///< has a span or a sample
    bool open = false;  ///< a span has been seen whose end is not yet a change
    Cycles open_end;
    std::size_t first_variable = 0;
    std::size_t end_variable = 0;
    std::vector<std::size_t> counters;
  };
  struct Counter {
    NameId name;
    std::uint64_t initial;      ///< last value before the window
    std::uint64_t last_change;  ///< index in changes_, or kNone
    std::size_t variable;
  };
  struct Scope;

  [[nodiscard]] Track& track(TrackId id) { return tracks_[static_cast<std::size_t>(id)]; }
  void close_open_span(std::uint32_t index);
  [[nodiscard]] bool is_full();
  std::size_t declare(const Track& track, std::string_view what, Type type, unsigned width);
  void declare_variables();
  void put_scope(const Scope& scope, const std::string& path);
  void put_declaration(Variable& variable, const std::string& scope_path);
  void put_header();
  void put_value(const Variable& variable);
  void set(std::size_t variable, std::uint64_t value, std::uint64_t cycle);
  void apply(const Change& change);
  /// The busy time of the first task, in ticks.
  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> first_task() const;
  void write_view() const;

  Timebase time_;
  Level level_;
  Window window_;
  ScopePattern scope_;
  TextFile file_;
  std::uint64_t most_changes_;
  NameTable names_;
  std::vector<std::string> words_;  ///< by NameId, as legal string values
  std::vector<Track> tracks_;
  std::vector<Counter> counters_;
  std::vector<Change> changes_;
  std::vector<Variable> variables_;
  std::uint64_t stamped_cycle_ = 0;
  bool finished_ = false;
  bool is_cut_ = false;
};

}  // namespace npu::traces
