// How npusim ends when the world around it does not play along: signals, closed streams, readers and files that go.
#include <signal.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sim_tests/support/temporary_directory.hpp"
#include "sim_tests/system/npusim_process.hpp"

namespace npu::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const std::string kExecutable = std::string{NPU_EXECUTABLE} + " ";

/// A vector program that never ends; every turn is an instruction of the V pipe.
const std::string kEndless =
    ".kernel endless\n.arg cell inout i32\n.vector\n.tile a ub f32 nd 8x64\n"
    "l: texpands a, 1.0\n  pipe_barrier v\n  brcmp.eq r0, r0, l\n  halt\n";

/// An endless run with all files, in its directory.
struct EndlessRun {
  EndlessRun()
      : process{"run " + directory.write("e.npu", kEndless) + " --args cell=i32:1x8 --out " + directory.file("out") +
                    " --trace " + directory.file("t.json") + " --vcd " + directory.file("w.vcd"),
                directory.file("log")} {}
  /// The timeline is written aside and grows once instructions run.
  [[nodiscard]] bool has_begun() {
    return process.wait_until([&] {
      for (const auto& entry : fs::directory_iterator{directory.file("")}) {
        const bool is_timeline = entry.path().string().find("t.json.part-") != std::string::npos;
        std::error_code error;
        if (is_timeline && fs::file_size(entry.path(), error) > 0 && !error) return true;
      }
      return false;
    });
  }
  TemporaryDirectory directory;
  RunningNpusim process;
};

TEST_CASE("a run that a signal ends closes its files and leaves a summary that says so") {
  const auto [number, status] = GENERATE(std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}, std::pair{SIGHUP, 129});
  EndlessRun run;
  REQUIRE(run.has_begun());
  run.process.send(number);
  const Outcome outcome = run.process.wait();
  CAPTURE(outcome.text);
  CHECK(outcome.status == status);
  CHECK(outcome.text.find("[RUN] FAIL interrupted by SIG") != std::string::npos);
  const json summary = json::parse(file_text(run.directory.file("out/summary.json")));
  CHECK(summary["verdict"] == "fail");
  CHECK(summary["status"] == "interrupted");
  CHECK_FALSE(json::parse(file_text(run.directory.file("t.json")))["traceEvents"].empty());
  CHECK(file_text(run.directory.file("w.vcd")).find("$enddefinitions") != std::string::npos);
  for (const auto& entry : fs::directory_iterator{run.directory.file("")}) {
    CHECK(entry.path().string().find(".part-") == std::string::npos);
  }
}

TEST_CASE("a signal ends a run that prepares or compares") {
  const TemporaryDirectory d;
  RunningNpusim run{"run decode-layer --preset small --layer-id 0 --out " + d.file("out") + " --trace " + d.file("t"),
                    d.file("log")};
  // The file aside is opened before inputs and expected results are made.
  REQUIRE(run.wait_until([&] {
    for (const auto& entry : fs::directory_iterator{d.file("")}) {
      if (entry.path().string().find(".part-") != std::string::npos) return true;
    }
    return false;
  }));
  run.send(SIGTERM);
  const Outcome outcome = run.wait();
  CAPTURE(outcome.text);
  CHECK(outcome.status == 143);
  CHECK(json::parse(file_text(d.file("out/summary.json")))["status"] == "interrupted");
}

TEST_CASE("a run ends at --max-us with the table of waits") {
  const TemporaryDirectory d;
  const std::string run = "run " + d.write("e.npu", kEndless) + " --args cell=i32:1x8 --out " + d.file("out");
  check_refused(4, run + " --max-us 500", {"[RUN] FAIL beyond --max-us"});
  CHECK(json::parse(file_text(d.file("out/summary.json")))["status"] == "time_limit");
  for (const char* text : {"0", "-1", "nan", "inf", "1e999", "abc", "''", "1x"}) {
    check_usage_error(run + " --max-us " + text, "is no positive number of microseconds");
  }
}

TEST_CASE("a run that ends before its first task says what the host was at") {
  const TemporaryDirectory d;
  check_refused(4, "run rmsnorm --preset tiny --skip-golden --max-us 1 --out " + d.file("out"),
                {"host", "end of run", "[RUN] FAIL beyond --max-us"});
}

