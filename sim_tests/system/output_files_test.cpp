// The files that npusim leaves: whole or not at all, none over another, and none touched by a run that is refused.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "sim_tests/support/temporary_directory.hpp"
#include "sim_tests/system/npusim_process.hpp"

namespace npu::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const std::string kRun = "run rmsnorm --preset tiny ";
const std::string kProgram = ".kernel k\n.arg cell inout i32\n.vector\n  halt\n";
const std::string kHang =
    ".kernel k\n.arg cell inout i32\n.vector\n  ldarg r1, 0\n  li r2, 1\n  twait.ge r1, r2\n  halt\n";
const std::string kCell = " --args cell=i32:1x8 ";

std::set<std::string> names_in(const std::string& directory) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator{directory}) names.insert(entry.path().filename().string());
  return names;
}

TEST_CASE("no output is an input, by whatever name") {
  const TemporaryDirectory d;
  const std::string program = d.write("k.npu", kProgram);
  const std::string run = "run " + program + kCell + "--out " + d.file("out");
  fs::create_symlink("k.npu", d.file("link"));
  fs::create_hard_link(program, d.file("twin"));
  for (const std::string& name : {program, d.file("link"), d.file("twin"), d.file("out/../k.npu"), d.file("./k.npu")}) {
    check_refused(2, run + " --trace " + name, {"--trace " + name + " would overwrite what is read", "k.npu"});
    check_refused(2, run + " --vcd " + name, {"--vcd " + name + " would overwrite what is read"});
  }
  check_refused(2, "asm " + program + " -o " + program, {"-o " + program, "would overwrite what is read"});
  CHECK(file_text(program) == kProgram);
  REQUIRE(npusim("asm " + program + " -o " + d.file("k.npuo")).status == 0);
  check_refused(2, "disasm " + d.file("k.npuo") + " -o " + d.file("k.npuo"), {"would overwrite what is read"});

  REQUIRE(npusim(kRun + "--out " + d.file("data") + " --save-data " + d.file("data")).status == 0);
  const auto names = names_in(d.file("data"));
  for (const std::string& file : std::vector<std::string>{"expected", "actual"}) {
    const std::string data = d.file("data/" + file + ".safetensors"), before = file_text(data);
    check_refused(2, "run rmsnorm --data " + data + " --save-data " + d.file("data"),
                  {"--save-data", file + ".safetensors", "would overwrite what is read: --data"});
    CHECK(file_text(data) == before);
  }
  check_refused(2, kRun + "--platform " + d.file("data/machine.toml") + " --out " + d.file("data"),
                {"machine.toml", "would overwrite what is read: --platform"});
  CHECK(names_in(d.file("data")) == names);
}

TEST_CASE("no output is another output") {
  const TemporaryDirectory d;
  const auto refused = [&](const std::string& flags) {
    check_refused(2, kRun + flags, {"would overwrite another output"});
    CHECK(names_in(d.file("")).empty());
  };
  refused("--trace " + d.file("x") + " --vcd " + d.file("x"));
  refused("--trace " + d.file("x") + " --vcd " + d.file("./x"));
  refused("--trace " + d.file("out/summary.json") + " --out " + d.file("out"));
  refused("--vcd " + d.file("out/layer.json") + " --out " + d.file("out/"));
  refused("--trace " + d.file("data/actual.safetensors") + " --save-data " + d.file("data"));
  refused("--trace " + d.file("out") + " --out " + d.file("out"));
  refused("--trace " + d.file("a") + " --save-data " + d.file("a/b"));
  CHECK(npusim(kRun + "--trace /dev/null --vcd /dev/null --out " + d.file("out")).status == 0);
}

TEST_CASE("no object file of --compile-only is an input") {
  const TemporaryDirectory d;
  const std::string compile = "run rmsnorm --compile-only --out " + d.file("out") + " --preset ";
  REQUIRE(npusim(compile + "tiny").status == 0);
  const std::string object = d.file("out/kernels/rms_norm.npuo"), preset = "base = \"tiny\"\n";
  fs::remove(object);
  static_cast<void>(d.write("p.toml", preset));
  fs::create_symlink(d.file("p.toml"), object);
  check_refused(2, compile + d.file("p.toml"),
                {"object file", "rms_norm.npuo", "would overwrite what is read: --preset"});
  CHECK(file_text(object) == preset);
}

