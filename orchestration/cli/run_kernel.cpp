// `run FILE.npu` and `run FILE.npuo`: a user's program with --args.
#include "isa/errors.hpp"
#include "orchestration/cli/case_source.hpp"
#include "orchestration/cli/commands.hpp"
#include "orchestration/cli/program_file.hpp"
#include "orchestration/cli/run_record.hpp"
#include "orchestration/host/kernel_program.hpp"

namespace npu::cli {
namespace {

constexpr std::size_t kShownElements = 8;

std::string element_text(const orch::Tensor& tensor, std::size_t i) {
  switch (tensor.dtype()) {
    case isa::DType::I8:
      return fmt::format("{}", tensor.as<std::int8_t>()[i]);
    case isa::DType::U8:
      return fmt::format("{}", tensor.as<std::uint8_t>()[i]);
    case isa::DType::I16:
      return fmt::format("{}", tensor.as<std::int16_t>()[i]);
    case isa::DType::I32:
      return fmt::format("{}", tensor.as<std::int32_t>()[i]);
    case isa::DType::I64:
      return fmt::format("{}", tensor.as<std::int64_t>()[i]);
    case isa::DType::F16:
      return fmt::format("{}", isa::to_float(tensor.as<isa::Fp16>()[i]));
    case isa::DType::BF16:
      return fmt::format("{}", isa::to_float(tensor.as<isa::Bf16>()[i]));
    case isa::DType::F32:
      return fmt::format("{}", tensor.as<float>()[i]);
  }
  return {};
}

void print_results(const isa::KernelObject& kernel, const std::vector<std::vector<orch::Tensor>>& results) {
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (kernel.args[i].kind == isa::ArgKind::In) continue;
    for (std::size_t card = 0; card < results[i].size(); ++card) {
      const orch::Tensor& tensor = results[i][card];
      std::string text = fmt::format("{} {}{} on card {}:", kernel.args[i].name, isa::name_of(tensor.dtype()),
                                     orch::to_string(tensor.shape()), card);
      for (std::size_t e = 0; e < std::min<std::size_t>(tensor.elements(), kShownElements); ++e) {
        text += " " + element_text(tensor, e);
      }
      print(Stream::Out, "{}{}\n", text, tensor.elements() > kShownElements ? " ..." : "");
    }
  }
}

int simulate_program(const Options& o, RunRecord& record) {
  const model::Machine& machine = *record.report().machine;
  const isa::KernelObject kernel = read_program(o.workload, machine, Demand::Legal);
  if (o.compile_only) return finish_compile(o, fmt::format("kernel {} verified", kernel.name));
  const std::uint32_t cards = card_count(o, 1);
  orch::require_room(o.args, machine.params.memory.hbm_capacity());
  std::vector<orch::KernelValue> values =
      orch::make_kernel_values(kernel, o.args, o.data.value_or(""), cards, o.seed.value_or(0));
  orch::KernelProgram program{kernel, o.blocks.value_or(1), std::move(values), machine, record.system_options(cards)};
  record.traces().check_scope();
  record.accept();
  record.simulate(
      cards, [&] { program.run(); }, [&] { return program.stats(); });

  orch::RunReport& report = record.report();
  const bool computes = o.mode != model::Mode::Timing;
  if (computes && !o.skip_golden) report.outputs = program.compare();
  const auto results = program.results();
  if (o.save_data) {
    const std::string path = (std::filesystem::path{*o.save_data} / "actual.safetensors").string();
    orch::save_kernel_values(path, kernel, program.values(), results);
  }
  if (computes && !o.json) print_results(kernel, results);
  return record.finish();
}

}  // namespace

void refuse_layer_flags(const Options& o) {
  const auto refuse = [&](bool given, std::string_view flag) {
    if (given) throw config_error("{} belongs to the workloads of a layer; {} takes --args", flag, o.workload);
  };
  refuse(o.preset.has_value(), "--preset");
  refuse(o.layer_id.has_value(), "--layer-id");
  refuse(o.batch.has_value(), "--batch");
  refuse(o.seq.has_value(), "--seq");
  refuse(o.start_pos.has_value(), "--start-pos");
  refuse(o.all_experts, "--all-experts");
}

int run_program_file(const Options& o) {
  refuse_layer_flags(o);
  const model::Machine machine = model::load_machine(o.platform, o.machine_overrides);
  const std::filesystem::path file{o.workload};
  RunRecord record{o, machine, file.stem().string()};
  record.report().workload = file.filename().string();
  return record.watch([&] { return simulate_program(o, record); });
}

}  // namespace npu::cli
