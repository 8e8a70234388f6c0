// `run FILE.npu` and `run FILE.npuo`: a user's program with --args.
#include "isa/encoding/object_file.hpp"
#include "isa/errors.hpp"
#include "isa/text/assembler.hpp"
#include "isa/verifier.hpp"
#include "orchestration/cli/case_source.hpp"
#include "orchestration/cli/commands.hpp"
#include "orchestration/cli/run_output.hpp"
#include "orchestration/data/mapped_file.hpp"
#include "orchestration/host/kernel_program.hpp"

namespace npu::cli {
namespace {

constexpr std::string_view kText = ".npu", kObject = ".npuo";
constexpr std::size_t kShownElements = 8;

/// A legal program for this machine, from text or object file.
isa::KernelObject read_program(const std::string& path, const model::Machine& machine) {
  const auto file = orch::MappedFile::open(path);
  if (path.ends_with(kText)) {
    return isa::assemble({reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size()}, path,
                         machine.arch);
  }
  const std::string target = isa::decode_target(file->bytes(), path);
  if (target != machine.arch.name) {
    throw config_error("{}: assembled for {}, but the platform is {}; assemble it for that one, or change --platform",
                       path, target, machine.arch.name);
  }
  isa::KernelObject object = isa::decode(file->bytes(), path);
  isa::require_legal(object, machine.arch);
  return object;
}

void refuse_layer_flags(const Options& o) {
  const auto refuse = [&](bool given, std::string_view flag) {
    if (given) throw config_error("{} belongs to the workloads of a layer; {} takes --args", flag, o.workload);
  };
  refuse(o.preset.has_value(), "--preset");
  refuse(o.layer_id.has_value(), "--layer-id");
  refuse(o.batch.has_value(), "--batch");
  refuse(o.seq.has_value(), "--seq");
  refuse(o.start_pos.has_value(), "--start-pos");
}

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
      fmt::print("{}{}\n", text, tensor.elements() > kShownElements ? " ..." : "");
    }
  }
}

}  // namespace

bool is_program_file(std::string_view workload) { return workload.ends_with(kText) || workload.ends_with(kObject); }

int run_program_file(const Options& o) {
  refuse_layer_flags(o);
  const model::Machine machine = model::load_machine(o.platform, o.machine_overrides);
  const isa::KernelObject kernel = read_program(o.workload, machine);
  if (o.compile_only) return finish_compile(o, fmt::format("kernel {} verified", kernel.name));
  const std::uint32_t cards = card_count(o, 1);
  std::vector<orch::KernelValue> values =
      orch::make_kernel_values(kernel, o.args, o.data.value_or(""), cards, o.seed.value_or(0));
  Progress progress;
  Traces traces{o, machine.params.clock.core_mhz};
  orch::KernelProgram program{kernel, o.blocks.value_or(1), std::move(values), machine,
                              system_options(o, cards, traces, progress)};
  traces.check_scope();
  const std::filesystem::path file{o.workload};
  const std::filesystem::path directory = make_directory(o.out, file.stem().string());
  progress.expect(cards);
  const orch::SimulatorCost cost = measured([&] { program.run(); });
  traces.finish();

  orch::RunReport report = make_report(o, machine, program.stats(), cost);
  report.workload = file.filename().string();
  const bool computes = o.mode != model::Mode::Timing;
  if (computes && !o.skip_golden) report.outputs = program.compare();
  const auto results = program.results();
  if (o.save_data) {
    const auto path = make_directory(o.save_data, file.stem().string()) / "actual.safetensors";
    orch::save_kernel_values(path.string(), kernel, program.values(), results);
  }
  if (computes && !o.json) print_results(kernel, results);
  return finish_run(o, report, directory);
}

}  // namespace npu::cli
