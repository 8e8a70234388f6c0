// asm, disasm, config show, list and fit as a user sees them.
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "sim_tests/support/temporary_directory.hpp"
#include "sim_tests/system/npusim_process.hpp"

namespace npu::test {
namespace {

namespace fs = std::filesystem;

TEST_CASE("a built-in kernel survives disassembly and assembly, byte for byte once it has its own lines") {
  const TemporaryDirectory d;
  REQUIRE(npusim("run rmsnorm --preset tiny --compile-only --out " + d.file("built")).status == 0);
  const std::string built = d.file("built/kernels/rms_norm.npuo");
  REQUIRE(npusim("disasm " + built + " -o " + d.file("a.npu")).status == 0);
  REQUIRE(npusim("asm " + d.file("a.npu") + " -o " + d.file("a.npuo")).status == 0);
  REQUIRE(npusim("disasm " + d.file("a.npuo") + " -o " + d.file("b.npu")).status == 0);
  CHECK(file_text(d.file("a.npu")) == file_text(d.file("b.npu")));
  fs::rename(d.file("b.npu"), d.file("a.npu"));  // an object names its source file
  REQUIRE(npusim("asm " + d.file("a.npu") + " -o " + d.file("b.npuo")).status == 0);
  CHECK(file_text(d.file("a.npuo")) == file_text(d.file("b.npuo")));

  // The re-assembled kernel gives the result and the times of the built-in one.
  const std::string flags = " --blocks 16 --args x=bf16:16x256 --args w=f32:1x256 --args y=bf16:16x256";
  const auto run = [&](const std::string& object, const std::string& name) {
    const Outcome outcome = npusim("run " + object + flags + " --out " + d.file(name) + " --save-data " + d.file(name));
    CAPTURE(outcome.text);
    REQUIRE(outcome.status == 0);
    auto summary = nlohmann::json::parse(file_text(d.file(name + "/summary.json")));
    summary.erase("simulator");
    summary.erase("workload");
    return summary;
  };
  CHECK(run(built, "of_built") == run(d.file("a.npuo"), "of_a"));
  CHECK(file_text(d.file("of_built/actual.safetensors")) == file_text(d.file("of_a/actual.safetensors")));
}

TEST_CASE("the listing of an object file goes to stdout") {
  const TemporaryDirectory d;
  const std::string text = ".kernel empty\n\n.vector\n  halt\n";
  REQUIRE(npusim("asm " + d.write("e.npu", text) + " -o " + d.file("e.npuo")).status == 0);
  const Outcome outcome = npusim("disasm " + d.file("e.npuo"));
  CHECK(outcome.status == 0);
  CHECK(outcome.text == text);
}

TEST_CASE("asm and disasm name the file and the reason of what they refuse") {
  const TemporaryDirectory d;
  const std::string out = " -o " + d.file("out");
  check_refused(2, "asm " + d.file("absent.npu") + out, {"absent.npu"});
  check_refused(3, "asm " + d.write("bad.npu", ".kernel k\n.vector\n  frobnicate r1\n  halt\n") + out,
                {"bad.npu:3:3: parse: unknown instruction `frobnicate`"});
  check_refused(
      3, "asm " + d.write("near.npu", ".kernel k\n.vector\n.tile a ub f32 nd 1x8\n  tad a, a, a\n  halt\n") + out,
      {"near.npu:4:3: parse: unknown instruction `tad`, nearest is `tadd`"});
  CHECK_FALSE(fs::exists(d.file("out")));
  check_refused(2, "asm " + d.write("ok.npu", ".kernel k\n.vector\n  halt\n") + " -o " + d.file("none/out"),
                {"none/out: cannot be created"});
  check_refused(2, "disasm " + d.file("absent.npuo"), {"absent.npuo"});
  check_refused(2, "disasm " + d.write("text.npuo", "this is no object file, but long enough for one\n"),
                {"text.npuo", "magic"});
  check_refused(2, "disasm", {"file is required"});
}

TEST_CASE("a cut or damaged object file is refused") {
  const TemporaryDirectory d;
  REQUIRE(npusim("asm " + d.write("e.npu", ".kernel k\n.vector\n  halt\n") + " -o " + d.file("e.npuo")).status == 0);
  std::string bytes = file_text(d.file("e.npuo"));
  check_refused(2, "disasm " + d.write("cut.npuo", bytes.substr(0, bytes.size() - 4)), {"cut.npuo"});
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  check_refused(2, "disasm " + d.write("damaged.npuo", bytes), {"damaged.npuo", "checksum"});
}

TEST_CASE("config show gives every figure with its unit and source, and marks what the user has set") {
  const Outcome outcome = npusim("config show --set core.ub_kib=128");
  CHECK(outcome.status == 0);
  std::istringstream lines{outcome.text};
  std::size_t figures = 0;
  for (std::string line; std::getline(lines, line); ++figures) {
    const bool is_set = line.find("core.ub_kib ") == 0;
    CAPTURE(line);
    CHECK((line.find("(overridden)") != std::string::npos) == is_set);
    CHECK(line.find('.') != std::string::npos);
  }
  CHECK(figures > 60);
  check_refused(2, "config show --set core.ub_kb=128", {"core.ub_kb", "core.ub_kib"});
  check_refused(2, "config show --set core.ub_kib=plenty", {"core.ub_kib", "plenty"});
  check_refused(2, "config show --set core.ub_kib", {"core.ub_kib"});
  check_refused(2, "config show --platform a4a4", {"a4a4", "a2a3"});
  check_refused(2, "config show --platform absent.toml", {"absent.toml"});
}

TEST_CASE("list names what can be run") {
  const Outcome outcome = npusim("list");
  CHECK(outcome.status == 0);
  for (const char* name :
       {"workloads", "decode-layer", "moe-ep", "presets", "tiny", "flash", "platforms", "a2a3", "protocols"}) {
    CAPTURE(name);
    CHECK(outcome.text.find(name) != std::string::npos);
  }
}

TEST_CASE("fit gives a verdict for every space that a kernel uses") {
  const Outcome outcome = npusim("fit decode-layer --preset tiny --layer-id 0");
  CAPTURE(outcome.text);
  CHECK(outcome.status == 0);
  CHECK(outcome.text.find("OVER") == std::string::npos);
  std::istringstream lines{outcome.text};
  std::string kernel, space, share, verdict;
  std::uint64_t used = 0, limit = 0;
  std::int64_t head_room = 0;
  std::size_t rows = 0;
  std::getline(lines, kernel);                                                  // heading
  for (std::string line; std::getline(lines, line) && !line.empty(); ++rows) {  // the plans come behind an empty line
    std::istringstream{line} >> kernel >> space >> used >> limit >> share >> head_room >> verdict;
    CAPTURE(line);
    CHECK(head_room == static_cast<std::int64_t>(limit) - static_cast<std::int64_t>(used));
    CHECK(verdict == (100 * used > 85 * limit ? "MARGINAL" : "fit"));
  }
  CHECK(rows > 20);
}

TEST_CASE("fit goes on behind a kernel that does not fit, says what to cut and ends with status 3") {
  const Outcome outcome = npusim("fit rmsnorm --preset tiny --layer-id 0 --set core.ub_kib=9");
  CAPTURE(outcome.text);
  CHECK(outcome.status == 3);
  CHECK(outcome.text.find(" OVER ") != std::string::npos);
  CHECK(outcome.text.find("columns of ") != std::string::npos);
  const Outcome gate = npusim("fit gate --preset tiny --layer-id 0 --set core.ub_kib=12");
  CAPTURE(gate.text);
  CHECK(gate.status == 3);
  CHECK(gate.text.find(" fit ") != std::string::npos);
  CHECK(gate.text.find(" OVER ") != std::string::npos);
  check_refused(
      3, "run rmsnorm --preset tiny --layer-id 0 --set core.ub_kib=9",
      {"kernel rms_norm: its tiles need", "bytes of ub, a2a3 has 1024 (core.ub_kib); cut the", "memory map:"});
}

TEST_CASE("fit measures every kernel of a layer, however small the vector buffer is") {
  const auto kernels_in = [](const std::string& table) {
    std::set<std::string> names;
    std::istringstream lines{table};
    for (std::string line; std::getline(lines, line);) names.insert(line.substr(0, line.find(' ')));
    return names;
  };
  const std::string question = "fit decode-layer --preset tiny --layer-id 10";
  const auto all = kernels_in(npusim(question).text);
  CHECK(all.size() > 30);
  for (const char* kib : {"9", "12", "14"}) {
    const Outcome outcome = npusim(question + " --set core.ub_kib=" + kib);
    CAPTURE(kib, outcome.text);
    CHECK(outcome.status == 3);
    CHECK(kernels_in(outcome.text) == all);
  }
}

TEST_CASE("summary.json stands alone on stdout with --json") {
  const TemporaryDirectory d;
  const std::string run =
      std::string{NPU_EXECUTABLE} + " run rmsnorm --preset tiny --layer-id 0 --json --out " + d.file("out");
  const Outcome out = run_command(run + " 2>" + d.file("stderr"));
  CHECK(out.status == 0);
  CHECK(out.text == file_text(d.file("out/summary.json")));
  CHECK(nlohmann::json::parse(out.text)["verdict"] == "pass");
  const std::string verdict = file_text(d.file("stderr"));
  CHECK(verdict.rfind("[RUN] PASS", 0) == 0);
  CHECK(verdict.find('\n') == verdict.size() - 1);
  const Outcome refused = run_command(run + " --preset huge 2>/dev/null");
  CHECK(refused.status == 2);
  CHECK(refused.text.empty());
}

TEST_CASE("a run says nothing about itself but its result") {
  const TemporaryDirectory d;
  const std::string run =
      std::string{NPU_EXECUTABLE} + " run rmsnorm --preset tiny --layer-id 0 --out " + d.file("out");
  const Outcome errors = run_command(run + " 2>&1 >/dev/null");
  CHECK(errors.status == 0);
  CHECK(errors.text.empty());
  CHECK(run_command(run + " 2>/dev/null").text.rfind("output ", 0) == 0);
}

}  // namespace
}  // namespace npu::test
