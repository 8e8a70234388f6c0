// fit and run give one answer for every capacity.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "sim_tests/support/temporary_directory.hpp"
#include "sim_tests/system/npusim_process.hpp"

namespace npu::test {
namespace {

/// Asks both; returns whether the workload fits.
bool both_accept(const TemporaryDirectory& d, const std::string& question) {
  const Outcome fit = npusim("fit " + question);
  const Outcome run = npusim("run " + question + " --mode timing --skip-golden --out " + d.file("out"));
  CAPTURE(question, fit.text, run.text);
  CHECK((fit.status == 0 || fit.status == 3));
  CHECK(run.status == fit.status);
  CHECK((fit.text.find(" OVER ") != std::string::npos) == (fit.status == 3));
  if (run.status == 3) CHECK(run.text.find(": its tiles need ") != std::string::npos);
  return fit.status == 0;
}

TEST_CASE("fit and run agree over the capacities of each space") {
  const TemporaryDirectory d;
  for (const char* key : {"l1_kib", "l0a_kib", "l0b_kib", "l0c_kib", "ub_kib"}) {
    bool fitted = false;
    for (const char* kib : {"9", "32", "80", "65536"}) {
      const std::string question =
          "decode-layer --preset tiny --layer-id 10 --set core." + std::string{key} + "=" + kib;
      const bool fits = both_accept(d, question);
      CAPTURE(question);
      CHECK((fits || !fitted));
      fitted = fits;
    }
    CHECK(fitted);
  }
}

TEST_CASE("a layer whose plans are cut in every space gives the golden result") {
  const TemporaryDirectory d;
  for (const char* card : {"--set core.ub_kib=32", "--set core.l1_kib=96",
                           "--set core.l0a_kib=8 --set core.l0b_kib=8 --set core.l0c_kib=8"}) {
    const Outcome run =
        npusim("run decode-layer --preset tiny --layer-id 10 --out " + d.file("out") + " " + std::string{card});
    CAPTURE(card, run.text);
    CHECK(run.status == 0);
    CHECK(run.text.find("[RUN] PASS") != std::string::npos);
  }
}

TEST_CASE("fit and run agree over the number of clusters") {
  const TemporaryDirectory d;
  for (const char* clusters : {"1", "3", "64"})
    CHECK(both_accept(d, "decode-layer --preset tiny --layer-id 3 --set chip.aic=" + std::string{clusters}));
}

TEST_CASE("a full-size layer runs on every L1 that fit accepts, up to the last row of its key tiles") {
  const TemporaryDirectory d;
  CHECK(both_accept(d, "decode-layer --preset flash --layer-id 0 --set core.l1_kib=336"));
  CHECK(both_accept(d, "decode-layer --preset flash --layer-id 10 --set core.l1_kib=448"));
  CHECK_FALSE(both_accept(d, "decode-layer --preset flash --layer-id 10 --set core.l1_kib=64"));
}

TEST_CASE("a larger L0A leaves a full-size layer legal") {
  const TemporaryDirectory d;
  CHECK(both_accept(d, "decode-layer --preset flash --layer-id 10 --set core.l0a_kib=128"));
}

TEST_CASE("figures of the cube and its flags at the ends of their ranges run or are refused with kernel and figure") {
  const TemporaryDirectory d;
  const std::string layer =
      "decode-layer --preset tiny --layer-id 10 --mode timing --skip-golden --out " + d.file("out");
  for (const char* figure : {"core.fractal_rows=32", "core.fractal_bytes=8", "core.l0b_align_bytes=1024",
                             "core.cache_line_bytes=8", "core.cache_line_bytes=512", "core.ub_align_bytes=1"}) {
    const Outcome run = npusim("run " + layer + " --set " + figure);
    CAPTURE(figure, run.text);
    CHECK(run.status == 0);
  }
  check_refused(3, "run " + layer + " --set core.flags_per_pair=1", {"kernel ", "core.flags_per_pair = 1 leaves"});
  check_refused(3, "run " + layer + " --set core.cross_flag_limit=1", {"kernel ", "core.cross_flag_limit = 1"});
}

TEST_CASE("fit lists a kernel that cannot be built with the reason and goes on with the others") {
  const std::string layer = "fit decode-layer --preset tiny --layer-id 10 ";
  const Outcome whole = npusim(layer);
  REQUIRE(whole.text.find("\n\n") != std::string::npos);
  const auto rows = [](const std::string& text) {  // of budgets; plans follow behind an empty line
    return std::count(text.begin(),
                      text.begin() + static_cast<std::ptrdiff_t>(std::min(text.find("\n\n"), text.size())), '\n');
  };
  for (const std::string figure : {"core.cross_flag_limit", "core.flags_per_pair"}) {
    const Outcome fit = npusim(layer + "--set " + figure + "=1");
    CAPTURE(figure, fit.text);
    CHECK(fit.status == 3);
    CHECK(fit.text.find(" REFUSED kernel ") != std::string::npos);
    CHECK(fit.text.find(figure + " = 1") != std::string::npos);
    CHECK(fit.text.find("\nhc_pre ") != std::string::npos);
    CHECK(fit.text.find("\nsparse_attention") != std::string::npos);
    CHECK(rows(fit.text) > rows(whole.text) / 4);
    if (figure == "core.cross_flag_limit") CHECK(fit.text.find(" fit ") != std::string::npos);
  }
}

TEST_CASE("a preset with a softmax block that no product takes is refused by fit and run") {
  const TemporaryDirectory d;
  const std::string preset = d.write("p.toml", "base = \"tiny\"\nsoftmax_block = 16777216\n");
  for (const char* command : {"fit", "run"})
    check_refused(2, std::string{command} + " decode-layer --preset " + preset, {"softmax_block = 16777216", "4095"});
}

}  // namespace
}  // namespace npu::test
