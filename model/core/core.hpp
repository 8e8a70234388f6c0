// One core, AIC or AIV: a scalar unit that interprets the program and hands work to in-order pipes.
//
// Modelled: bounded queues, flags, barriers, cross-core flags, occupancy and result latency of every instruction,
// shared-bandwidth transfers, the scalar data cache, capacity and bounds. Data moves when an instruction retires, in
// simulated-time order. Not modelled: instruction fetch, register hazards of the scalar unit, UB write conflicts.
//
// Between two interactions with the rest of the system (a transfer, a cross-core flag, a cell, the end of the block)
// the pipes and flags of a core depend on nothing else, so the core steps through its own events and asks SystemC for a
// wake-up only where it must meet the others at the right time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "isa/errors.hpp"
#include "isa/semantics/semantics.hpp"
#include "isa/shape_rules.hpp"
#include "model/core/block.hpp"
#include "model/core/core_location.hpp"
#include "model/core/data_cache.hpp"
#include "model/core/local_space.hpp"
#include "model/core/notify_board.hpp"
#include "model/core/ring_buffer.hpp"
#include "model/environment.hpp"
#include "model/memory/memory_system.hpp"
#include "model/memory/unknown_bytes.hpp"

namespace npu::model {

/// Shared by the cores of one run.
struct CoreServices {
  MemorySystem& memory;
  std::shared_ptr<NotifyBoard> notifies;
  std::uint32_t card_count = 1;
  Mode mode = Mode::Timed;
  ActivityMarker* activity = nullptr;
};

class Core final : public sc_core::sc_module, public CoreInterface, private TransferClient, private CellWatcher {
 public:
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  Core(const sc_core::sc_module_name& name, Environment env, const CoreLocation& where, const CoreServices& services,
       BlockObserver& observer);

  /// The other cores of the cluster: [AIC, AIV0, AIV1].
  void connect(const std::array<Core*, 3>& cluster) { cluster_ = cluster; }
  void start(const Block& block) override;
  void describe_waits(std::vector<WaitRow>& rows) const override;
  [[nodiscard]] std::uint64_t latest() const override;
  std::optional<BlockStats> cut_off(std::uint64_t cycle) override;
  [[nodiscard]] traces::TrackId track() const override { return track_; }
  [[nodiscard]] std::uint64_t retired() const override { return retired_ + pipes_[0].stats.instructions; }
  [[nodiscard]] bool goes_on() const override;

 private:
  struct ResolvedTile {
    std::uint32_t offset = 0;
    std::uint16_t rows = 0, cols = 0;
  };
  /// An instruction with everything that registers decided when the scalar unit issued it.
  struct Issued {
    const isa::Instruction* ins = nullptr;
    std::uint32_t pc = 0;
    std::uint32_t flag = 0;
    std::uint64_t issue = 0;
    std::array<ResolvedTile, 3> t;
    std::uint64_t gm_address = 0;
    std::int64_t gm_pitch = 0;
    std::int64_t scalar = 0, row = 0, col = 0;
  };
  struct InFlight {
    std::uint64_t retire = 0;
    Issued op;
  };
  struct PipeState {
    RingBuffer<Issued> queue;
    RingBuffer<InFlight> in_flight;  ///< in order of retirement
    std::uint64_t free_at = 0;       ///< the next instruction starts no earlier
    std::uint64_t next_start = kNever;
    std::uint64_t last_retire = 0;
    std::uint64_t busy_until = 0;                          ///< results of what the pipe has left are there
    bool transferring = false;                             ///< the front of the queue is moving data
    std::uint64_t transfer_begin = 0, transfer_floor = 0;  ///< start, and the earliest end that its port allows
    traces::TrackId track{};
    PipeStats stats;
    /// Timelines: the instruction that left the pipe last; its span ends with its result or where the next one begins.
    struct Open {
      std::uint64_t begin = 0, end = 0;
      traces::NameId name{};
      std::uint32_t pc = 0;
    };
    std::optional<Open> open;
  };
  /// Sum of a register and an immediate, wrapping round as the scalar unit's additions do.
  [[nodiscard]] static std::int64_t wrapped_sum(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  }
  enum class ScalarState : std::uint8_t { Idle, Ready, Queue, Flag, Cross, Cell, Barrier, Drain };
  struct Passed {
    std::uint32_t pipe;
    std::uint64_t latency;
  };

