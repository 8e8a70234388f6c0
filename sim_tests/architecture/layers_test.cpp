// The shape of the code: who may include whom, and where SystemC may be seen.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const std::map<std::string, std::set<std::string>> kMayInclude{
    {"isa", {"isa"}},
    {"traces", {"traces", "isa"}},
    {"model", {"model", "traces", "isa"}},
    {"kernels", {"kernels", "isa"}},
    {"orchestration", {"orchestration", "kernels", "model", "traces", "isa"}},
};

struct Include {
  std::string file, target;
  bool system = false;
};

std::vector<Include> includes_of(const std::string& text, const std::string& file) {
  static const std::regex kInclude{R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])"};
  std::vector<Include> found;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_search(line, match, kInclude)) found.push_back({file, match[2], match[1] == "<"});
  }
  return found;
}

/// Why the include breaks the layering; empty when it does not.
std::string violation(const std::string& layer, const Include& include) {
  if (include.system) {
    const bool systemc = include.target == "systemc" || include.target == "systemc.h" || include.target == "tlm";
    return systemc && layer != "model" ? "SystemC outside model/" : "";
  }
  const std::string owner = include.target.substr(0, include.target.find('/'));
  if (kMayInclude.count(owner) == 0) return "not included from the root";
  if (kMayInclude.at(layer).count(owner) == 0) return layer + " may not include " + owner;
  // Of the model, the host sees the facade alone, checks and what they find, and the reader of TOML that machine files
  // and presets share.
  const std::set<std::string> facade{"model/device.hpp",
                                     "model/config/machine.hpp",
                                     "model/config/toml_parser.hpp",
                                     "model/system/simulation.hpp",
                                     "model/checks/check_set.hpp",
                                     "model/checks/findings.hpp"};
  if (layer == "orchestration" && owner == "model" && facade.count(include.target) == 0)
    return "reaches into the model";
  return "";
}

TEST_CASE("every include follows the layer diagram", "[architecture]") {
  const fs::path root{NPU_SOURCE_DIR};
  std::size_t files = 0;
  for (const auto& [layer, allowed] : kMayInclude) {
    for (const auto& entry : fs::recursive_directory_iterator{root / layer}) {
      const auto extension = entry.path().extension();
      if (extension != ".hpp" && extension != ".cpp" && extension != ".inl") continue;
      ++files;
      std::ifstream in{entry.path()};
      const std::string text{std::istreambuf_iterator<char>{in}, {}};
      for (const Include& include : includes_of(text, fs::relative(entry.path(), root).string())) {
        const bool main = include.file == "orchestration/cli/main.cpp" && include.system;
        INFO(include.file << " includes " << include.target);
        CHECK((main ? "" : violation(layer, include)) == "");
      }
    }
  }
  CHECK(files > 100);
}

// By that, compiling the source shows that the header compiles alone.
TEST_CASE("every source includes the header beside it before anything else", "[architecture]") {
  const fs::path root{NPU_SOURCE_DIR};
  std::size_t pairs = 0;
  for (const auto& [layer, allowed] : kMayInclude) {
    for (const auto& entry : fs::recursive_directory_iterator{root / layer}) {
      fs::path header = entry.path();
      if (header.extension() != ".cpp" || !fs::exists(header.replace_extension(".hpp"))) continue;
      ++pairs;
      std::ifstream in{entry.path()};
      const std::string text{std::istreambuf_iterator<char>{in}, {}};
      const auto includes = includes_of(text, entry.path().string());
      INFO(entry.path());
      REQUIRE_FALSE(includes.empty());
      CHECK(includes.front().target == fs::relative(header, root).string());
    }
  }
  CHECK(pairs > 100);
}

TEST_CASE("the layering rule notices a planted violation", "[architecture]") {
  const auto planted = includes_of("#include \"model/core/core.hpp\"\n#include <systemc>\n", "kernels/x.cpp");
  REQUIRE(planted.size() == 2);
  CHECK(violation("kernels", planted[0]) == "kernels may not include model");
  CHECK(violation("kernels", planted[1]) == "SystemC outside model/");
  CHECK(violation("orchestration", planted[0]) == "reaches into the model");
  CHECK(violation("model", planted[1]).empty());
}

TEST_CASE("no source file outgrows a reader", "[architecture]") {
  for (const auto& [layer, allowed] : kMayInclude) {
    for (const auto& entry : fs::recursive_directory_iterator{fs::path{NPU_SOURCE_DIR} / layer}) {
      if (entry.path().extension() != ".hpp" && entry.path().extension() != ".cpp") continue;
      std::ifstream in{entry.path()};
      std::size_t lines = 0;
      for (std::string line; std::getline(in, line);) ++lines;
      INFO(entry.path());
      CHECK(lines <= 500);
    }
  }
}

}  // namespace
