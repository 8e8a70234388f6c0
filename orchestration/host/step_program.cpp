#include "orchestration/host/step_program.hpp"

#include <algorithm>

#include "isa/errors.hpp"
#include "orchestration/data/layer_tensors.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/host/compare_outputs.hpp"
#include "orchestration/host/given_tensors.hpp"
#include "orchestration/host/reference_case.hpp"

namespace npu::orch {
namespace {

using kernels::AttentionKind;
using kernels::LayerConfig;

/// The stack in front of a layer.
std::string stack_name(std::uint32_t layer) { return fmt::format("stack{}", layer); }

}  // namespace

StepProgram::StepProgram(const LayerConfig& config, const StepOptions& step, const model::Machine& machine,
                         const model::SystemOptions& options, KernelOptions kernels)
    : step_{step},
      mode_{options.mode},
      mix_{mix_of(config, step.layers)},
      arch_{machine.arch},
      system_{machine, options},
      tensors_{system_, config, options.cards},
      kernels_{std::move(kernels)} {
  NPU_ASSERT(options.cards == config.ranks, "one card per rank");
  NPU_ASSERT(step.layers.first <= step.layers.last, "a range of layers");
  for (std::uint32_t card = 0; card < options.cards; ++card) lists_.emplace_back(tensors_, card);
  const Workload& whole_layer = find_workload("decode-layer");
  for (std::uint32_t id = step.layers.first; id <= step.layers.last; ++id) {
    Layer& layer = layers_.emplace_back();
    layer.config = with_layer(config, id);
    layer.workload = &whole_layer;
    layer.scope = fmt::format("layer{}.", id);
    build(layer, id - step.layers.first);
  }
  if (step.layers.last + 1 == config.layers) {
    Layer& head = layers_.emplace_back();
    head.config = with_layer(config, step.layers.last);
    head.workload = &find_workload("hc-head");
    head.scope = "head.";
    head.is_head = true;
    build(head, 0);
  }
  kernels_.refuse_unused_choices();
  count_transfers();
}

void StepProgram::build(Layer& layer, std::int64_t epoch) {
  // Among layers of one kind, only the routing differs.
  const LayerScope scope{.epoch = epoch,
                         .kernel_variant = fmt::format("{}{}.", name_of(attention_kind(layer.config)),
                                                       layer.config.hash_routing() ? "-hash" : ""),
                         .device_name = [this, &layer](const std::string& tensor) {
                           const TensorSpec* spec = find_tensor(tensor);
                           if (spec != nullptr && spec->is_input()) layer.inputs.insert(tensor);
                           return device_name(layer, tensor);
                         }};
  for (TaskList& list : lists_) {
    StageContext context{layer.config, arch_, kernels_, tensors_, list, scope};
    for (const auto stage : layer.workload->stages) stage(context);
  }
  layer.tasks_end = lists_.front().tasks().size();
}

std::string StepProgram::device_name(const Layer& layer, const std::string& tensor) const {
  const std::uint32_t id = layer.config.layer_id;
  if (is_exchange_window(tensor)) return tensor;  // all layers use the same
  const TensorSpec* spec = find_tensor(tensor);
  const Trait trait = spec == nullptr ? Trait::None : spec->trait;
  if (trait == Trait::StackBefore) return stack_name(layer.is_head ? id + 1 : id);
  if (trait == Trait::StackAfter) return stack_name(id + 1);
  if (spec == nullptr || !spec->is_input()) return fmt::format("{}.{}", name_of(attention_kind(layer.config)), tensor);
  const bool is_shared = spec->role == Role::Input && (spec->arrives_each_step() || step_.share_weights);
  return is_shared ? tensor : layer.scope + tensor;
}

void StepProgram::count_transfers() {
  std::set<std::string> counted;
  for (const Layer& layer : layers_) {
    for (const std::string& name : layer.inputs) {
      const std::string on_device = device_name(layer, name);
      const TensorSpec& spec = tensor_spec(name);
      const bool comes_from_host =
          spec.trait == Trait::StackBefore ? &layer == &layers_.front() : spec.arrives_each_step();
      if (!comes_from_host || !counted.insert(on_device).second) continue;
      upload_bytes_ += lists_.size() * tensors_.get(0, on_device).size.count();
    }
  }
  const TensorSpec& result = tensor_with(layers_.back().is_head ? Trait::CollapsedStack : Trait::StackAfter);
  download_bytes_ = lists_.size() * tensors_.get(0, device_name(layers_.back(), std::string{result.name})).size.count();
}

LayerCase StepProgram::generate(const Layer& layer, const TensorFilter& wanted) const {
  const std::uint64_t layer_seed = step_.share_weights ? 0 : layer.config.layer_id;
  return generate_case(
      layer.config,
      {.seed = step_.seed + layer_seed, .start_pos = step_.start_pos, .mix_of = mix_, .wanted = wanted, .threads = 0});
}

void StepProgram::load() {
  const bool timing = mode_ == model::Mode::Timing;
  std::set<std::string> loaded;
  for (const Layer& layer : layers_) {
    // The layer before it writes its stack.
    if (&layer != &layers_.front())
      loaded.insert(device_name(layer, std::string{tensor_with(Trait::StackBefore).name}));
    const auto is_to_load = [&](const std::string& tensor) {
      return layer.inputs.contains(tensor) && !loaded.contains(device_name(layer, tensor)) &&
             (!timing || can_steer(tensor_spec(tensor).dtype));
    };
    const LayerCase data = generate(layer, [&](std::string_view name) {
      return is_to_load(std::string{name}) || (timing && is_given_source(name));
    });
    for (const auto& [name, ranks] : data.inputs) {
      if (!is_to_load(name)) continue;
      const std::string on_device = device_name(layer, name);
      const bool is_written = tensor_spec(name).role == Role::Pool;
      for (std::uint32_t card = 0; card < ranks.size(); ++card) {
        const DeviceTensor& target = tensors_.get(card, on_device);
        is_written ? tensors_.write(target, ranks[card]) : tensors_.share(target, ranks[card]);
      }
      loaded.insert(on_device);
    }
    if (!timing || layer.is_head) continue;
    for (const std::string_view name : score_dependent_tensors(layer.config)) {
      // Layers of a kind share the tensor, and it follows from what all layers share.
      if (loaded.insert(device_name(layer, std::string{name})).second) give(layer, data, name);
    }
  }
}

void StepProgram::give(const Layer& layer, const LayerCase& data, std::string_view tensor) {
  const std::string on_device = device_name(layer, std::string{tensor});
  for (std::uint32_t card = 0; card < lists_.size(); ++card) {
    const DeviceTensor& target = tensors_.get(card, on_device);
    tensors_.write(target, given_tensor(data, tensor, card));
    system_.give(target.address, target.size);
  }
}

void StepProgram::run() {
  std::vector<model::CardProgram> programs;
  for (const TaskList& list : lists_) {
    programs.push_back([&list](model::OrchestratorApi& api) { list.run(api); });
  }
  system_.run(programs, isa::Bytes{upload_bytes_}, isa::Bytes{download_bytes_});
}

std::vector<LayerTime> StepProgram::layer_times() const {
  const model::RunStats run = stats();
  std::vector<LayerTime> times;
  std::uint64_t begin = run.tasks.front().begin;
  for (const model::TaskStats& task : run.tasks) begin = std::min(begin, task.begin);
  std::size_t first = 0;
  for (const Layer& layer : layers_) {
    std::uint64_t end = begin;
    for (std::size_t card = 0; card < lists_.size(); ++card) {
      for (std::size_t i = first; i < layer.tasks_end; ++i) {
        end = std::max(end, run.tasks[card * layers_.back().tasks_end + i].end);
      }
    }
    first = layer.tasks_end;
    if (!layer.is_head) times.push_back({layer.config.layer_id, attention_kind(layer.config), begin, end});
    begin = end;
  }
  return times;
}

std::vector<Tensor> StepProgram::on_cards(const Layer& layer, const std::string& tensor) const {
  std::vector<Tensor> ranks;
  for (std::uint32_t card = 0; card < lists_.size(); ++card) {
    ranks.push_back(tensors_.view(tensors_.get(card, device_name(layer, tensor))));
  }
  return ranks;
}

std::vector<Comparison> StepProgram::compare(unsigned threads) const {
  std::vector<Comparison> result;
  for (const Layer& layer : layers_) {
    // What the tasks only read is taken from the cards; the caches as they were, and what no task reads, is made again.
    const auto is_on_cards = [&](std::string_view name) {
      return layer.inputs.contains(std::string{name}) && tensor_spec(name).role == Role::Input;
    };
    LayerCase data =
        generate(layer, [&](std::string_view name) { return tensor_spec(name).of_layer() && !is_on_cards(name); });
    for (const std::string& name : layer.inputs) {
      if (is_on_cards(name)) data.inputs.insert_or_assign(name, on_cards(layer, name));
    }
    if (layer.is_head) {
      add_head_result(data, threads);
    } else {
      add_reference_results(data, threads);
    }
    auto outputs = compare_outputs(layer.workload->outputs, data,
                                   [&](std::string_view name) { return on_cards(layer, std::string{name}); });
    for (Comparison& output : outputs) {
      output.name = layer.scope + output.name;
      result.push_back(std::move(output));
    }
  }
  return result;
}

std::size_t StepProgram::task_count() const {
  std::size_t count = 0;
  for (const TaskList& list : lists_) count += list.tasks().size();
  return count;
}

}  // namespace npu::orch
