// Decode layers back to back on the simulated system: the stack that one layer leaves is the input of the next.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "orchestration/data/compare.hpp"
#include "orchestration/data/generator.hpp"
#include "orchestration/data/layer_case.hpp"
#include "orchestration/data/positions.hpp"
#include "orchestration/host/workloads.hpp"
#include "orchestration/report/summary.hpp"

namespace npu::orch {

struct StepOptions {
  LayerRange layers;
  /// One set of weights and tables on the cards, drawn from `seed`. Otherwise layer n has those of a single layer run
  /// with `seed` + n.
  bool share_weights = false;
  std::uint64_t seed = 0;
  std::optional<std::uint32_t> start_pos;
};

/// Every layer has caches and compressor states of its own. Positions, block tables and slots are the step's. Results
/// inside a layer lie where those of the layers of its kind lie, for no layer reads another's. After the model's last
/// layer the stack collapses into x_head.
class StepProgram {
 public:
  /// One card per rank. Throws ConfigError (layers that do not exist, HBM full) and ProgramError.
  StepProgram(const kernels::LayerConfig& config, const StepOptions& step, const model::Machine& machine,
              const model::SystemOptions& options, KernelOptions kernels = {});
  StepProgram(const StepProgram&) = delete;
  StepProgram& operator=(const StepProgram&) = delete;

  /// Generates the inputs of all layers, one layer at a time, and fills the cards with them; in timing mode only what
  /// can steer a program.
  void load();
  /// Throws ProgramError, Deadlock, ConfigError.
  void run();
  [[nodiscard]] model::RunStats stats() const { return system_.stats(); }
  /// Of the last run; layers overlap where their data allow it, so a layer's time ends with its last task.
  [[nodiscard]] std::vector<LayerTime> layer_times() const;

  /// Every layer's outputs against the built-in reference of that layer, applied to the stack that the layer started
  /// from on the cards. This checks the whole chain: layer n starts from the very bytes that were checked as the result
  /// of layer n - 1. (A reference that runs through by itself drifts away over the layers: flips of int8 values by one
  /// change routes, after a single layer 2-3 % of them, decode-layer.md S15.)
  [[nodiscard]] std::vector<Comparison> compare(unsigned threads) const;

  [[nodiscard]] const KernelStore& kernels() const { return kernels_; }
  [[nodiscard]] std::size_t task_count() const;

 private:
  /// A layer, or the model's end behind the last one.
  struct Layer {
    kernels::LayerConfig config;
    const Workload* workload = nullptr;
    std::string scope;             ///< in names of what belongs to this layer alone
    std::set<std::string> inputs;  ///< of the tensor table, that its tasks are bound to
    std::size_t tasks_end = 0;     ///< tasks of a card up to and with this layer
    bool is_head = false;
  };

  void build(Layer& layer, std::int64_t epoch);
  /// Timing mode: a result that follows from scores comes from the host.
  void give(const Layer& layer, const LayerCase& data, std::string_view tensor);
  [[nodiscard]] std::string device_name(const Layer& layer, const std::string& tensor) const;
  [[nodiscard]] LayerCase generate(const Layer& layer, const TensorFilter& wanted) const;
  [[nodiscard]] std::vector<Tensor> on_cards(const Layer& layer, const std::string& tensor) const;
  void count_transfers();

  StepOptions step_;
  model::Mode mode_;
  kernels::AttentionKind mix_;
  isa::ArchSpec arch_;
  model::System system_;
  DeviceTensors tensors_;
  KernelStore kernels_;
  std::vector<TaskList> lists_;  ///< one per card
  std::deque<Layer> layers_;
  std::uint64_t upload_bytes_ = 0, download_bytes_ = 0;
};

}  // namespace npu::orch
