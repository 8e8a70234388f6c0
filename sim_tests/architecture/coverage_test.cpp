// What must exist for each instruction and each header, so that none is forgotten.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include "isa/instructions/instruction_table.hpp"

namespace npu {
namespace {

namespace fs = std::filesystem;
const fs::path kRoot{NPU_SOURCE_DIR};

std::string text_of(const fs::path& file) {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// Every .cpp below `folder`, one after the other.
std::string sources_below(const fs::path& folder) {
  std::string text;
  for (const auto& entry : fs::recursive_directory_iterator{folder}) {
    if (entry.path().extension() == ".cpp") text += text_of(entry.path());
  }
  return text;
}

/// The names of isa::Opcode in order of their values.
std::vector<std::string> enumerators() {
  const std::string text = text_of(kRoot / "isa/instructions/opcode.hpp");
  const std::regex kName{R"(\n  ([A-Z]\w*),)"};
  std::vector<std::string> names;
  for (std::sregex_iterator it{text.begin(), text.end(), kName}, end; it != end; ++it) names.push_back((*it)[1]);
  return names;
}

bool mentions(const std::string& text, const std::string& word) {
  return std::regex_search(text, std::regex{"\\b" + word + "\\b"});
}

}  // namespace

TEST_CASE("every tile instruction has a test of what it computes and of what it costs", "[architecture]") {
  const std::string meaning = sources_below(kRoot / "sim_tests/isa"),
                    cost = text_of(kRoot / "sim_tests/model/laws_test.cpp");
  const std::vector<std::string> names = enumerators();
  REQUIRE(names.size() == isa::kOpcodeCount);
  for (const isa::OpInfo& row : isa::instruction_table()) {
    using enum isa::OpClass;
    const std::string& name = names[static_cast<std::size_t>(row.opcode)];
    INFO(name);
    if (row.op_class == Mover || row.op_class == Cube || row.op_class == Vector) CHECK(mentions(meaning, name));
    if (row.op_class == Vector) CHECK(mentions(cost, name));
  }
}

TEST_CASE("every instruction belongs to the program that runs them all", "[architecture]") {
  const std::string program = text_of(kRoot / "sim_tests/model/every_opcode.npu");
  for (const isa::OpInfo& row : isa::instruction_table()) {
    INFO(row.mnemonic);
    CHECK(program.find("\n  " + std::string{row.mnemonic}) != std::string::npos);
  }
}

TEST_CASE("every header of a layer is listed, so that the build checks that it compiles alone", "[architecture]") {
  std::size_t headers = 0;
  for (const char* layer : {"isa", "traces", "model", "kernels", "orchestration"}) {
    const std::string list = text_of(kRoot / layer / "CMakeLists.txt");
    for (const auto& entry : fs::recursive_directory_iterator{kRoot / layer}) {
      const std::string name = fs::relative(entry.path(), kRoot / layer).generic_string();
      // The headers of the executable have no library that could list them.
      if (entry.path().extension() != ".hpp" || name.rfind("cli/", 0) == 0) continue;
      ++headers;
      INFO(layer << "/" << name);
      CHECK(list.find("    " + name) != std::string::npos);
    }
  }
  CHECK(headers > 100);
}

}  // namespace npu
