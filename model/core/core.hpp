// One core, AIC or AIV: a scalar unit that takes operations from a source and hands work to in-order pipes.
//
// Modelled: bounded queues, flags, barriers, cross-core flags, occupancy and result latency of every instruction,
// shared-bandwidth transfers, the scalar data cache, capacity and bounds. Data moves when an instruction retires, in
// simulated-time order. Not modelled: instruction fetch within a program, register hazards of the
// scalar unit.
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

#include "isa/operation.hpp"
#include "model/core/block.hpp"
#include "model/core/core_context.hpp"
#include "model/core/core_location.hpp"
#include "model/core/data_port.hpp"
#include "model/core/execution.hpp"
#include "model/core/flags.hpp"
#include "model/core/local_memory.hpp"
#include "model/core/operation_source.hpp"
#include "model/core/pipe_set.hpp"
#include "model/core/scalar_unit.hpp"

namespace npu::model {

class Core final : public sc_core::sc_module, public CoreInterface, private TransferClient {
 public:
  Core(const sc_core::sc_module_name& name, Environment env, const CoreLocation& where, const CoreServices& services,
       BlockObserver& observer);

  /// The other cores of the cluster: [AIC, AIV0, AIV1].
  void connect(const std::array<Core*, kCoresPerCluster>& cluster) { cluster_ = cluster; }
  void start(const Block& block) override;
  void describe_waits(std::vector<WaitRow>& rows) const override;
  [[nodiscard]] std::uint64_t latest() const override;
  std::optional<BlockStats> cut_off(std::uint64_t cycle) override;
  [[nodiscard]] std::uint64_t retired() const override;
  [[nodiscard]] bool goes_on() const override;

 private:
  struct Passed {
    isa::Pipe pipe;
    std::uint64_t latency;
  };
  struct Next {
    std::uint64_t time = kNever;
    enum class What : std::uint8_t { Retire, Start, Scalar } what = What::Scalar;
    isa::Pipe pipe = isa::Pipe::S;
  };

  // The event loop
  void advance();  // SC_METHOD
  void run_events();
  void run_ahead();
  [[nodiscard]] Next next_event() const;
  [[nodiscard]] bool meets_others(const Next& next) const;
  void transfer_passed(std::uint32_t tag, std::uint64_t latency) override;

  // Operations in pipes
  void start_front(isa::Pipe name, std::uint64_t time);
  void begin_transfer(isa::Pipe name, std::uint64_t time);
  void leave(isa::Pipe name, std::uint64_t begin, std::uint64_t end, std::uint64_t result, std::uint64_t own_result,
             std::uint64_t slot_free);
  void retire_front(isa::Pipe name);
  void send_cross(const isa::Operation& op, std::uint64_t time);
  void receive_cross(std::uint32_t id, std::uint32_t sender, std::uint64_t arrival);

  // The end of a block
  void finish_block(std::uint64_t time);
  [[nodiscard]] BlockStats block_stats(std::uint64_t end) const;
  [[nodiscard]] std::string pipe_wait(isa::Pipe name) const;

  CoreContext context_;
  BlockObserver& observer_;
  std::array<Core*, kCoresPerCluster> cluster_{};
  sc_core::sc_event wake_;

  LocalMemory local_;
  std::unique_ptr<Execution> execution_;
  PipeSet pipes_;
  CrossFlags cross_flags_;
  DataPort data_;
  ScalarUnit scalar_;
  std::unique_ptr<OperationSource> source_;

  bool running_ = false;
  std::uint64_t begin_ = 0;
  std::string fetched_;                               ///< name of the program whose code this core has
  std::uint64_t bytes_read_ = 0, bytes_written_ = 0;  ///< by the block that runs
  std::uint64_t retired_ = 0;                         ///< by the pipes, and by the scalar unit in earlier blocks
  std::vector<Passed> passed_;                        ///< transfers that have ended since the last wake-up
};

}  // namespace npu::model
