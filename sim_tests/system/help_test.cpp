// What npusim says about itself is true: help, completion, manual page, the commands of the README, what list names.
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "sim_tests/support/temporary_directory.hpp"
#include "sim_tests/system/npusim_process.hpp"

namespace npu::test {
namespace {

using nlohmann::json;

/// y = x + n on 16 x 64 floats, every block the same: the program that README and help call k.npu.
const std::string kProgram =
    ".kernel k\n.arg x in f32\n.arg y out f32\n.arg n scalar i64\n.vector\n.tile a ub f32 nd 16x64\n"
    ".gm gm_x f32 nd base=r1 pitch=256\n.gm gm_y f32 nd base=r2 pitch=256\n"
    "  ldarg r1, 0\n  ldarg r2, 1\n  tload a, gm_x\n  set_flag mte2, v, 0\n  wait_flag mte2, v, 0\n"
    "  tadds a, a, 1\n  set_flag v, mte3, 0\n  wait_flag v, mte3, 0\n  tstore gm_y, a\n  halt\n";

/// Runs "npusim ..." as typed, in a directory with k.npu.
void check_works(const std::string& command) {
  const TemporaryDirectory d;
  REQUIRE(npusim("asm " + d.write("k.npu", kProgram) + " -o " + d.file("k.npuo")).status == 0);
  const std::string arguments = command.substr(command.find("npusim ") + 7);
  const Outcome outcome = run_command("cd " + d.file("") + " && " + NPU_EXECUTABLE + " " + arguments + " 2>&1");
  CAPTURE(command, outcome.text);
  CHECK(outcome.status == 0);
}

TEST_CASE("every npusim command in a code block of the README works as it stands") {
  std::istringstream lines{file_text(std::string{NPU_SOURCE_DIR} + "/README.md")};
  bool in_shell = false;
  int commands = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("```", 0) == 0) {
      in_shell = line == "```sh";
      continue;
    }
    static const std::regex kCommand{R"((?:^|&& )(?:\./build/\w+/)?(npusim [^&#]+))"};
    std::smatch match;
    if (!in_shell || !std::regex_search(line, match, kCommand)) continue;
    check_works(match[1]);
    ++commands;
  }
  CHECK(commands >= 2);
}

TEST_CASE("every example of the help works as it stands") {
  std::istringstream lines{npusim("--help-all").text};
  int examples = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("  npusim ", 0) != 0) continue;
    check_works(line);
    ++examples;
  }
  CHECK(examples >= 5);
}

json listed(const char* section) { return json::parse(npusim("list --json").text).at(section); }

void check_runs(const std::string& arguments) {
  const TemporaryDirectory d;
  const Outcome outcome = npusim("run " + arguments + " --out " + d.file("out"));
  CAPTURE(arguments, outcome.text);
  CHECK(outcome.status == 0);
}

TEST_CASE("every workload that list names runs with its defaults") {
  const json workloads = listed("workloads");
  CHECK(workloads.size() > 20);
  for (const json& workload : workloads) {
    const auto name = workload["name"].get<std::string>();
    const bool has_plan = npusim("help run " + name).status == 0;  // a kernel with flags of its own, and no layer
    check_runs(name + (has_plan ? "" : " --preset tiny"));
  }
}

TEST_CASE("every workload that list names has a layer in the default preset") {
  for (const json& workload : listed("workloads")) check_runs(workload["name"].get<std::string>() + " --compile-only");
}

TEST_CASE("every preset, platform and protocol that list names can be given") {
  for (const json& preset : listed("presets")) {
    check_runs("decode-layer --compile-only --preset " + preset["name"].get<std::string>());
    check_runs("decode-step --compile-only --preset " + preset["name"].get<std::string>());
  }
  for (const json& platform : listed("platforms")) {
    check_runs("rmsnorm --preset tiny --platform " + platform["name"].get<std::string>());
  }
  for (const json& protocol : listed("protocols")) {
    check_runs("dispatch --preset tiny --ep-protocol " + protocol["name"].get<std::string>());
  }
}