TEST_CASE("a refused run leaves everything as it was") {
  const TemporaryDirectory d;
  const std::string files = "--trace " + d.file("t.json") + " --vcd " + d.file("w.vcd") + " --out " + d.file("out") +
                            " --save-data " + d.file("data");
  REQUIRE(npusim(kRun + files).status == 0);
  const auto snapshot = [&] {
    std::map<std::string, std::string> texts;
    for (const auto& entry : fs::recursive_directory_iterator{d.file("")}) {
      if (entry.is_regular_file()) texts[entry.path()] = file_text(entry.path());
    }
    return texts;
  };
  const auto before = snapshot();
  for (const char* mistake :
       {"--vcd-level foo", "--vcd-scope foo", "--trace-level foo", "--trace-window 5", "--frobnicate", "--layer-id 99",
        "--ep 3", "--set core.ub_kb=1", "--preset absent.toml", "--data absent.safetensors", "--start-pos 4000000000",
        "--device 0-4294967295", "--start-skew-us 1", "--start-skew-us -1,0", "--max-us 0"}) {
    CAPTURE(mistake);
    CHECK(npusim(kRun + files + " " + mistake).status == 2);
    CHECK(snapshot() == before);
  }
}

TEST_CASE("runs of one moment have a directory each") {
  const TemporaryDirectory d;
  const Outcome runs = run_command("cd " + d.file("") + "; for i in 1 2 3 4 5 6; do " + NPU_EXECUTABLE + " " + kRun +
                                   " --seed $i >/dev/null 2>&1 & done; wait; ls build_output | wc -l");
  CHECK(runs.text == "6\n");
  std::set<std::uint64_t> seeds;
  for (const auto& entry : fs::directory_iterator{d.file("build_output")}) {
    CHECK(entry.path().filename().string().rfind("rmsnorm_", 0) == 0);
    seeds.insert(json::parse(file_text(entry.path() / "summary.json"))["seed"].get<std::uint64_t>());
  }
  CHECK(seeds.size() == 6);
}

TEST_CASE("a directory that another run holds is refused") {
  const TemporaryDirectory d;
  const int other = ::open(d.file("").c_str(), O_RDONLY | O_DIRECTORY);
  REQUIRE(::flock(other, LOCK_EX | LOCK_NB) == 0);
  check_refused(2, kRun + "--out " + d.file(""), {"--out", "another run is writing there"});
  CHECK(names_in(d.file("")).empty());
  ::close(other);
  CHECK(npusim(kRun + "--out " + d.file("")).status == 0);
}

TEST_CASE("a run that fails replaces the summary of the run before with its own") {
  const TemporaryDirectory d;
  const std::string out = " --out " + d.file("out");
  const auto summary = [&] { return json::parse(file_text(d.file("out/summary.json"))); };
  const std::string pass = "run " + d.write("k.npu", kProgram) + kCell + out;
  REQUIRE(npusim(pass).status == 0);
  CHECK(summary()["status"] == "complete");
  CHECK(summary()["error"].is_null());

  CHECK(npusim("run " + d.write("h.npu", kHang) + kCell + out + " --trace " + d.file("h.json")).status == 4);
  CHECK(summary()["verdict"] == "fail");
  CHECK(summary()["status"] == "hang");
  CHECK(summary()["error"].get<std::string>().find("twait for cell") != std::string::npos);
  CHECK_FALSE(json::parse(file_text(d.file("h.json")))["traceEvents"].empty());

  REQUIRE(npusim(pass).status == 0);
  const Outcome misfit =
      run_command(std::string{NPU_EXECUTABLE} + " " + kRun + "--set core.ub_kib=9 --json" + out + " 2>/dev/null");
  CHECK(misfit.status == 3);
  CHECK(json::parse(misfit.text) == summary());
  CHECK(summary()["verdict"] == "fail");
  CHECK(summary()["status"] == "illegal");
  CHECK(summary()["workload"] == "rmsnorm");
}