  // core.cpp: the event loop
  void advance();
  void run_events();
  struct Next {
    std::uint64_t time = kNever;
    enum class What : std::uint8_t { Retire, Start, Scalar } what = What::Scalar;
    std::uint32_t pipe = 0;
  };
  [[nodiscard]] Next next_event() const;
  [[nodiscard]] bool meets_others(const Next& next) const;
  [[nodiscard]] std::uint64_t horizon() const;
  void finish_block(std::uint64_t time);
  void transfer_passed(std::uint32_t tag, std::uint64_t latency) override;
  void cell_written(const Notify* notify) override;

  // core_report.cpp: what a core says about itself
  [[nodiscard]] BlockStats block_stats(std::uint64_t end) const;
  void record_task(std::uint64_t end) const;
  [[nodiscard]] std::string scalar_wait() const;
  [[nodiscard]] std::string pipe_wait(std::uint32_t pipe) const;
  [[nodiscard]] std::string where(std::uint32_t pc) const;
  [[noreturn]] void fail(std::uint32_t pc, const std::string& message) const;
  /// Calls access() for an instruction, which a ProgramError that it throws then names.
  template <class Access>
  auto named(std::uint32_t pc, Access&& access) const {
    try {
      return access();
    } catch (const ProgramError& error) {
      fail(pc, error.what());
    }
  }

  // pipes.cpp: what pipes do
  void push_to_pipe(isa::Pipe pipe, const Issued& op);
  void update_start(std::uint32_t pipe);
  void start_front(std::uint32_t pipe, std::uint64_t time);
  void require_in_bounds(const Issued& op, const Transfer& t) const;
  void begin_transfer(std::uint32_t pipe, std::uint64_t time);
  void enter_flight(std::uint32_t pipe, std::uint64_t begin, std::uint64_t left, std::uint64_t result,
                    std::uint64_t slot_free);
  void add_busy(PipeState& pipe, std::uint64_t begin, std::uint64_t end);
  void close_span(PipeState& pipe, std::uint64_t begin_of_next);
  void retire_front(std::uint32_t pipe);
  void pop_queue(std::uint32_t pipe, std::uint64_t time);
  [[nodiscard]] std::uint64_t& flag_cell(std::uint32_t from, std::uint32_t to, std::uint32_t id) {
    return flags_[(from * isa::kPipeCount + to) * env_.machine.arch.flags_per_pair + id];
  }
  void set_flag_at(std::uint32_t from, std::uint32_t to, std::uint32_t id, std::uint64_t time, std::uint32_t pc);
  void send_cross(std::uint32_t id, std::uint64_t time, std::uint32_t pc);
  void receive_cross(std::uint32_t id, std::uint32_t from_sub, std::uint64_t arrival);
  void account_wait(PipeState& pipe, std::uint64_t begin, std::uint64_t end, traces::WaitReason reason);
  [[nodiscard]] bool uses_memory(const Issued& op) const;
  [[nodiscard]] Transfer transfer_of(const Issued& op) const;
  [[nodiscard]] isa::Operands operands_of(const Issued& op) const;
  void check_vector_hazard(const Issued& op, std::uint64_t start) const;

  /// Where the vector unit's last result becomes visible to itself, and to whom it is due.
  struct VectorResult {
    Issued op;
    std::uint64_t visible = 0;
  };
  VectorResult last_vector_;

  // control_data.cpp: timing mode
  struct TileLines {
    std::size_t space;
    std::uint32_t begin, lines, bytes, pitch;
  };
  void retire_without_arithmetic(const Issued& op);
  [[nodiscard]] TileLines lines_of(std::uint16_t index, const ResolvedTile& t) const;
  [[nodiscard]] bool computes_control(const Issued& op) const;
  void mark_results(const Issued& op, bool known);
  [[nodiscard]] bool loads_value(const isa::Instruction& ins) const;
  void track_valueless(const isa::Instruction& ins);