TEST_CASE("help is grouped, plain text, and the same however it is asked for") {
  const std::string run = npusim("help run").text;
  for (const char* group : {"\nSizes\n", "\nMachine\n", "\nData\n", "\nSimulation\n", "\nOutput\n", "\nTraces\n",
                            "\nProgram files (.npu, .npuo)\n"}) {
    CAPTURE(group);
    CHECK(run.find(group) != std::string::npos);
  }
  CHECK(run.find("--mode timed|functional|timing") != std::string::npos);
  CHECK(run.find("(default timed)") != std::string::npos);
  CHECK(npusim("run --help").text == run);
  CHECK(npusim("run decode-layer -h").text == run);
  CHECK(npusim("config show --help").text == npusim("help config show").text);
  CHECK(npusim("help").text == npusim("--help").text);
  CHECK(npusim("").text == npusim("--help").text);
  for (const char c : npusim("--help-all").text) CHECK((c == '\n' || (c >= ' ' && c <= '~')));
  check_usage_error("help rnu", "no command is called 'rnu'");
  check_usage_error("run decode-layer --mode bogus", "--mode: 'bogus' is none of timed|functional|timing");
}

TEST_CASE("a flag, a command or a word that does not exist is refused with the nearest that does") {
  check_usage_error("run decode-layer --presett tiny", "run: no flag is called --presett; nearest is --preset");
  check_usage_error("run decode-layer --seeed=5", "no flag is called --seeed; nearest is --seed");
  check_usage_error("fit decode-layer --json", "fit: no flag is called --json");
  check_usage_error("config show --preset tiny", "config show: no flag is called --preset");
  check_usage_error("rnu decode-layer", "no command is called 'rnu'; nearest is 'run'");
  check_usage_error("run decode-layer tiny", "run: 'tiny' is one word too many");
}

TEST_CASE("a flag that is given twice is refused in words") {
  check_usage_error("run hc-post --layer-id 1 --layer-id 2", "--layer-id is given 2 times (1, 2); give it once");
  check_usage_error("run hc-post --set core.ub_kib=100 --set core.ub_kib=128",
                    "--set core.ub_kib: the figure is given twice");
  CHECK(npusim("config show --set core.ub_kib=100 --set core.l1_kib=256").status == 0);
}

TEST_CASE("flags that take many values leave the workload alone") {
  const TemporaryDirectory d;
  CHECK(npusim("run --set core.ub_kib=128 --start-skew-us 0,1 rmsnorm --preset tiny --out " + d.file("out")).status ==
        0);
}

TEST_CASE("the completion of bash offers commands, flags, choices and names") {
  const TemporaryDirectory d;
  REQUIRE(run_command(std::string{NPU_EXECUTABLE} + " completion bash >" + d.file("npusim.bash")).status == 0);
  const auto offered = [&](const std::string& words, int current) {
    return run_command("bash -c '. " + d.file("npusim.bash") + "; COMP_WORDS=(npusim " + words +
                       "); COMP_CWORD=" + std::to_string(current) + "; _npusim; echo \"${COMPREPLY[*]}\"'")
        .text;
  };
  CHECK(offered("f", 1) == "fit\n");
  CHECK(offered("run --mo", 2) == "--mode\n");
  CHECK(offered("run --mode ti", 3) == "timed timing\n");
  CHECK(offered("run attention-s", 2) == "attention-swa\n");
  CHECK(offered("run hc-post --preset dem", 4) == "demo\n");
  CHECK(offered("config sh", 2) == "show\n");
  CHECK(offered("config diff a2a3 910b4", 4).find("910b4") != std::string::npos);
  for (const char* shell : {"zsh", "fish"}) CHECK(npusim(std::string{"completion "} + shell).text.size() > 1000);
  check_usage_error("completion tcsh", "'tcsh' is none of bash|zsh|fish");
}

