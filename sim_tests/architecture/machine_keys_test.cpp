// Messages call a figure of the machine what --set calls it.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>

#include "isa/arch_spec.hpp"

namespace npu {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream in{path};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::set<std::string> matches(const std::string& text, const std::regex& pattern) {
  std::set<std::string> found;
  for (std::sregex_iterator it{text.begin(), text.end(), pattern}, end; it != end; ++it) found.insert((*it)[1]);
  return found;
}

/// "core.ub_kib" and so on, as the table of figures has them.
std::set<std::string> keys() {
  const fs::path table = fs::path{NPU_SOURCE_DIR} / "model/config/machine_fields.cpp";
  return matches(text_of(table), std::regex{R"lit((?:real|whole|power)\("([a-z]+\.[a-z0-9_]+)")lit"});
}

TEST_CASE("capacities and alignments of all spaces are known by their keys", "[architecture]") {
  const std::set<std::string> known = keys();
  for (std::size_t s = 0; s < isa::kSpaceCount; ++s) {
    CHECK(known.count(isa::capacity_key(static_cast<isa::Space>(s))) == 1);
    CHECK(known.count(isa::alignment_key(static_cast<isa::Space>(s))) == 1);
  }
}

TEST_CASE("texts name figures of the machine by keys that --set takes", "[architecture]") {
  const std::set<std::string> known = keys();
  CHECK(known.size() > 50);
  std::set<std::string> bare;  // without their section; a name of one word may mean something else
  for (const std::string& key : known) {
    const std::string name = key.substr(key.find('.') + 1);
    if (name.find('_') != std::string::npos) bare.insert(name);
  }
  const std::regex literal{R"lit("((?:[^"\\\n]|\\.)*)")lit"},
      key{R"(\b((?:core|memory|system|link|host)\.[a-z0-9]+_[a-z0-9_]+))"}, word{R"((?:^|[^A-Za-z0-9_.])([a-z0-9_]+))"};
  std::size_t named = 0;
  for (const char* folder : {"isa", "kernels", "model/core", "model/system", "model/memory"}) {
    for (const auto& entry : fs::recursive_directory_iterator{fs::path{NPU_SOURCE_DIR} / folder}) {
      if (entry.path().extension() != ".cpp") continue;
      for (const std::string& text : matches(text_of(entry.path()), literal)) {
        INFO(entry.path() << ": " << text);
        for (const std::string& name : matches(text, key)) {
          CHECK(known.count(name) == 1);
          ++named;
        }
        for (const std::string& name : matches(text, word)) CHECK(bare.count(name) == 0);
      }
    }
  }
  CHECK(named > 10);
}

}  // namespace
}  // namespace npu
