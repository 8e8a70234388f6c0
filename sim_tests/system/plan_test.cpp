// --tile: numbers of kernels' plans, chosen on the command line.
#include <catch2/catch.hpp>
#include <string>

#include "sim_tests/system/npusim_process.hpp"

namespace npu::test {
namespace {

const std::string kLayer = "decode-layer --preset tiny --layer-id 10";

TEST_CASE("a layer with plans chosen by hand gives the golden result, and says what was chosen") {
  const auto summary = summary_of(
      kLayer +
      " --tile q_b_matmul.base_n=16 --tile q_b_matmul.rows=5 --tile kv_matmul.l1_slots=1 --tile kv_matmul.acc_slots=1"
      " --tile routed_gate_up.half=16 --tile routed_down.rows=3 --tile hc_post.chunk=64 --tile rms_norm.step=1"
      " --tile sparse_attention.slots=1 --tile sparse_attention.blocks=3 --tile combine_reduce.tokens=1"
      " --tile dispatch.send_tokens=1");
  CHECK(summary["verdict"] == "pass");
  CHECK(summary["tiles"].size() == 12);
  CHECK(summary["tiles"][0] == "combine_reduce.tokens=1");
  const auto plain = summary_of(kLayer + " --mode timing");
  CHECK_FALSE(plain.contains("tiles"));
  CHECK(plain["config_digest"] != summary["config_digest"]);
}

TEST_CASE("fit lists the numbers that can be chosen, as they are chosen") {
  const Outcome fit = npusim("fit " + kLayer + " --tile q_b_matmul.base_n=16");
  CAPTURE(fit.text);
  CHECK(fit.status == 0);
  const std::size_t row = fit.text.find("\nq_b_matmul           base_n             16  16 to ");
  REQUIRE(row != std::string::npos);
  CHECK(fit.text.substr(row, fit.text.find('\n', row + 1) - row).find("columns, multiples of 16") != std::string::npos);
}

TEST_CASE("a step takes what is chosen for the kernels of all its layers") {
  const Outcome fit = npusim("fit decode-step --preset tiny --layers 0-3 --tile kv_matmul.l0_slots=1");
  CHECK(fit.status == 0);
  for (const char* variant : {"swa-hash", "csa-hash", "hca"}) {
    CAPTURE(variant, fit.text);
    const std::size_t row = fit.text.find(std::string{"\n"} + variant + ".kv_matmul", fit.text.find("\nplan "));
    REQUIRE(row != std::string::npos);
    const std::size_t field = fit.text.find("l0_slots", row);
    CHECK(fit.text.compare(field, 22, "l0_slots            1 ") == 0);
  }
}

TEST_CASE("a field of the only kernel needs no name of a kernel") {
  CHECK(npusim("fit rmsnorm --preset tiny --tile step=1").status == 0);
  check_usage_error("fit rmsnorm --preset tiny --tile steps=1", "nearest is step");
  check_usage_error("fit " + kLayer + " --tile step=1", "kernels run; say whose field it is");
}

TEST_CASE("choices that are none are refused with what would be one") {
  const auto refused = [](const std::string& tile, const std::string& message) {
    check_usage_error("run " + kLayer + " --tile " + tile, message);
  };
  refused("q_b_matmul.base_n=17", "--tile q_b_matmul.base_n=17: choose 16 to ");
  refused("q_b_matmul.base_x=16", "the plan of q_b_matmul has no such field; nearest is base_");
  refused("q_b_matmull.base_n=16", "no kernel of this run is called so; nearest is q_b_matmul");
  refused("q_latent.rows=4", "kernel q_latent has no numbers to choose");
  refused("q_b_matmul.base_n", "no value; expected KERNEL.FIELD=VALUE");
  refused("q_b_matmul.base_n=0", "no whole number from 1");
  refused("q_b_matmul.base_n=16 --tile q_b_matmul.base_n=32", "the field is given twice");
  check_usage_error("run k.npu --tile k.rows=1", "--tile belongs to the workloads of a layer");
}

TEST_CASE("a chosen plan that does not fit the card says what its tiles need") {
  check_refused(3, "run decode-layer --preset flash --compile-only --tile q_b_matmul.rows=128",
                {"kernel q_b_matmul: its tiles need"});
}

}  // namespace
}  // namespace npu::test
