// A user's program on the simulated machine: arguments, results, and the programs that hang or are illegal.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "sim_tests/support/temporary_directory.hpp"
#include "sim_tests/system/npusim_process.hpp"

namespace npu::test {
namespace {

namespace fs = std::filesystem;

/// y = x + 1 on 8 x 64 floats, every block the same.
const std::string kIncrement =
    ".kernel increment\n"
    ".arg x in f32\n"
    ".arg y out f32\n"
    ".vector\n"
    ".tile a ub f32 nd 8x64\n"
    ".gm gm_x f32 nd base=r1 pitch=256\n"
    ".gm gm_y f32 nd base=r2 pitch=256\n"
    "  ldarg r1, 0\n"
    "  ldarg r2, 1\n"
    "  tload a, gm_x\n"
    "  set_flag mte2, v, 0\n"
    "  wait_flag mte2, v, 0\n"
    "  tadds a, a, 1\n"
    "  set_flag v, mte3, 0\n"
    "  wait_flag v, mte3, 0\n"
    "  tstore gm_y, a\n"
    "  halt\n";
const std::string kTensors = " --args x=f32:8x64:iota --args y=f32:8x64";

/// A vector part of these lines, with a cell argument in r1.
std::string vector_program(const std::string& declarations, const std::string& code) {
  return ".kernel probe\n.arg cell inout i32\n.vector\n" + declarations + "  ldarg r1, 0\n" + code + "  halt\n";
}

struct Workspace {
  /// Runs the program; results and data go into the workspace.
  [[nodiscard]] std::string run(const std::string& program, const std::string& flags) const {
    return "run " + directory.write("probe.npu", program) + flags + " --out " + directory.file("out");
  }
  [[nodiscard]] nlohmann::json summary() const {
    std::ifstream file{directory.file("out/summary.json")};
    return nlohmann::json::parse(file);
  }
  TemporaryDirectory directory;
};

TEST_CASE("a program file runs with its arguments, prints its results and describes its kernel") {
  const Workspace w;
  const Outcome outcome = npusim(w.run(kIncrement, kTensors + " --blocks 3"));
  CAPTURE(outcome.text);
  CHECK(outcome.status == 0);
  CHECK(outcome.text.find("y f32[8, 64] on card 0: 1 2 3 4 5 6 7 8 ...") != std::string::npos);
  CHECK(outcome.text.rfind("\n[RUN] SKIP nothing compared") != std::string::npos);
  const auto summary = w.summary();
  CHECK(summary["verdict"] == "skipped");
  CHECK(summary["layer_id"].is_null());
  CHECK(summary["tasks"][0]["blocks"] == 3);
  const auto& kernel = summary["kernel"];
  CHECK(kernel["task_us"].get<double>() >= kernel["max_core_us"].get<double>());
  CHECK(kernel["max_core_us"].get<double>() >= kernel["core_us"].get<double>());
  CHECK(kernel["core_us"].get<double>() >= kernel["pipe_us"]["vec"].get<double>());
  CHECK(kernel["pipe_us"]["vec"].get<double>() > 0);
  CHECK(kernel["pipe_us"]["mte3"].get<double>() > 0);
  CHECK(kernel["pipe_us"]["cube"].get<double>() == 0);
}

TEST_CASE("a program runs on several cards, and its saved data can be given back and compared") {
  const Workspace w;
  const std::string saved = " --save-data " + w.directory.file("saved");
  CHECK(npusim(w.run(kIncrement, " --ep 2 --args x=f32:8x64:random --args y=f32:8x64" + saved)).status == 0);
  const std::string data = " --ep 2 --data " + w.directory.file("saved/actual.safetensors");
  const Outcome again = npusim(w.run(kIncrement, data));
  CAPTURE(again.text);
  CHECK(again.status == 0);
  CHECK(again.text.find("[RUN] PASS 1 outputs match") != std::string::npos);
  std::string wrong = kIncrement;
  wrong.replace(wrong.find("tadds a, a, 1"), 13, "tadds a, a, 2");
  check_refused(1, w.run(wrong, data), {"[RUN] FAIL y: 1024 of 1024 elements violate"});
  check_refused(2, w.run(kIncrement, " --ep 4 --data " + w.directory.file("saved/actual.safetensors")),
                {"'in.x' is [2, 8, 64]", "there are 4"});
}

TEST_CASE("the text and the object file of a program give the same bytes and the same time") {
  const Workspace w;
  CHECK(npusim(w.run(kIncrement, kTensors + " --save-data " + w.directory.file("text"))).status == 0);
  const auto of_text = w.summary();
  const std::string object = w.directory.file("probe.npuo");
  CHECK(npusim("asm " + w.directory.file("probe.npu") + " -o " + object).status == 0);
  CHECK(npusim("run " + object + kTensors + " --out " + w.directory.file("out") + " --save-data " +
               w.directory.file("object"))
            .status == 0);
  auto of_object = w.summary();
  CHECK(of_object["kernel"] == of_text["kernel"]);
  CHECK(of_object["pipes"] == of_text["pipes"]);
  CHECK(run_command("cmp " + w.directory.file("text/actual.safetensors") + " " +
                    w.directory.file("object/actual.safetensors"))
            .status == 0);
}

TEST_CASE("a kernel that is saved and run again is the same run") {
  const Workspace w;
  std::string text = kIncrement;
  text.replace(text.find("increment"), 9, "increment blocks=3");
  text.replace(text.find("in f32"), 6, "in f32 rows=8 cols=64");
  text.replace(text.find("out f32"), 7, "out f32 rows=8 cols=64");
  REQUIRE(npusim(w.run(text, " --seed 5 --save-data " + w.directory.file("text"))).status == 0);
  const auto of_text = w.summary();
  CHECK(of_text["tasks"][0]["blocks"] == 3);
  const std::string program = w.directory.file("probe.npu"), saved = w.directory.file("saved");
  REQUIRE(npusim("run " + program + " --compile-only --out " + saved).status == 0);
  const std::string run_saved = "run " + saved + "/kernels/increment.npuo --out " + w.directory.file("out");
  REQUIRE(npusim(run_saved + " --seed 5 --save-data " + w.directory.file("object")).status == 0);
  CHECK(w.summary()["tasks"] == of_text["tasks"]);
  CHECK(w.summary()["kernel"] == of_text["kernel"]);
  CHECK(run_command("cmp " + w.directory.file("text/actual.safetensors") + " " +
                    w.directory.file("object/actual.safetensors"))
            .status == 0);
  REQUIRE(npusim(run_saved + " --blocks 2").status == 0);
  CHECK(w.summary()["tasks"][0]["blocks"] == 2);
  check_refused(2, run_saved + " --args x=f32:4x64",
                {"argument x is given as [4, 64]", "the kernel is made for 8 rows of 64"});
}

TEST_CASE("a kernel of a layer runs by itself with the blocks, shapes and workspace that it has there") {
  const Workspace w;
  const std::string layer = "qkv --preset tiny --layer-id 10";
  REQUIRE(npusim("run " + layer + " --compile-only --out " + w.directory.file("out")).status == 0);
  const auto in_layer = summary_of(layer + " --mode timing");
  const std::string object = w.directory.file("out/kernels/q_b_matmul.npuo");
  const Outcome listing = npusim("disasm " + object);
  CHECK(listing.text.find(".arg workspace workspace i32 rows=") != std::string::npos);
  const auto alone = summary_of(object + " --mode timing");
  for (const auto& task : in_layer["tasks"]) {
    if (task["name"] == "q_b_matmul") CHECK(task["blocks"] == alone["tasks"][0]["blocks"]);
  }
  check_refused(2, "run " + object + " --args workspace=i32:8x8", {"has no argument 'workspace'"});
}

TEST_CASE("arguments that do not match the program are usage errors") {
  const Workspace w;
  const auto refused = [&](const std::string& flags, const std::string& message) {
    check_refused(2, w.run(kIncrement, flags), {message, "[RUN] FAIL usage or configuration"});
  };
  refused("", "argument x has no value; give --args x=f32:ROWSxCOLS[:INIT]");
  refused(kTensors + " --args z=1", "has no argument 'z'; nearest is 'x'");
  refused(kTensors + " --args x=f32:8x64", "x is given twice");
  refused(" --args x=f16:8x64 --args y=f32:8x64", "x is given as f16; the kernel declares f32");
  refused(" --args x=f3:8x64 --args y=f32:8x64", "unknown dtype 'f3', nearest is 'f32'");
  refused(" --args x=f32:8x0 --args y=f32:8x64", "extent '0' is no positive integer");
  refused(" --args x=f32:8x64:ones --args y=f32:8x64", "expected zero, iota, random or a number");
  refused(" --args x=5 --args y=f32:8x64", "x is a tensor; give it as");
  refused(kTensors + " --preset tiny", "--preset belongs to the workloads of a layer");
  check_refused(2, "run hc-post --args x=5", {"--args belongs to program files"});
  check_refused(2, "run " + w.directory.file("absent.npu"), {"absent.npu"});
}

TEST_CASE("a tensor larger than the memory of a card is refused before it is made") {
  const TemporaryDirectory d;
  const std::string program = d.write("k.npu", ".kernel k\n.arg x in f32\n.arg y inout f32\n.vector\n  halt\n");
  check_usage_error("run " + program + " --args x=f32:1x8 --args y=f32:1000000x1000000",
                    "--args y: f32 of [1000000, 1000000] needs 4000000000000 bytes, but a card has");
  check_usage_error("run " + program + " --args x=f32:1x8 --args y=f32:1000000x1000000", "memory.hbm_capacity_gib");
}

TEST_CASE("a program that writes to an input is refused, by the text where it can be told, else when it happens") {
  const Workspace w;
  std::string wrong = kIncrement;
  wrong.replace(wrong.find("tstore gm_y"), 11, "tstore gm_x");
  check_refused(3, w.run(wrong, kTensors), {"probe.npu:16:3: type: writes to argument x", "declare the argument out"});
  // The address takes a detour, so that only the run can tell.
  std::string hidden = kIncrement;
  hidden.replace(hidden.find("  tstore gm_y"), 13, "  mov r2, r1\n  tstore gm_y");
  check_refused(3, w.run(hidden, kTensors), {"increment", "writes to 'x'", "make it out or inout"});
  hidden.replace(hidden.find("x in"), 4, "x inout");
  CHECK(npusim(w.run(hidden, kTensors)).status == 0);
}

TEST_CASE("a program's data file gives the shapes, and holds nothing that the program does not take") {
  const Workspace w;
  REQUIRE(npusim(w.run(kIncrement, kTensors + " --save-data " + w.directory.file("saved"))).status == 0);
  const std::string data = " --data " + w.directory.file("saved/actual.safetensors");
  const Outcome outcome = npusim(w.run(kIncrement, data));
  CAPTURE(outcome.text);
  CHECK(outcome.status == 0);
  CHECK(w.summary()["preset"] == "");
  CHECK(npusim(w.run(kIncrement, data + " --args x=f32:8x64")).status == 0);
  check_refused(2, w.run(kIncrement, data + " --args x=f32:4x64"), {"--args x is [4, 64]", "in.x of [8, 64]"});
  std::string other = kIncrement;
  other.replace(other.find(".arg x in"), 9, ".arg u in");
  check_refused(2, w.run(other, data), {"tensor 'in.x'", "nearest is 'in.u'"});
}

TEST_CASE("a path that is no UTF-8 leaves a valid summary") {
  const Workspace w;
  const std::string program = w.directory.write("a\xff.npu", kIncrement);
  CHECK(npusim("run " + program + kTensors + " --out " + w.directory.file("out")).status == 0);
  CHECK(w.summary()["verdict"] == "skipped");
}

TEST_CASE("control characters in a message are escaped") {
  const Outcome outcome = npusim("run \"$(printf 'hc\\033[31m')\"");
  CHECK(outcome.status == 2);
  CHECK(outcome.text.find('\x1b') == std::string::npos);
  CHECK(outcome.text.find("hc\\x1b[31m") != std::string::npos);
}

TEST_CASE("a program for another platform is refused") {
  const Workspace w;
  const std::string object = w.directory.file("probe.npuo");
  CHECK(npusim("asm " + w.directory.write("probe.npu", kIncrement) + " -o " + object).status == 0);
  const Outcome machine = npusim("run " + object + kTensors + " --out " + w.directory.file("out"));
  REQUIRE(machine.status == 0);
  std::ifstream file{w.directory.file("out/machine.toml")};
  std::string toml{std::istreambuf_iterator<char>{file}, {}};
  toml.replace(toml.find("'a2a3'"), 6, "'mine'");
  check_refused(2, "run " + object + " --platform " + w.directory.write("mine.toml", toml) + kTensors,
                {"assembled for a2a3, but the platform is mine"});
}

TEST_CASE("a program that waits for a notify nobody sends hangs with the table of waits") {
  const Workspace w;
  const std::string program = vector_program("", "  li r2, 1\n  twait.ge r1, r2\n");
  check_refused(4, w.run(program, " --args cell=i32:1x8"),
                {"deadlock at cycle", "task 0 'probe' is running", "card0.cluster0.aiv0.s", "block 0: twait for cell",
                 "of cell (value 0, wants ge 1) (kernel probe, instruction 2 (", "probe.npu:6) `twait.ge r1, r2`",
                 "[RUN] FAIL hang"});
}

TEST_CASE("a flag that is waited for and never set is refused where that is static, else a hang that names it") {
  const Workspace w;
  check_refused(3, w.run(vector_program("", "  wait_flag mte2, v, 5\n"), " --args cell=i32:1x8"),
                {"probe.npu:5:3: target: flag (mte2, v, 5) waited but never set", "limit: every wait has its set",
                 "way out: add the set_flag", "[RUN] FAIL illegal program"});
  // The path that sets the flag is never taken.
  const std::string skipped =
      "  brcmp.ne r0, r0, set\n  br wait\nset:\n  set_flag mte2, v, 5\nwait:\n  wait_flag mte2, v, 5\n";
  check_refused(4, w.run(vector_program("", skipped), " --args cell=i32:1x8"),
                {"deadlock at cycle", "waits for flag 5 from mte2 (kernel probe, instruction 4 (", "[RUN] FAIL hang"});
}

TEST_CASE("a tile that does not fit and a misaligned offset name program, limit and way out") {
  const Workspace w;
  const auto refused = [&](const std::string& tile, const std::vector<std::string>& messages) {
    check_refused(3, w.run(vector_program(tile, ""), " --args cell=i32:1x8"), messages);
  };
  refused(".tile big ub f32 nd 64x1024\n", {"probe.npu:4:1: target", "262144 bytes at offset 0 leave ub",
                                            "limit: 188416 allocatable bytes on a2a3", "way out: use smaller tiles"});
  refused(".tile odd ub f32 nd 8x64 offset=16\n",
          {"probe.npu:4:1: layout", "base offset 16 in ub", "limit: multiples of 32 bytes", "way out: align"});
}

TEST_CASE("a misaligned offset from a register is refused at the instruction that uses it") {
  const Workspace w;
  const std::string program =
      vector_program(".tile odd ub f32 nd 8x64 offset_reg=r2\n", "  li r2, 16\n  texpands odd, 0\n");
  check_refused(3, w.run(program, " --args cell=i32:1x8"),
                {"kernel probe on card0.cluster0.aiv0, block 0, instruction 2 (", "`texpands odd, 0",
                 "base offset 16 in ub", "multiples of 32 bytes", "align"});
}

TEST_CASE("the same program from an object file is verified before it runs") {
  const Workspace w;
  const std::string object = w.directory.file("probe.npuo");
  REQUIRE(npusim("asm " + w.directory.write("probe.npu", kIncrement) + " -o " + object).status == 0);
  check_refused(3, "run " + object + kTensors + " --set core.ub_kib=9",
                {"kernel increment is not legal on a2a3", "leave ub", "limit: 1024 allocatable bytes"});
}

}  // namespace
}  // namespace npu::test