TEST_CASE("the manual page has every command and flag") {
  const std::string page = npusim("man").text;
  CHECK(page.rfind(".TH NPUSIM 1", 0) == 0);
  for (const char* text :
       {".SS npusim run", ".SS npusim config show", "\\-\\-preset", "\\-\\-max\\-us", "EXIT STATUS"}) {
    CAPTURE(text);
    CHECK(page.find(text) != std::string::npos);
  }
  std::istringstream lines{page};
  for (std::string line; std::getline(lines, line);) {
    static const std::regex kRequest{R"(\.(TH|SH|SS|TP|PP|B|I)( .*)?)"};
    if (line.rfind('.', 0) == 0) CHECK(std::regex_match(line, kRequest));
  }
}

TEST_CASE("a run that compares nothing says so and why") {
  const TemporaryDirectory d;
  const std::string out = " --out " + d.file("out");
  const auto last_line = [&](const std::string& arguments) {
    const Outcome outcome = npusim("run " + arguments + out);
    CHECK(outcome.status == 0);
    const std::size_t begin = outcome.text.rfind('\n', outcome.text.size() - 2);
    return outcome.text.substr(begin + 1);
  };
  CHECK(last_line("rmsnorm --preset tiny --mode timing").rfind("[RUN] SKIP nothing compared: --mode timing", 0) == 0);
  CHECK(last_line("rmsnorm --preset tiny --skip-golden").rfind("[RUN] SKIP nothing compared: --skip-golden", 0) == 0);
  CHECK(last_line(d.write("k.npu", kProgram) + " --args x=f32:16x64 --args y=f32:16x64 --args n=1")
            .rfind("[RUN] SKIP nothing compared: no expected outputs", 0) == 0);
  CHECK(last_line("rmsnorm --preset tiny --compile-only").rfind("[RUN] PASS compiled only", 0) == 0);
}

TEST_CASE("colours are for terminals alone") {
  for (const char* command : {"fit decode-layer --preset tiny", "run nope", "help"}) {
    CHECK(npusim(command).text.find('\x1b') == std::string::npos);
  }
  if (run_command("script --version 2>/dev/null").status != 0) {
    WARN("script (util-linux) is not installed: terminals are not checked");
    return;
  }
  const auto on_terminal = [](const std::string& environment) {
    return run_command("TERM=xterm " + environment + " script -qec '" + NPU_EXECUTABLE + " run nope' /dev/null").text;
  };
  CHECK(on_terminal("").find("[RUN] \x1b[31mFAIL\x1b[0m") != std::string::npos);
  CHECK(on_terminal("").find("\x1b[31mnpusim:\x1b[0m ") != std::string::npos);
  const TemporaryDirectory d;
  const std::string late =
      " run rmsnorm --preset tiny --mode timing --trace /dev/null --trace-window 900000000:900000001";
  const std::string warned = run_command("unset NO_COLOR; TERM=xterm script -qec '" NPU_EXECUTABLE + late + " --out " +
                                         d.file("out") + "' /dev/null")
                                 .text;
  CHECK(warned.find("\x1b[33mnpusim: warning:\x1b[0m --trace-window") != std::string::npos);
  CHECK(on_terminal("NO_COLOR=1").find('\x1b') == std::string::npos);
}

TEST_CASE("fit takes a program file and gives the budget of its tiles") {
  const TemporaryDirectory d;
  const std::string program = d.write("k.npu", kProgram);
  const Outcome fits = npusim("fit " + program);
  CAPTURE(fits.text);
  CHECK(fits.status == 0);
  CHECK(std::regex_search(fits.text, std::regex{"k +ub +4096 .* fit "}));
  std::string wide = kProgram;
  wide.replace(wide.find("16x64"), 5, "256x256");
  const Outcome over = npusim("fit " + d.write("wide.npu", wide));
  CHECK(over.status == 3);
  CHECK(over.text.find(" OVER ") != std::string::npos);
  check_usage_error("fit " + program + " --preset tiny", "--preset belongs to the workloads of a layer");
}

}  // namespace
}  // namespace npu::test
