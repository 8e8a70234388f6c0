#include "model/config/machine.hpp"

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "isa/errors.hpp"
#include "model/config/machine_fields.hpp"
#include "model/machines/shipped_machines.hpp"
#include "sim_tests/support/test_machine.hpp"

namespace npu::model {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

/// A machine file of the test's own, removed at its end.
class TempFile {
 public:
  explicit TempFile(const std::string& text) {
    static int count = 0;
    path_ =
        (std::filesystem::temp_directory_path() / fmt::format("npusim_test_{}_{}.toml", ::getpid(), ++count)).string();
    std::ofstream{path_} << text;
  }
  ~TempFile() { std::filesystem::remove(path_); }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// The shipped a2a3 file with one text replaced.
std::string edited(const std::string& from, const std::string& to) {
  std::string text{shipped_machines().front().text};
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// ":<line of the text>:"
std::string at_line_of(const std::string& text, const std::string& part) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(text.find(part));
  return fmt::format(":{}:", 1 + std::count(text.begin(), end, '\n'));
}

const Figure& figure(const Machine& machine, std::string_view key) {
  for (const Figure& f : machine.figures) {
    if (f.key == key) return f;
  }
  throw std::runtime_error{"no such figure"};
}

}  // namespace

TEST_CASE("every shipped machine loads, with a source and a confidence for each figure", "[machine]") {
  for (const ShippedMachine& shipped : shipped_machines()) {
    const Machine machine = load_machine(shipped.platform, {});
    CHECK(machine.arch.name == shipped.platform);
    CHECK(machine.figures.size() == machine_fields().size());
    for (const Figure& f : machine.figures) {
      INFO(f.key);
      CHECK_FALSE(f.source.empty());
      CHECK_FALSE(f.confidence.empty());
      CHECK_FALSE(f.overridden);
    }
  }
}

TEST_CASE("the a2a3 file states what the programmer's manual states", "[machine]") {
  CHECK(load_machine("a2a3", {}).arch == isa::a2a3_arch_spec());
}

TEST_CASE("a2a3sim is another name for a2a3", "[machine]") {
  CHECK(load_machine("a2a3sim", {}) == load_machine("a2a3", {}));
}

TEST_CASE("every shipped machine loads and says what it is", "[machine]") {
  for (const std::string& name : shipped_platforms()) {
    INFO(name);
    const Machine m = load_machine(name, {});
    CHECK(m.arch.name == name);
    CHECK_FALSE(m.about.empty());
    for (const Figure& f : m.figures) CHECK_FALSE(f.source.empty());
  }
}

TEST_CASE("a machine with a base has the figures of the base but for its own", "[machine]") {
  const Machine base = load_machine("a2a3", {}), b4 = load_machine("910b4", {});
  CHECK(b4.params.clock.core_mhz == 1500);
  CHECK(b4.params.memory.l2_mib == 96);
  CHECK(b4.params.vector == base.params.vector);
  CHECK(b4.arch.clusters == 20);
  // The base of a base: 950DT is based on a5, which is based on a2a3.
  const Machine a5 = load_machine("a5", {}), dt = load_machine("950dt-957x", {});
  CHECK(dt.params.clock.core_mhz == a5.params.clock.core_mhz);
  CHECK(dt.params.memory.write_cycles == base.params.memory.write_cycles);
}

TEST_CASE("a platform without a machine file is refused with what there is", "[machine]") {
  CHECK_THROWS_AS(load_machine("a7", {}), ConfigError);
  CHECK_THROWS_WITH(load_machine("a7", {}), Contains("'a7' is not shipped") && Contains("a2a3, ") && Contains(".toml"));
  CHECK_THROWS_WITH(load_machine("a7sim", {}), Contains("'a7sim'"));
  CHECK_THROWS_WITH(load_machine("no/such/file.toml", {}), Contains("no/such/file.toml: cannot read"));
}

TEST_CASE("the effective machine fed back is the same machine", "[machine]") {
  const std::vector<std::vector<std::string>> cases{
      {}, {"core.clock_mhz=1799.5", "chip.aic=20", "core.ub_kib=128", "link.gb_per_s=0.1"}};
  for (const auto& overrides : cases) {
    const Machine machine = load_machine("a2a3", overrides);
    const TempFile file{effective_toml(machine)};
    CHECK(load_machine(file.path(), {}) == machine);
  }
}

TEST_CASE("an override changes its figure, and says so", "[machine]") {
  const Machine machine = load_machine("a2a3", {"core.clock_mhz=1800", "link.gb_per_s=50.5", "chip.aic=20"});
  CHECK(machine.params.clock.core_mhz == 1800);
  CHECK(machine.params.link.gb_per_s == 50.5);
  CHECK(machine.arch.clusters == 20);
  CHECK(figure(machine, "chip.aic").overridden);
  CHECK(figure(machine, "chip.aic").value == "20");
  CHECK(figure(machine, "chip.aic").source == "--set chip.aic=20");
  CHECK_FALSE(figure(machine, "link.latency_us").overridden);
}

TEST_CASE("the last override of a key wins", "[machine]") {
  CHECK(load_machine("a2a3", {"chip.aic=20", "chip.aic=4"}).arch.clusters == 4);
}

TEST_CASE("a smaller UB keeps its reserved top", "[machine]") {
  const isa::BufferSpec ub = load_machine("a2a3", {"core.ub_kib=128"}).arch.buffer(isa::Space::UB);
  CHECK(ub.physical.count() == 128 * 1024);
  CHECK(ub.capacity.count() == 120 * 1024);
}

TEST_CASE("an unknown override is refused with the nearest key", "[machine]") {
  CHECK_THROWS_WITH(load_machine("a2a3", {"core.clock_mhs=1800"}),
                    StartsWith("--set core.clock_mhs=1800: ") && Contains("nearest: 'core.clock_mhz'"));
  CHECK_THROWS_WITH(load_machine("a2a3", {"chip.clock_mhz=1800"}), Contains("nearest: 'core.clock_mhz'"));
  CHECK_THROWS_WITH(load_machine("a2a3", {"memory.hbm_gb_per_s=9"}), Contains("nearest: 'memory.hbm_read_gb_per_s'"));
  CHECK_THROWS_WITH(load_machine("a2a3", {"clock=1800"}), Contains("nearest: 'core.clock_mhz'"));
  CHECK_THROWS_WITH(load_machine("a2a3", {"link.gb=9"}), Contains("nearest: 'link.gb_per_s'"));
  CHECK_THROWS_WITH(load_machine("a2a3", {"chip.aic"}), Contains("expected section.key=value"));
  CHECK_THROWS_WITH(load_machine("a2a3", {""}), Contains("expected section.key=value"));
}

TEST_CASE("an override that is no number of its range is refused with range and unit", "[machine]") {
  CHECK_THROWS_WITH(load_machine("a2a3", {"core.clock_mhz=0"}),
                    Contains("core.clock_mhz = 0") && Contains("from 100 to 10000 MHz"));
  CHECK_THROWS_AS(load_machine("a2a3", {"core.clock_mhz=10001"}), ConfigError);
  CHECK_NOTHROW(load_machine("a2a3", {"core.clock_mhz=10000"}));
  CHECK_THROWS_WITH(load_machine("a2a3", {"chip.aic=2.5"}), Contains("a whole number from 1 to 64 cores"));
  CHECK_THROWS_WITH(load_machine("a2a3", {"memory.l2_block_kib=12"}), Contains("a power of two"));
  for (const char* text : {"core.clock_mhz=fast", "core.clock_mhz=", "core.clock_mhz=nan", "core.clock_mhz=\"1800\"",
                           "core.clock_mhz=1800 MHz", "core.clock_mhz=true"}) {
    INFO(text);
    CHECK_THROWS_AS(load_machine("a2a3", {text}), ConfigError);
  }
}

TEST_CASE("figures that contradict each other are refused, both named", "[machine]") {
  CHECK_THROWS_WITH(load_machine("a2a3", {"memory.read_miss_cycles=349"}),
                    Contains("memory.read_miss_cycles = 349 cycles must not be below memory.read_hit_cycles = 350") &&
                        Contains("a2a3.toml:"));
  CHECK_THROWS_WITH(load_machine("a2a3", {"core.ub_kib=8"}), Contains("core.ub_reserved_kib = 8 KiB must be below"));
  CHECK_THROWS_WITH(load_machine("a2a3", {"memory.l2_mib=0.51"}), Contains("whole number of memory.l2_block_kib"));
}

TEST_CASE("a mistake in a machine file is refused with file, line and key", "[machine]") {
  const auto expect = [](const std::string& text, const std::string& message) {
    const TempFile file{text};
    CHECK_THROWS_WITH(load_machine(file.path(), {}), StartsWith(file.path()) && Contains(message));
    CHECK_THROWS_AS(load_machine(file.path(), {}), ConfigError);
  };
  expect(edited("value = 1850,", "value = 18.5,"), "core.clock_mhz = 18.5: expected a number from 100 to 10000 MHz");
  expect(edited("value = 1850,", "value = \"fast\","), "core.clock_mhz is a string");
  expect(edited("value = 1850, ", ""), "core.clock_mhz: missing 'value'");
  expect(edited("clock_mhz = ", "clock_mhx = "), "unknown key 'core.clock_mhx' (nearest: 'core.clock_mhz')");
  expect(edited("clock_mhz = ", "# "), "missing key 'core.clock_mhz'");
  expect(edited("[link]", "[lnk]"), "unknown key 'lnk.gb_per_s' (nearest: 'link.gb_per_s')");
  const std::string stray = edited("[chip]", "aic = 24\n[chip]");
  expect(stray, at_line_of(stray, "aic = 24") + " unknown key 'aic' (nearest: 'chip.aic')");
  expect(edited("name = \"a2a3\"", ""), "missing key 'name'");
  expect(edited("name = \"a2a3\"", "name = 3"), "name: expected a text");
  expect(edited("\"measured\"", "\"sure\""), "confidence 'sure' is none of measured");
  expect(edited("confidence = \"measured\"", "confidense = \"measured\""),
         "'chip.aic.confidense' (nearest: 'confidence')");
  const std::string broken = edited("[chip]", "[chip");
  expect(broken, at_line_of(broken, "[chip") + " not valid TOML");
  expect("", "missing key 'chip.aic'");
}

TEST_CASE("a file may state bare numbers", "[machine]") {
  const TempFile file{edited("clock_mhz = {", "clock_mhz = 1700\nclock_mhz_was = {")};
  CHECK_THROWS_WITH(load_machine(file.path(), {}), Contains("clock_mhz_was"));
  const std::string line = "gb_per_s   = {value = 146,";
  const std::string text = edited(line, "gb_per_s = 100 # {");
  const TempFile bare{text};
  const Machine machine = load_machine(bare.path(), {});
  CHECK(machine.params.link.gb_per_s == 100);
  CHECK(figure(machine, "link.gb_per_s").source.empty());
}

TEST_CASE("the table of fields names every key once, and reads what it writes", "[machine]") {
  std::set<std::string_view> keys;
  Machine machine = test::test_machine();
  for (const MachineField& f : machine_fields()) {
    INFO(f.key);
    CHECK(keys.insert(f.key).second);
    CHECK_FALSE(f.meaning.empty());
    f.set(machine, f.min);
    CHECK(f.get(machine) == f.min);
  }
}

TEST_CASE("times become cycles rounded up, without rounding errors", "[machine]") {
  Params p = test::test_params();
  CHECK(cycles_of_ns(p, 0) == 0);
  CHECK(cycles_of_ns(p, 20) == 20);
  CHECK(cycles_of_ns(p, 20.1) == 21);
  p.clock.core_mhz = 1850;
  CHECK(cycles_of_ns(p, 100) == 185);
  CHECK(cycles_of_ns(p, 1000.0 * 1.2) == 2220);
  CHECK(us_of_cycles(p, 1850) == 1);
  CHECK(bytes_per_cycle(p, 185) == Approx(100));
}

}  // namespace npu::model
