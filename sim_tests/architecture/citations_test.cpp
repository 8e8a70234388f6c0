// Comments and documents cite specification pages by name and section: both exist.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in{path};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// Numbers of a page's headings and of the lists below them: "3.2" of "### 3.2 Data paths", "S2.4" of item 4 below S2.
std::set<std::string> sections_of(const std::string& page) {
  static const std::regex kHeading{R"(#+ (S?\d+(?:\.\d+)?)\b.*)"};
  static const std::regex kItem{R"((\d+)\. .*)"};
  std::set<std::string> found;
  std::string heading;
  std::istringstream lines{page};
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, kHeading)) {
      heading = match[1];
      found.insert(heading);
    } else if (!heading.empty() && std::regex_match(line, match, kItem)) {
      found.insert(heading + "." + match[1].str());
    }
  }
  return found;
}

struct Citation {
  std::string page;                   ///< "machine.md", or a path from the root
  std::vector<std::string> sections;  ///< "3.2", "S7"
};

/// Each page that a text names, with the sections that stand behind the name in the same clause.
std::vector<Citation> citations_of(const std::string& text) {
  static const std::regex kPage{R"re(([A-Za-z0-9_./-]+\.md)\b([^\n;:)"`]*))re"};
  static const std::regex kSection{R"((?:\bS|\bsections? |, | and | to |^ )(\d+(?:\.\d+)?))"};
  std::vector<Citation> found;
  for (std::sregex_iterator at{text.begin(), text.end(), kPage}, end; at != end; ++at) {
    Citation citation{(*at)[1], {}};
    std::string clause = (*at)[2];
    for (const char* other : {".md", "step", "rule"}) clause = clause.substr(0, clause.find(other));
    for (std::sregex_iterator s{clause.begin(), clause.end(), kSection}; s != end; ++s) {
      const bool lettered = (*s)[0].str().find('S') != std::string::npos;
      citation.sections.push_back((lettered ? "S" : "") + (*s)[1].str());
    }
    found.push_back(citation);
  }
  return found;
}

TEST_CASE("a citation names its page and sections", "[architecture]") {
  const auto found =
      citations_of("// Laws (machine.md sections 7 and 9.1), rounding (decode-layer.md S2.4, S12; isa/README.md).");
  REQUIRE(found.size() == 3);
  CHECK(found[0].page == "machine.md");
  CHECK(found[0].sections == std::vector<std::string>{"7", "9.1"});
  CHECK(found[1].sections == std::vector<std::string>{"S2.4", "S12"});
  CHECK(found[2].page == "isa/README.md");
}

TEST_CASE("every cited page and section exists", "[architecture]") {
  const fs::path root{NPU_SOURCE_DIR};
  std::map<std::string, std::set<std::string>> pages;
  for (const auto& entry : fs::directory_iterator{root / "docs"}) {
    if (entry.path().extension() == ".md") pages[entry.path().filename().string()] = sections_of(read(entry.path()));
  }
  REQUIRE(pages.at("machine.md").contains("3.2"));
  REQUIRE(pages.at("decode-layer.md").contains("S7"));

  std::size_t checked = 0;
  const std::set<std::string> kinds{".hpp", ".cpp", ".inl", ".cmake", ".txt", ".py", ".md"};
  for (const char* folder : {"isa", "traces", "model", "kernels", "orchestration", "sim_tests", "bench", "cmake"}) {
    for (const auto& entry : fs::recursive_directory_iterator{root / folder}) {
      if (!kinds.contains(entry.path().extension().string())) continue;
      if (entry.path().filename() == "citations_test.cpp") continue;
      for (const Citation& citation : citations_of(read(entry.path()))) {
        INFO(fs::relative(entry.path(), root).string() << " cites " << citation.page);
        const auto page = pages.find(citation.page.substr(citation.page.rfind('/') + 1));
        CHECK((page != pages.end() || fs::exists(root / citation.page) ||
               fs::exists(entry.path().parent_path() / citation.page)));
        if (page == pages.end()) continue;
        for (const std::string& section : citation.sections) {
          INFO("section " << section);
          CHECK(page->second.contains(section));
          ++checked;
        }
      }
    }
  }
  CHECK(checked > 50);
}

}  // namespace
