// Generated inputs have the form and the distribution of the reference's; what is not random has its bits.
#include "orchestration/data/generator.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "isa/errors.hpp"
#include "orchestration/data/compare.hpp"
#include "orchestration/data/positions.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/data/rope_tables.hpp"

namespace npu::orch {
namespace {

using Catch::Matchers::Contains;

LayerCase golden(std::string_view name) { return load_case(fmt::format("{}/{}.safetensors", NPU_GOLDENS_DIR, name)); }

kernels::LayerConfig tiny(std::uint32_t layer) {
  auto c = preset("tiny");
  c.layer_id = layer;
  return c;
}

std::vector<float> values_of(const Tensor& t) {
  std::vector<float> v;
  v.reserve(t.elements());
  if (t.dtype() == isa::DType::BF16) {
    for (const isa::Bf16 x : t.as<isa::Bf16>()) v.push_back(isa::to_float(x));
  } else if (t.dtype() == isa::DType::I8) {
    for (const std::int8_t x : t.as<std::int8_t>()) v.push_back(x);
  } else {
    const auto f = t.as<float>();
    v.assign(f.begin(), f.end());
  }
  return v;
}

struct Moments {
  double mean = 0.0, deviation = 0.0, kurtosis = 0.0;
};
Moments moments(const std::vector<float>& v) {
  Moments m;
  for (const float x : v) m.mean += static_cast<double>(x) / static_cast<double>(v.size());
  double fourth = 0.0;
  for (const float x : v) {
    const double d = (static_cast<double>(x) - m.mean) * (static_cast<double>(x) - m.mean);
    m.deviation += d;
    fourth += d * d;
  }
  const auto n = static_cast<double>(v.size());
  m.kurtosis = m.deviation == 0.0 ? 0.0 : (fourth / n) / ((m.deviation / n) * (m.deviation / n));
  m.deviation = std::sqrt(m.deviation / n);
  return m;
}

bool is_random(Init init) {
  return init == Init::Normal || init == Init::UnitRmsRows || init == Init::QuantRows || init == Init::QuantColumns ||
         init == Init::QuantColumnsAway || init == Init::QuantScale || init == Init::CompressorHistory;
}

TEST_CASE("inputs that are not random equal the reference's bits") {
  for (const std::uint32_t layer : {0U, 3U, 10U}) {
    const LayerCase reference = golden(fmt::format("tiny-L{}", layer));
    const LayerCase made = generate_case(tiny(layer));
    REQUIRE(made.inputs.size() == reference.inputs.size());
    for (const auto& [name, ranks] : reference.inputs) {
      INFO("layer " << layer << ", " << name);
      if (is_random(tensor_spec(name).init)) continue;
      // swa does not read the lengths, and the reference fills them from hca's positions there.
      if (layer == 0 && name == "kv_seq_lens") continue;
      const Comparison c = compare_ranks(Exact{}, ranks, made.inputs.at(name));
      CHECK(c.pass);
      CHECK(c.checked > 0);
    }
  }
}

TEST_CASE("a request's length ends with its last position") {
  for (const std::uint32_t layer : {0U, 3U, 10U}) {
    const LayerCase made = generate_case(tiny(layer));
    const auto lengths = made.input("kv_seq_lens", 0).as<std::int32_t>();
    const auto positions = made.input("position_ids", 0).as<std::int32_t>();
    for (std::size_t b = 0; b < lengths.size(); ++b) CHECK(lengths[b] == positions[2 * b + 1] + 1);
  }
}

TEST_CASE("the rope tables equal the reference's at the small preset too") {
  const LayerCase reference = golden("small-stress-L0");
  const RopeTables tables = rope_tables(reference.config, 0);
  CHECK(compare(Exact{}, reference.input("freqs_cos", 0), tables.cos).pass);
  CHECK(compare(Exact{}, reference.input("freqs_sin", 0), tables.sin).pass);
}

TEST_CASE("random inputs have the reference's mean, deviation and tails") {
  for (const std::uint32_t layer : {0U, 3U, 10U}) {
    const LayerCase reference = golden(fmt::format("tiny-L{}", layer));
    const LayerCase made = generate_case(tiny(layer), {.seed = 5, .start_pos = {}, .wanted = {}, .threads = 0});
    for (const auto& [name, ranks] : reference.inputs) {
      const Init init = tensor_spec(name).init;
      if (!is_random(init) || init == Init::CompressorHistory) continue;
      INFO("layer " << layer << ", " << name);
      const bool paged = name == "cmp_kv" || name == "idx_kv_cache";
      const std::uint64_t rows = paged ? 1 : ranks[0].shape()[0];  // of paged caches the first page is filled
      const Moments r = moments(values_of(ranks[0].slice(0, rows)));
      const Moments m = moments(values_of(made.input(name, 0).slice(0, rows)));
      const double n = static_cast<double>(ranks[0].slice(0, rows).elements());
      const double spread = r.deviation * 6.0 / std::sqrt(n);
      CHECK(std::abs(m.mean - r.mean) < 1.5 * spread);
      CHECK(std::abs(m.deviation - r.deviation) < spread);
      if (init != Init::QuantScale) CHECK(std::abs(m.kurtosis - r.kurtosis) < 30.0 / std::sqrt(n));
    }
  }
}

TEST_CASE("quantised rows reach 127 and their scale undoes them to the fan-in's deviation") {
  const LayerCase made = generate_case(tiny(0));
  const Tensor& w = made.input("routed_w1", 1);  // [4, 64, 256]
  const auto q = w.as<std::int8_t>();
  const auto s = made.input("routed_w1_scale", 1).as<float>();
  double squares = 0.0;
  for (std::size_t row = 0; row < s.size(); ++row) {
    int largest = 0;
    for (std::size_t i = 0; i < 256; ++i) {
      largest = std::max(largest, std::abs(static_cast<int>(q[row * 256 + i])));
      squares += std::pow(static_cast<double>(static_cast<float>(q[row * 256 + i]) * s[row]), 2);
    }
    REQUIRE(largest == 127);
  }
  CHECK(std::sqrt(squares / static_cast<double>(q.size())) == Approx(1.0 / 16).epsilon(0.02));
}

TEST_CASE("compressor histories fill the positions before the start and only those") {
  const LayerCase reference = golden("tiny-L10");
  const LayerCase made = generate_case(tiny(10));
  for (const std::string_view name : {"csa_compress_state", "csa_inner_compress_state"}) {
    const auto r = reference.input(name, 0).as<float>();
    const auto m = made.input(name, 0).as<float>();
    std::vector<float> filled;
    for (std::size_t i = 0; i < r.size(); ++i) {
      if (std::isinf(r[i]) || r[i] == 0.0F) {
        REQUIRE(m[i] == r[i]);
      } else {
        filled.push_back(m[i]);
      }
    }
    const Moments moment = moments(filled);
    CHECK(std::abs(moment.mean) < 0.05 * 5.0 / std::sqrt(static_cast<double>(filled.size())));
    CHECK(moment.deviation == Approx(0.05).epsilon(0.03));
  }
}

TEST_CASE("a seed gives the same bits again and with any number of threads, another seed others") {
  const auto make = [](std::uint64_t seed, unsigned threads) {
    auto c = tiny(10);
    c.hidden = 2048;  // large enough for several threads
    return generate_case(c, {.seed = seed, .start_pos = {}, .wanted = {}, .threads = threads});
  };
  const LayerCase a = make(1, 1);
  const LayerCase b = make(1, 3);
  const LayerCase c = make(2, 3);
  for (const auto& [name, ranks] : a.inputs) {
    INFO(name);
    CHECK(compare_ranks(Exact{}, ranks, b.inputs.at(name)).pass);
    if (is_random(tensor_spec(name).init)) CHECK_FALSE(compare_ranks(Exact{}, ranks, c.inputs.at(name)).pass);
  }
}

TEST_CASE("ranks share replicated tensors and have others of their own") {
  const LayerCase c = generate_case(tiny(10));
  for (const auto& [name, ranks] : c.inputs) {
    INFO(name);
    CHECK(ranks[0].shares_bytes_with(ranks[1]) == tensor_spec(name).replicated);
  }
  CHECK_FALSE(compare(Exact{}, c.input("x_hc", 0), c.input("x_hc", 1)).pass);
  CHECK_FALSE(compare(Exact{}, c.input("routed_w1", 0), c.input("routed_w1", 1)).pass);
}

TEST_CASE("a start position sets every request's, and one beyond a pool is refused") {
  const auto options = [](std::uint32_t start) {
    return GenerateOptions{.seed = 0, .start_pos = start, .wanted = {}, .threads = 0};
  };
  const LayerCase c = generate_case(tiny(10), options(257));
  for (const std::int32_t n : c.input("kv_seq_lens", 0).as<std::int32_t>()) CHECK(n == 259);
  CHECK(c.input("position_ids", 1).as<std::int32_t>()[15] == 258);
  CHECK_NOTHROW(generate_case(tiny(10), options(258)));
  CHECK_THROWS_WITH(generate_case(tiny(10), options(259)),
                    Contains("position 260") && Contains("260 positions") && Contains("c4_max_blocks"));
  CHECK_THROWS_WITH(generate_case(tiny(3), options(511)), Contains("position 512"));
  CHECK_THROWS_WITH(generate_case(tiny(0), options(511)), Contains("max_positions"));
  CHECK_THROWS_WITH(generate_case(tiny(0), options(0xFFFFFFFF)), Contains("max_positions"));
}

TEST_CASE("pages that a token can see are filled and the others stay zero") {
  const LayerCase c = generate_case(tiny(10), {.seed = 0, .start_pos = 126, .wanted = {}, .threads = 0});
  const Tensor& cache = c.input("cmp_kv", 0);  // five pages of 16 entries per request; 128 / 4 = 32 entries visible
  for (std::uint64_t page = 0; page < 40; ++page) {
    const auto v = values_of(cache.slice(page));
    const bool zero = std::all_of(v.begin(), v.end(), [](float x) { return x == 0.0F; });
    CHECK(zero == (page % 5 >= 2));
  }
}

TEST_CASE("unwanted tensors are not made, and the others do not change") {
  const LayerCase all = generate_case(tiny(10));
  const LayerCase some =
      generate_case(tiny(10), {.seed = 0,
                               .start_pos = {},
                               .wanted = [](std::string_view n) { return n == "wkv" || n == "wq_b_scale"; },
                               .threads = 0});
  CHECK(some.inputs.size() == 2);
  CHECK(compare(Exact{}, all.input("wkv", 0), some.input("wkv", 0)).pass);
  CHECK(compare(Exact{}, all.input("wq_b_scale", 0), some.input("wq_b_scale", 0)).pass);
}

TEST_CASE("layers of one step can have the positions of another kind's mix") {
  using kernels::AttentionKind;
  CHECK(start_positions(tiny(0), {}, AttentionKind::Csa) == start_positions(tiny(10), {}));
  CHECK(start_positions(tiny(0), {}, AttentionKind::Csa) != start_positions(tiny(0), {}));
  CHECK(start_positions(tiny(0), 7, AttentionKind::Csa) == std::vector<std::uint32_t>(tiny(0).batch, 7));
}

TEST_CASE("the model's own inputs are made where they are named") {
  CHECK_FALSE(generate_case(tiny(0)).inputs.contains("hc_head_fn"));
  const LayerCase head = generate_case(tiny(0), {.seed = 0,
                                                 .start_pos = {},
                                                 .wanted = [](std::string_view n) { return n.starts_with("hc_head_"); },
                                                 .threads = 0});
  CHECK(head.inputs.size() == 3);
  const std::uint64_t m = head.config.hc_mult;
  CHECK(head.input("hc_head_fn", 1).shape() == Shape{m, m * head.config.hidden});
}

TEST_CASE("the compressed rope profile interpolates between two pair indices") {
  auto c = preset("flash");
  c.max_positions = 128;
  const auto plain = rope_tables(c, 0);
  const auto scaled = rope_tables(c, 4);
  CHECK(compare(Exact{}, scaled.cos, rope_tables(c, 128).cos).pass);
  const auto sin = scaled.sin.as<isa::Bf16>();
  const auto at = [&](std::uint32_t pair) { return static_cast<double>(isa::to_float(sin[64 + pair])); };  // position 1
  const auto wave = [](double i) { return std::pow(160000.0, -2.0 * i / 64.0); };
  CHECK(at(0) == Approx(std::sin(1.0)).epsilon(0.004));
  CHECK(at(15) == Approx(std::sin(wave(15))).epsilon(0.004));                     // kept up to 15
  CHECK(at(20) == Approx(std::sin(wave(20) * (0.5 + 0.5 / 16))).epsilon(0.004));  // half way
  CHECK(at(25) == Approx(std::sin(wave(25) / 16)).epsilon(0.004));                // divided from 25 on
  CHECK(isa::to_float(plain.cos.as<isa::Bf16>()[63]) == 1.0F);
}

}  // namespace
}  // namespace npu::orch
