// Every kernel of a layer as object file and as text: nothing gets lost on the way.
#include <catch2/catch.hpp>

#include "isa/encoding/object_file.hpp"
#include "isa/text/assembler.hpp"
#include "isa/text/disassembler.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/host/layer_program.hpp"

namespace npu::orch {
namespace {

/// An assembled program has the file and lines of its own text; a built one those of the builder's source.
isa::KernelObject without_source(isa::KernelObject object) {
  for (auto* part : {&object.cube, &object.vector}) {
    if (*part) (*part)->source_lines.clear(), (*part)->source_file.clear();
  }
  return object;
}

void check_round_trips(std::string_view workload, std::uint32_t layer_id, std::size_t least_kernels) {
  const model::Machine machine = model::load_machine("a2a3", {});
  SizeOverrides sizes;
  sizes.layer_id = layer_id;
  const kernels::LayerConfig config = resized(preset("tiny"), sizes);
  const LayerProgram program{find_workload(workload), config, machine, {.cards = config.ranks, .start_skew_us = {}}};
  CHECK(program.kernels().all().size() >= least_kernels);
  for (const auto& [name, kernel] : program.kernels().all()) {
    CAPTURE(name);
    const auto bytes = isa::encode(kernel.object, machine.arch.name);
    const isa::KernelObject decoded = isa::decode(bytes, name);
    CHECK(decoded == kernel.object);
    const std::string text = isa::to_text(decoded);
    const isa::KernelObject assembled = isa::assemble(text, name, machine.arch);
    CHECK(isa::encode(without_source(assembled), machine.arch.name) ==
          isa::encode(without_source(kernel.object), machine.arch.name));
    CHECK(isa::to_text(assembled) == text);
    CHECK(isa::encode(isa::assemble(isa::to_text(assembled), name), machine.arch.name) ==
          isa::encode(assembled, machine.arch.name));
  }
}

}  // namespace

TEST_CASE("the kernels of a layer with window attention survive object file and text") {
  check_round_trips("decode-layer", 0, 15);
}
TEST_CASE("the kernels of heavily compressed attention survive object file and text") {
  check_round_trips("attention-hca", 3, 10);
}
TEST_CASE("the kernels of sparse compressed attention survive object file and text") {
  check_round_trips("attention-csa", 10, 15);
}
TEST_CASE("the kernels of the experts behind score routing survive object file and text") {
  check_round_trips("moe-ep", 10, 8);
}

}  // namespace npu::orch