TEST_CASE("a file that cannot be written whole is not left behind, and the reason is said") {
  const TemporaryDirectory d;
  // Files of the process end after so many blocks of 512 bytes (1024 in some shells).
  const auto limited = [&](int blocks, const std::string& arguments) {
    const Outcome outcome =
        run_command("ulimit -f " + std::to_string(blocks) + "; " + NPU_EXECUTABLE + " " + arguments + " 2>&1 | cat");
    CAPTURE(arguments, outcome.text);
    CHECK(outcome.text.find("writing failed after") != std::string::npos);
    CHECK(outcome.text.find("File too large") != std::string::npos);
  };
  std::string big = kProgram;
  for (int i = 0; i < 1000; ++i) big.insert(big.find("  halt"), "  li r2, 1\n");
  const std::string source = d.write("big.npu", big);
  const auto names = names_in(d.file(""));
  limited(2, "asm " + source + " -o " + d.file("big.npuo"));
  CHECK(names_in(d.file("")) == names);
  limited(2, kRun + "--out " + d.file("out"));
  CHECK(names_in(d.file("out")).empty());
  for (const std::string& flags :
       {"--trace " + d.file("t.json"), "--vcd " + d.file("w.vcd"), "--save-data " + d.file("data")}) {
    limited(100, kRun + flags + " --out " + d.file("out"));
    CHECK(json::parse(file_text(d.file("out/summary.json")))["status"] == "config");
  }
  CHECK_FALSE(fs::exists(d.file("t.json")));
  CHECK_FALSE(fs::exists(d.file("w.vcd")));
  CHECK(names_in(d.file("data")).empty());
  check_refused(2, kRun + "--trace " + d.file("none/t.json"), {"none/t.json: cannot be created", "No such file"});
  check_refused(2, kRun + "--trace " + d.file("out"), {"Is a directory"});
  check_refused(2, kRun + "--trace ''", {"needs a name"});
  check_refused(2, kRun + "--out ''", {"--out needs the name of a directory"});
}

TEST_CASE("a link stays a link, and a file keeps its permissions") {
  const TemporaryDirectory d;
  const std::string target = d.write("real.json", "old");
  fs::permissions(target, fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("real.json", d.file("t.json"));
  REQUIRE(npusim(kRun + "--trace " + d.file("t.json") + " --out " + d.file("out")).status == 0);
  CHECK(fs::is_symlink(d.file("t.json")));
  CHECK(json::accept(file_text(target)));
  CHECK(fs::status(target).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("what is no regular file is written in place") {
  const TemporaryDirectory d;
  const std::string text = ".kernel empty\n\n.vector\n  halt\n";
  REQUIRE(npusim("asm " + d.write("e.npu", text) + " -o " + d.file("e.npuo")).status == 0);
  const std::string disassemble = std::string{NPU_EXECUTABLE} + " disasm " + d.file("e.npuo") + " -o ";
  CHECK(run_command(disassemble + "/dev/stdout").text == text);
  CHECK(run_command(disassemble + "/dev/stdout > " + d.file("copy")).status == 0);
  CHECK(file_text(d.file("copy")) == text);
  REQUIRE(::mkfifo(d.file("fifo").c_str(), 0600) == 0);
  CHECK(run_command("cat " + d.file("fifo") + " & " + disassemble + d.file("fifo") + "; wait").text == text);
  check_refused(2, "disasm " + d.file("e.npuo") + " -o /dev/full", {"/dev/full", "No space left on device"});
}

TEST_CASE("a trace ends at its limit as a file that can be read, with a warning") {
  const TemporaryDirectory d;
  const std::string out = " --out " + d.file("out") + " --trace " + d.file("t.json");
  const Outcome outcome = npusim("run decode-layer --preset tiny --skip-golden --trace-limit-mib 1" + out);
  CHECK(outcome.status == 0);
  CHECK(outcome.text.find("warning: a trace has reached --trace-limit-mib 1") != std::string::npos);
  CHECK(fs::file_size(d.file("t.json")) < 2 << 20);
  CHECK(json::parse(file_text(d.file("t.json")))["traceEvents"].size() > 1000);
  check_usage_error(kRun + "--trace-limit-mib 0", "--trace-limit-mib");
}

TEST_CASE("a window behind the end of the run is said to show nothing") {
  const TemporaryDirectory d;
  const Outcome outcome =
      npusim(kRun + "--trace-window 99999999:100000000 --trace " + d.file("t.json") + " --out " + d.file("out"));
  CHECK(outcome.status == 0);
  CHECK(outcome.text.find("warning: --trace-window begins at cycle 99999999, but the run ended at cycle") !=
        std::string::npos);
}

}  // namespace
}  // namespace npu::test