TEST_CASE("a full or closed stdout is an error of every command") {
  const TemporaryDirectory d;
  REQUIRE(npusim("asm " + d.write("e.npu", ".kernel k\n.vector\n  halt\n") + " -o " + d.file("e.npuo")).status == 0);
  for (const std::string& command :
       {std::string{"list"}, std::string{"list --json"}, std::string{"config show"}, std::string{"--help"},
        std::string{"help run"}, std::string{"--version"}, std::string{"fit rmsnorm --preset tiny"},
        "disasm " + d.file("e.npuo"), "run rmsnorm --preset tiny --out " + d.file("out"),
        "run rmsnorm --preset tiny --json --out " + d.file("out")}) {
    CAPTURE(command);
    const Outcome full = run_command(kExecutable + command + " 2>&1 >/dev/full");
    CHECK(full.status == 2);
    CHECK(full.text.find("stdout: cannot be written (No space left on device)") != std::string::npos);
    const Outcome closed = run_command(kExecutable + command + " 2>&1 >&-");
    CHECK(closed.status == 2);
    CHECK(closed.text.find("stdout: cannot be written (Bad file descriptor)") != std::string::npos);
  }
  CHECK(run_command(kExecutable + "run nope >&- 2>&-").status == 2);
  CHECK(run_command(kExecutable + "run nope >/dev/full 2>/dev/full").status == 2);
  CHECK(run_command(kExecutable + "asm " + d.file("e.npu") + " -o " + d.file("f.npuo") + " <&- >&- 2>&-").status == 0);
  CHECK(file_text(d.file("f.npuo")) == file_text(d.file("e.npuo")));
}

TEST_CASE("a reader that has seen enough gets no message") {
  const TemporaryDirectory d;
  static_cast<void>(run_command("(sleep 0.2; " + kExecutable + "config show; echo $? >" + d.file("status") + ") 2>" +
                                d.file("errors") + " | true"));
  CHECK(file_text(d.file("errors")).empty());
  CHECK(file_text(d.file("status")) == "2\n");
}

TEST_CASE("a trace whose reader goes away is an error of the run") {
  const TemporaryDirectory d;
  REQUIRE(::mkfifo(d.file("fifo").c_str(), 0600) == 0);
  const Outcome outcome =
      run_command("head -c 1000 " + d.file("fifo") + " >/dev/null & " + kExecutable +
                  "run rmsnorm --preset tiny --trace " + d.file("fifo") + " --out " + d.file("out") + " 2>&1");
  CAPTURE(outcome.text);
  CHECK(outcome.status == 2);
  CHECK(outcome.text.find("fifo: writing failed after") != std::string::npos);
  CHECK(outcome.text.find("Broken pipe") != std::string::npos);
}

TEST_CASE("inputs that are no regular files are refused without waiting") {
  const TemporaryDirectory d;
  REQUIRE(::mkfifo(d.file("fifo").c_str(), 0600) == 0);
  REQUIRE(::mkfifo(d.file("fifo.npu").c_str(), 0600) == 0);
  for (const std::string& file : {d.file("fifo"), std::string{"/dev/zero"}, d.file("")}) {
    check_refused(2, "run hc-post --data " + file, {file, "is not a regular file"});
    check_refused(2, "config show --platform " + file, {file, "is not a regular file"});
    check_refused(2, "run hc-post --preset " + file, {file, "is not a regular file"});
    check_refused(2, "disasm " + file, {file, "is not a regular file"});
  }
  check_refused(2, "run " + d.file("fifo.npu"), {"fifo.npu", "is not a regular file"});
}

TEST_CASE("a data file that becomes shorter under the run is named") {
  const TemporaryDirectory d;
  const std::string data = d.file("data.safetensors");
  fs::copy_file(std::string{NPU_GOLDENS_DIR} + "/small-stress-L0.safetensors", data);
  fs::permissions(data, fs::perms::owner_all);
  RunningNpusim run{"run decode-layer --data " + data + " --out " + d.file("out"), d.file("log")};
  REQUIRE(run.wait_until([&] { return fs::exists(d.file("out/machine.toml")); }));
  fs::resize_file(data, 0);
  const Outcome outcome = run.wait();
  CAPTURE(outcome.text);
  CHECK(outcome.status == 2);
  CHECK(outcome.text.find("data.safetensors: became shorter while it was read") != std::string::npos);
  CHECK(json::parse(file_text(d.file("out/summary.json")))["status"] == "config");
}

TEST_CASE("a host without memory is told what to lower") {
  const TemporaryDirectory d;
  const Outcome outcome =
      run_command("ulimit -v 600000; " + kExecutable +
                  "run shared-expert --preset flash --ep 1 --layer-id 0 --set memory.hbm_capacity_gib=0.4 --out " +
                  d.file("out") + " 2>&1");
  CAPTURE(outcome.text);
  CHECK(outcome.status == 2);
  CHECK(outcome.text.find("choose a smaller preset") != std::string::npos);
}

}  // namespace
}  // namespace npu::test
