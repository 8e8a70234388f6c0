// Calibration kernels and `validate` from the command line.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "sim_tests/support/temporary_directory.hpp"
#include "sim_tests/system/npusim_process.hpp"

namespace npu::test {
namespace {

using nlohmann::json;

TEST_CASE("every calibration kernel computes what is expected without a flag, and times itself") {
  const auto list = json::parse(npusim("list --json").text);
  for (const std::string workload : {"gemm", "quant-gemm", "flash-attention", "copy", "vector-add", "bank-conflict",
                                     "topk", "tget", "gemm-allreduce"}) {
    const json summary = summary_of(workload);
    CAPTURE(workload);
    CHECK(summary["verdict"] == "pass");
    CHECK(summary["kernel"]["task_us"].get<double>() > 0);
    CHECK(std::any_of(list["workloads"].begin(), list["workloads"].end(),
                      [&](const json& entry) { return entry["name"] == workload; }));
  }
}

TEST_CASE("calibration kernels of odd sizes and unusual plans compute what is expected") {
  for (const std::string arguments : {
           "quant-gemm --m 100 --n 77 --k 96 --groups 2 --aiv 1 --workspace 3 --out-dtype f32 --base 32x32x32",
           "bank-conflict --placement in-place --count 7 --dtype f16",
           "bank-conflict --placement read-write --repeats 64",
           "bank-conflict --placement same-bank",
           "bank-conflict --placement read-read",
           "topk --rows 13 --cols 100 --valid 77 --k 20 --cores 3",
           "topk --rows 1 --cols 2100 --valid 2050 --k 2050",
           "tget --bytes 5000 --ep 4",
           "gemm-allreduce --m 100 --n 120 --k 64 --base 32x32x32 --cores 5 --ep 2",
           "gemm-allreduce --m 40 --n 50 --k 64 --base 16x16x32 --grid 1x3 --ep 4 --comm-rows 7 --out-dtype f32",
           "flash-attention --s0 96 --s1 80 --head-dim 64 --heads 3 --cores 2",
           "flash-attention --s0 256 --s1 1024 --heads 2",
           "flash-attention --s0 64 --s1 64 --preload 0 --fifo 1",
           "copy --path gm-l1 --rows 200 --cols 300 --tile 16x64 --cores 7 --row-stride 310 --slices 2 --passes 3",
           "copy --order rotated --cores 7 --tile 32x32 --dtype f32",
           "vector-add --rows 13 --cols 77 --chunk 64 --cores 5 --banks conflict --buffers 1 --dtype i32",
           "gemm --m 33 --n 65 --k 129 --dtype i8",
           "gemm --m 100 --n 80 --k 160 --base 16x16x16 --block-order swizzle --cores 5 --groups 3 --dtype bf16",
       }) {
    CAPTURE(arguments);
    CHECK(summary_of(arguments)["verdict"] == "pass");
  }
}

TEST_CASE("sources in one bank group take the vector pipe about twice as long") {
  const auto busy = [](const std::string& placement) {
    const json summary = summary_of("bank-conflict --repeats 64 --count 100 --mode timing --placement " + placement);
    return summary["kernel"]["pipe_us"]["vec"].get<double>();
  };
  CHECK(busy("read-read") > 1.5 * busy("free"));
}

TEST_CASE("a timing run takes the time of a timed one and touches no tensor") {
  const json timed = summary_of("gemm --m 100 --n 300 --k 200");
  const json timing = summary_of("gemm --m 100 --n 300 --k 200 --mode timing");
  CHECK(timing["kernel"] == timed["kernel"]);
  const json large = summary_of("gemm --m 128 --n 8192 --k 8192 --mode timing");
  CHECK(large["simulator"]["peak_rss_mib"].get<double>() < 100);
}

TEST_CASE("flags of other workloads, and values that are none, are refused with what would do") {
  check_usage_error("run gemm --rows 5", "--rows belongs to copy and vector-add and topk; gemm takes --groups, --m");
  check_usage_error("run gemm --tile rows=5", "gemm has no flag --rows; nearest is --groups");
  check_usage_error("run gemm --tile 16x16", "gemm has no field called tile; expected FIELD=VALUE");
  check_usage_error("run nd2nz --nz-stride 145", "workload 'nd2nz' is not built yet");
  check_usage_error("run gemm --bases 16x16x16", "no flag is called --bases; nearest is --base");
  check_usage_error("run gemm --base 3", "gemm: --base: '3' is no MxNxK of whole numbers");
  check_usage_error("run gemm --m 0", "gemm: --m: '0' is no whole number from 1 to");
  check_usage_error("run gemm --m 3 --m 4", "--m is given 2 times (3, 4); give it once");
  check_usage_error("run gemm --tile m=3 --m 4", "gemm: --m is given twice");
  check_usage_error("run gemm --dtype f8", "'f8' is none of f16|bf16|i8");
  check_usage_error("run gemm --preset tiny", "--preset belongs to the workloads of a layer");
  check_usage_error("run decode-layer --base 16x16x16", "--base belongs to gemm");
  check_usage_error("run gemm --unit-flag", "not modelled: --unit-flag");
}

TEST_CASE("the help of a calibration kernel shows the fields of its plan") {
  for (const std::string command : {"help run gemm", "run gemm --help"}) {
    const Outcome outcome = npusim(command);
    CHECK(outcome.status == 0);
    CHECK(outcome.text.find("--base MxNxK") != std::string::npos);
    CHECK(outcome.text.find("--block-order row|swizzle") != std::string::npos);
  }
}

TEST_CASE("fit says what the plan of a calibration kernel takes") {
  const Outcome fits = npusim("fit gemm --base 128x256x64");
  CHECK(fits.status == 0);
  CHECK(fits.text.find("l0b") != std::string::npos);
  const Outcome over = npusim("fit gemm --base 256x256x64");
  CHECK(over.status == 3);
  CHECK(over.text.find("OVER") != std::string::npos);
}

const std::string kHeader = "id,use,platform,workload,args,metric,measured,unit,tolerance,source,note\n";

TEST_CASE("validate prints a row for each anchor, runs equal runs once, and its status says whether all are met") {
  const TemporaryDirectory directory;
  const std::string met =
      directory.write("met.csv", kHeader +
                                     "X1:task,micro,a2a3,copy,--rows 96,kernel.task_us,5,us,100,test,\n"
                                     "X1:hit,micro,a2a3,copy,--rows 96,kernel.pipe_us.mte2,1,us,100,test,\n"
                                     "X2,micro,a2a3,copy,--no-such-flag,kernel.task_us,1,us,1,test,\n"
                                     "X3,micro,a2a3,no-such-workload,,kernel.task_us,1,us,1,test,\n"
                                     "X4,micro,a2a3,copy,,kernel.no_such_key,1,us,1,test,\n"
                                     "X5,micro,a2a3,copy,,kernel.task_us,none,us,1,test,\n");
  const Outcome outcome = run_command(std::string{NPU_EXECUTABLE} + " validate " + met + " --json");
  CHECK(outcome.status == 0);
  const json validation = json::parse(outcome.text);
  const auto status = [&](std::size_t row) { return validation["rows"][row]["status"].get<std::string>(); };
  CHECK(status(0) == "ok");
  CHECK(validation["rows"][1]["simulated"].get<double>() > 0);
  CHECK(status(2).find("no flag is called --no-such-flag") != std::string::npos);
  CHECK(status(3).find("unknown workload 'no-such-workload'") != std::string::npos);
  CHECK(status(4).find("summary.json has no no_such_key") != std::string::npos);
  CHECK(status(5) == "not run: line 7: measured 'none' is no positive number");
  CHECK(validation["totals"]["micro"]["count"] == 2);
  CHECK(validation["totals"]["micro"]["not_run"] == 4);
  const std::string missed =
      directory.write("missed.csv", kHeader + "X1,micro,a2a3,copy,--rows 96,kernel.task_us,5e5,us,0.1,test,\n");
  const Outcome beyond = npusim("validate --anchors " + missed);
  CHECK(beyond.status == 1);
  CHECK(beyond.text.find("beyond tolerance") != std::string::npos);
}

TEST_CASE("validate leaves a page with every row and a plot beside it") {
  const TemporaryDirectory directory;
  const std::string anchors =
      directory.write("a.csv", kHeader +
                                   "X1:a,micro,a2a3,copy,--rows 96,kernel.task_us,5,us,100,\"a | b\",\n"
                                   "X1:b,micro,a2a3,copy,--rows 192,kernel.task_us,6,us,100,test,\n"
                                   "X2,micro,a2a3,nowhere,,kernel.task_us,1,us,1,test,\n");
  CHECK(npusim("validate " + anchors + " --report " + directory.file("fidelity.md")).status == 0);
  const std::string page = file_text(directory.file("fidelity.md")), plot = file_text(directory.file("fidelity.svg"));
  for (const std::string part :
       {"(fidelity.svg)", "| X1:b / X1:a |", "a \\| b", "unknown workload 'nowhere'", "memory.hbm_read_gb_per_s"}) {
    CAPTURE(part);
    CHECK(page.find(part) != std::string::npos);
  }
  CHECK(plot.find("<svg") == 0);
  CHECK(plot.find("X1:a kernel.task_us") != std::string::npos);
  check_usage_error("validate " + anchors + " --report " + anchors, "would overwrite");
}

TEST_CASE("validate refuses files without anchors and filters that leave none") {
  const TemporaryDirectory directory;
  check_usage_error("validate " + directory.file("missing.csv"), "missing.csv");
  check_usage_error("validate " + directory.write("no.csv", "a,b\n1,2\n"), "the header has no column 'id'");
  check_usage_error("validate --only Z99", "--only Z99: no anchor of that name");
  check_usage_error("validate --group Q", "leave no anchor");
}

TEST_CASE("validate without a file runs the anchors of npusim") {
  const Outcome outcome = npusim("validate --only D03");
  CHECK(outcome.text.find("D03:mte2") != std::string::npos);
  CHECK(outcome.text.find("not run:") == std::string::npos);
}

}  // namespace
}  // namespace npu::test
