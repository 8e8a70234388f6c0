#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>
#include <string>

#include "isa/arch_spec.hpp"
#include "isa/text/assembler.hpp"
#include "isa/text/disassembler.hpp"
#include "isa/verifier.hpp"

namespace npu::isa {

TEST_CASE("The example of the README assembles, is legal and round-trips") {
  std::ifstream file{NPU_SOURCE_DIR "/isa/README.md"};
  const std::string readme{std::istreambuf_iterator<char>{file}, {}};
  const std::size_t begin = readme.find(".kernel scale");
  REQUIRE(begin != std::string::npos);
  const std::string example = readme.substr(begin, readme.find("```", begin) - begin);
  const KernelObject object = assemble(example, "README.md", a2a3_arch_spec());
  require_legal(object, a2a3_arch_spec());
  const std::string text = to_text(object);
  CHECK(to_text(assemble(text, "again.npu")) == text);
}

}  // namespace npu::isa
