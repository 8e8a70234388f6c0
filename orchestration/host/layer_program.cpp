#include "orchestration/host/layer_program.hpp"

#include <algorithm>

#include "isa/errors.hpp"
#include "orchestration/data/layer_tensors.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/host/compare_outputs.hpp"
#include "orchestration/host/given_tensors.hpp"
#include "orchestration/host/reference_case.hpp"

namespace npu::orch {
namespace {

constexpr std::string_view kCounts = "exchange_counts";

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

LayerProgram::LayerProgram(const Workload& workload, const kernels::LayerConfig& config, const model::Machine& machine,
                           const model::SystemOptions& options, KernelOptions kernels)
    : workload_{workload},
      config_{config},
      arch_{machine.arch},
      system_{machine, options},
      tensors_{system_, config_, options.cards},
      kernels_{std::move(kernels)} {
  NPU_ASSERT(options.cards == config.ranks, "one card per rank");
  require_attention_kind(workload, config);
  for (std::uint32_t card = 0; card < options.cards; ++card) {
    TaskList& list = lists_.emplace_back(tensors_, card);
    StageContext context{config_, arch_, kernels_, tensors_, list};
    for (const auto stage : workload.stages) stage(context);
  }
  kernels_.refuse_unused_choices();
  for (const TaskList::Task* task : lists_.front().tasks()) {
    const auto& arguments = task->kernel->object.args;  // tensors come before scalars
    for (std::size_t i = 0; i < task->tensor_names.size(); ++i) {
      const std::string& name = task->tensor_names[i];
      if (arguments[i].kind != isa::ArgKind::Out && !contains(written_, name) && !contains(initial_, name) &&
          (find_tensor(name) != nullptr || name == kCounts)) {
        initial_.push_back(name);
      }
    }
    for (std::size_t i = 0; i < task->tensor_names.size(); ++i) {
      const std::string& name = task->tensor_names[i];
      if (arguments[i].kind != isa::ArgKind::In && !contains(written_, name)) written_.push_back(name);
    }
  }
  for (const std::string& name : initial_) {
    const TensorSpec* spec = find_tensor(name);
    if (spec != nullptr && (spec->arrives_each_step() || spec->role == Role::Intermediate)) {
      upload_bytes_ += config_.ranks * tensors_.get(0, name).size.count();
    }
  }
  for (const OutputRule& output : outputs()) {
    if (tensor_spec(output.tensor).role != Role::Pool) {
      download_bytes_ += config_.ranks * tensors_.get(0, output.tensor).size.count();
    }
  }
  if (options.mode != model::Mode::Timing) return;
  std::erase_if(initial_, [&](const std::string& name) { return !can_steer(tensors_.get(0, name).dtype); });
  for (const std::string_view name : score_dependent_tensors(config_)) {
    if (contains(written_, name)) given_.emplace_back(name);
  }
}

bool LayerProgram::needs_intermediates() const {
  return std::any_of(initial_.begin(), initial_.end(), [](const std::string& name) {
    const TensorSpec* spec = find_tensor(name);
    return spec == nullptr || !spec->is_input();
  });
}

void LayerProgram::load(const LayerCase& layer) {
  for (const std::string& name : initial_) {
    for (std::uint32_t card = 0; card < config_.ranks; ++card) {
      const DeviceTensor& target = tensors_.get(card, name);
      if (name == kCounts) {
        tensors_.write(target, exchange_counts(layer));
      } else if (tensor_spec(name).trait == Trait::CompressedPages && !contains(written_, name)) {
        tensors_.write(target, pool_after(layer, name, card));  // the compressor has run before the attention
      } else if (tensor_spec(name).is_input()) {
        const Tensor& input = layer.input(name, card);
        contains(written_, name) ? tensors_.write(target, input) : tensors_.share(target, input);
      } else {
        tensors_.write(target, layer.result(name, card));
      }
    }
  }
  for (const std::string& name : given_) {
    for (std::uint32_t card = 0; card < config_.ranks; ++card) {
      const DeviceTensor& target = tensors_.get(card, name);
      tensors_.write(target, given_tensor(layer, name, card));
      system_.give(target.address, target.size);
    }
  }
}

void LayerProgram::run() {
  std::vector<model::CardProgram> programs;
  for (const TaskList& list : lists_) {
    programs.push_back([&list](model::OrchestratorApi& api) { list.run(api); });
  }
  system_.run(programs, isa::Bytes{upload_bytes_}, isa::Bytes{download_bytes_});
}

std::vector<Tensor> LayerProgram::read_ranks(std::string_view name) const {
  std::vector<Tensor> ranks;
  for (std::uint32_t card = 0; card < config_.ranks; ++card) ranks.push_back(tensors_.read(tensors_.get(card, name)));
  return ranks;
}

std::vector<OutputRule> LayerProgram::outputs() const {
  std::vector<OutputRule> used;
  for (const OutputRule& output : workload_.outputs) {
    const TensorSpec& spec = tensor_spec(output.tensor);
    if (!spec.of_layer() || spec.used_by(attention_kind(config_))) used.push_back(output);
  }
  return used;
}

std::vector<Comparison> LayerProgram::compare(const LayerCase& layer) const {
  return compare_outputs(outputs(), layer, [this](std::string_view name) { return read_ranks(name); });
}

LayerCase::ByName<std::vector<Tensor>> LayerProgram::results() const {
  LayerCase::ByName<std::vector<Tensor>> result;
  for (const std::string& name : written_) {
    if (find_tensor(name) != nullptr) result.emplace(name, read_ranks(name));
  }
  return result;
}

std::size_t LayerProgram::task_count() const {
  std::size_t count = 0;
  for (const TaskList& list : lists_) count += list.tasks().size();
  return count;
}

}  // namespace npu::orch