  // scalar_unit.cpp: the interpreter
  void run_scalar();
  bool step_scalar(const isa::Instruction& ins);
  void resume_scalar(std::uint64_t time);
  void spend(std::uint64_t cycles);
  void spend_waiting(std::uint64_t until, traces::WaitReason reason);
  void block_scalar(ScalarState state, traces::WaitReason reason);
  enum class Order : std::uint8_t { Eager, Local, System };
  [[nodiscard]] Order order_of(const isa::Instruction& ins);
  void wait_in_order(std::uint64_t time);
  void set_register(std::uint8_t index, std::int64_t value);
  void load_register(const isa::Instruction& ins, std::int64_t value);
  void mark_element(const isa::Instruction& ins, std::uint32_t offset);
  [[nodiscard]] std::int64_t arithmetic(const isa::Instruction& ins) const;
  [[nodiscard]] std::int64_t special(isa::SpecialReg which) const;
  [[nodiscard]] bool compare(std::uint8_t mode, std::int64_t a, std::int64_t b) const;
  [[nodiscard]] Issued resolve(const isa::Instruction& ins) const;
  [[nodiscard]] ResolvedTile resolve_tile(std::uint16_t index) const;
  [[nodiscard]] isa::ValidExtents extents_of(const Issued& op) const;
  void refuse(const std::optional<isa::Violation>& violation) const;
  bool issue(const isa::Instruction& ins);
  bool synchronise(const isa::Instruction& ins);
  bool wait_idle(ScalarState state, traces::WaitReason reason);
  void send_notify(const isa::Instruction& ins);
  bool wait_cross(const isa::Instruction& ins);
  bool wait_cell(const isa::Instruction& ins);
  bool scalar_memory(const isa::Instruction& ins);
  /// Of LDGM and STGM.
  [[nodiscard]] std::uint64_t scalar_address(const isa::Instruction& ins) const {
    return static_cast<std::uint64_t>(registers_[ins.r1]) + static_cast<std::uint64_t>(std::int64_t{ins.imm});
  }
  void require_cell(std::uint64_t address) const;
  void scalar_tile(const isa::Instruction& ins);
  void clean_cache(const isa::Instruction& ins);
  void write_back(DataCache::Line& line);
  [[nodiscard]] std::int32_t read_cell(std::uint64_t address) const;

  Environment env_;
  CoreLocation where_;
  CoreServices services_;
  BlockObserver& observer_;
  std::array<Core*, 3> cluster_{};
  sc_core::sc_event wake_;
  traces::TrackId track_{};
  std::array<traces::NameId, isa::kOpcodeCount> op_names_{};
  traces::NameId wait_name_{};

  std::array<LocalSpace, isa::kSpaceCount> spaces_;
  /// Timing mode: what skipped instructions would have written, by words of 4 bytes.
  std::vector<UnknownBytes> unknown_ = std::vector(isa::kSpaceCount, UnknownBytes{2});
  Block block_;
  traces::NameId block_name_{}, kernel_name_{};
  bool running_ = false, parked_ = false;
  std::uint64_t begin_ = 0;
  std::string fetched_;                               ///< name of the program whose code this core has
  std::uint64_t bytes_read_ = 0, bytes_written_ = 0;  ///< by the block that runs
  std::uint64_t retired_ = 0;                         ///< by the pipes, and by the scalar unit in earlier blocks
  std::array<PipeState, isa::kPipeCount> pipes_;
  std::vector<std::uint32_t> active_pipes_;  ///< pipes that this kind of core has, without S
  std::vector<std::uint64_t> flags_;         ///< by pair of pipes and id: cycle at which it was set, kNever

  // scalar unit
  std::array<std::int64_t, isa::kRegisterCount> registers_{};
  std::uint32_t valueless_ = 0;  ///< timing mode: registers that hold nothing, one bit each
  std::uint32_t pc_ = 0;
  ScalarState scalar_ = ScalarState::Idle;
  traces::WaitReason scalar_reason_ = traces::WaitReason::Drain;
  std::uint64_t scalar_time_ = 0;    ///< cycle at which the scalar unit is free
  std::uint64_t scalar_since_ = 0;   ///< start of the current wait
  bool scalar_ordered_ = false;      ///< its next step must meet local events in order
  bool scalar_external_ = false;     ///< ... and the other cores
  bool fill_arrives_ = false;        ///< the line that the current load or store needs is on its way
  std::uint32_t queue_awaited_ = 0;  ///< pipe whose queue is full
  std::uint64_t store_done_ = 0;     ///< write-backs have reached memory
  DataCache cache_;
  std::vector<std::array<RingBuffer<std::uint64_t>, 2>> cross_arrivals_;  ///< [id][sending vector core]
  std::uint64_t watched_cell_ = 0;
  bool watching_ = false;
  Notify last_notify_;
  bool has_notify_ = false;
  std::vector<Passed> passed_;
};

}  // namespace npu::model
