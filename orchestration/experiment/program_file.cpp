#include "orchestration/experiment/program_file.hpp"

#include "isa/encoding/object_file.hpp"
#include "isa/errors.hpp"
#include "isa/text/assembler.hpp"
#include "isa/verifier.hpp"
#include "orchestration/data/mapped_file.hpp"

namespace npu::orch {
namespace {

constexpr std::string_view kText = ".npu", kObject = ".npuo";

}  // namespace

bool is_program_file(std::string_view workload) { return workload.ends_with(kText) || workload.ends_with(kObject); }

isa::KernelObject read_program(const std::string& path, const model::Machine& machine, Demand demand) {
  const auto file = MappedFile::open(path);
  if (path.ends_with(kText)) {
    const std::string_view text{reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size()};
    return demand == Demand::Legal ? isa::assemble(text, path, machine.arch) : isa::assemble(text, path);
  }
  const std::string target = isa::decode_target(file->bytes(), path);
  if (target != machine.arch.name) {
    throw config_error("{}: assembled for {}, but the platform is {}; assemble it for that one, or change --platform",
                       path, target, machine.arch.name);
  }
  isa::KernelObject object = isa::decode(file->bytes(), path);
  if (demand == Demand::Legal) isa::require_legal(object, machine.arch);
  return object;
}

}  // namespace npu::orch
