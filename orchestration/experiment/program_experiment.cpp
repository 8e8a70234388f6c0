// Program files of users (.npu, .npuo): a kernel with the arguments that flags give.
#include <algorithm>
#include <array>

#include "isa/errors.hpp"
#include "isa/tile_rules.hpp"
#include "orchestration/experiment/data_flags.hpp"
#include "orchestration/experiment/kernel_experiment.hpp"
#include "orchestration/experiment/program_file.hpp"

namespace npu::orch {
namespace {

constexpr std::size_t kShownElements = 8;

std::string element_text(const Tensor& tensor, std::size_t i) {
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

/// The tiles of a user's program, where they start; what registers add to that is known at run time alone.
std::vector<isa::Allocation> tiles_of(const isa::KernelObject& object) {
  std::vector<isa::Allocation> map;
  for (const auto* part : {&object.cube, &object.vector}) {
    if (!*part) continue;
    for (std::size_t i = 0; i < (*part)->tiles.size(); ++i) {
      const isa::TileDesc& tile = (*part)->tiles[i];
      map.push_back({tile.space, (*part)->tile_names.at(i), tile.offset,
                     static_cast<std::uint32_t>(isa::footprint(tile, tile.rows, tile.cols)), tile.dtype, tile.rows,
                     tile.cols});
    }
  }
  return map;
}

class ProgramExperiment final : public KernelExperiment {
 public:
  ProgramExperiment(const Request& request, const model::Machine& machine)
      : KernelExperiment{request, machine, request.ep.value_or(1)} {}

  [[nodiscard]] std::string shown_results() override;

 protected:
  [[nodiscard]] kernels::Kernel make_kernel(Purpose purpose) override {
    kernels::Kernel made;
    made.object =
        read_program(request().workload, machine(), purpose == Purpose::Measure ? Demand::Sound : Demand::Legal);
    made.object.blocks = request().flags.number("--blocks").value_or(made.object.blocks);
    made.memory_map = tiles_of(made.object);
    return made;
  }
  [[nodiscard]] std::vector<KernelValue> make_values(const kernels::Kernel& kernel) override {
    const std::vector<std::string> arguments = request().flags.all("--args");
    require_room(arguments, machine().params.memory.hbm_capacity());
    return make_kernel_values(kernel.object, arguments, request().flags.text(kDataFlag.word).value_or(""), cards(),
                              request().seed.value_or(0));
  }
};

std::string ProgramExperiment::shown_results() {
  std::string text;
  const auto tensors = results();
  const std::vector<isa::ArgInfo>& arguments = kernel().object.args;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (arguments[i].kind == isa::ArgKind::In) continue;
    for (std::size_t card = 0; card < tensors[i].size(); ++card) {
      const Tensor& tensor = tensors[i][card];
      text += fmt::format("{} {}{} on card {}:", arguments[i].name, isa::name_of(tensor.dtype()),
                          to_string(tensor.shape()), card);
      for (std::size_t e = 0; e < std::min<std::size_t>(tensor.elements(), kShownElements); ++e) {
        text += " " + element_text(tensor, e);
      }
      text += tensor.elements() > kShownElements ? " ...\n" : "\n";
    }
  }
  return text;
}

constexpr std::string_view kGroup = "Program files (.npu, .npuo)";
constexpr std::array kFlags{
    FlagSpec{.word = "--args",
             .kind = FlagKind::List,
             .value = "NAME=VALUE",
             .group = kGroup,
             .summary = "an argument: NAME=DTYPE:ROWSxCOLS[:INIT] for a tensor, INIT zero, iota, random or a number "
                        "(default: random for inputs, else zero); NAME=INTEGER for a scalar; a tensor whose shape the "
                        "program states may be left out; repeatable"},
    FlagSpec{.word = "--blocks",
             .kind = FlagKind::Positive,
             .value = "N",
             .group = kGroup,
             .summary = "blocks of the task (default: those that the program states, else 1)"},
    kDataFlag, kSaveDataFlag};

std::unique_ptr<Experiment> open(const Request& request, const model::Machine& machine) {
  return std::make_unique<ProgramExperiment>(request, machine);
}

}  // namespace

const Family& program_family() {
  static constexpr Family kFamily{"program files (.npu, .npuo)",
                                  [] { return std::vector<WorkloadName>{}; },
                                  is_program_file,
                                  kFlags,
                                  nullptr,
                                  open};
  return kFamily;
}

}  // namespace npu::orch
