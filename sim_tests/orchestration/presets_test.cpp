// Presets by name and from files; attention kinds; resizing.
#include "orchestration/data/presets.hpp"

#include <fmt/ranges.h>

#include <catch2/catch.hpp>

#include "isa/errors.hpp"
#include "orchestration/data/case_metadata.hpp"
#include "orchestration/data/config_fields.hpp"
#include "sim_tests/support/temporary_directory.hpp"

namespace npu::orch {
namespace {

using Catch::Matchers::Contains;
using kernels::AttentionKind;
using kernels::LayerConfig;

AttentionKind kind_of(LayerConfig c, std::uint32_t layer) {
  c.layer_id = layer;
  return attention_kind(c);
}

bool same(const LayerConfig& a, const LayerConfig& b) {
  Metadata left;
  Metadata right;
  add_config(left, a);
  add_config(right, b);
  return left == right;
}

TEST_CASE("every preset is valid and keeps its receive rows by the rule") {
  for (const std::string_view name : preset_names()) {
    INFO(name);
    const LayerConfig c = preset(name);
    CHECK_NOTHROW(validate(c, name));
    CHECK(c.recv_max == recv_max_of(c));
  }
  CHECK(preset("tiny").recv_max == 48);
  CHECK(preset("small").recv_max == 96);
  CHECK(preset("flash").recv_max == 96);
}

TEST_CASE("pro and demo have the published sizes") {
  const LayerConfig pro = preset("pro");
  CHECK(pro.compress_ratios.size() == 62);
  CHECK(pro.local_experts * 8 == 384);
  CHECK(pro.group_inner() == 4096);
  const LayerConfig demo = preset("demo");
  CHECK(demo.compress_ratios == std::vector<std::uint32_t>{0, 0, 4, 128, 4, 128, 4, 0});
  CHECK(demo.local_experts * 8 == 16);
  CHECK_FALSE(demo.hash_routing());
  CHECK(demo.swiglu_limit == 0.0F);
  CHECK(pro.recv_max == 64);
  CHECK(demo.recv_max == 512);
}

TEST_CASE("the attention kind follows the compression ratios, not the layer's parity") {
  const LayerConfig flash = preset("flash");
  CHECK(kind_of(flash, 1) == AttentionKind::Swa);
  CHECK(kind_of(flash, 3) == AttentionKind::Hca);
  CHECK(kind_of(flash, 42) == AttentionKind::Csa);
  CHECK(kind_of(preset("pro"), 0) == AttentionKind::Hca);
  CHECK(kind_of(preset("pro"), 1) == AttentionKind::Hca);
}

TEST_CASE("every layer of every preset has the kind and the routing of the published model") {
  struct Published {
    std::string_view name;
    std::uint32_t layers, hash_layers;
    AttentionKind first;  ///< of layers 0 and 1
  };
  for (const Published& p :
       {Published{"tiny", 43, 3, AttentionKind::Swa}, Published{"small", 43, 3, AttentionKind::Swa},
        Published{"flash", 43, 3, AttentionKind::Swa}, Published{"pro", 61, 3, AttentionKind::Hca},
        Published{"demo", 8, 0, AttentionKind::Swa}}) {
    LayerConfig c = preset(p.name);
    REQUIRE(c.layers == p.layers);
    for (c.layer_id = 0; c.layer_id < p.layers; ++c.layer_id) {
      INFO(p.name << " layer " << c.layer_id);
      const AttentionKind even_or_odd = c.layer_id % 2 == 0 ? AttentionKind::Csa : AttentionKind::Hca;
      const bool last_of_demo = p.name == "demo" && c.layer_id == 7;
      CHECK(attention_kind(c) == (last_of_demo ? AttentionKind::Swa : c.layer_id < 2 ? p.first : even_or_odd));
      CHECK(c.hash_routing() == (c.layer_id < p.hash_layers));
      CHECK_NOTHROW(validate(c, p.name));
    }
    CHECK_THROWS_AS(validate(c, p.name), ConfigError);
  }
}

TEST_CASE("the MTP entry, layers beyond it and unknown ratios are refused") {
  CHECK_THROWS_WITH(kind_of(preset("flash"), 43), Contains("MTP") && Contains("0..42"));
  CHECK_THROWS_WITH(kind_of(preset("pro"), 61), Contains("MTP") && Contains("0..60"));
  CHECK_THROWS_WITH(kind_of(preset("demo"), 8), Contains("layer 8 does not exist") && Contains("0..7"));
  CHECK_THROWS_WITH(kind_of(preset("flash"), 44), Contains("layer 44 does not exist") && Contains("0..42"));
  CHECK_THROWS_WITH(kind_of(preset("flash"), 0xFFFFFFFF), Contains("does not exist"));
  LayerConfig c = preset("flash");
  c.compress_ratios[5] = 8;
  CHECK_THROWS_WITH(kind_of(c, 5), Contains("compress_ratios[5] is 8"));
  c.compress_ratios.resize(42);
  CHECK_THROWS_WITH(kind_of(c, 0), Contains("42 entries") && Contains("layers = 43"));
  c.compress_ratios.clear();
  CHECK_THROWS_AS(attention_kind(c), ConfigError);
}

TEST_CASE("more ranks keep the experts of a rank; a new batch changes the receive rows") {
  const LayerConfig ep8 = resized(preset("flash"), {8, {}, {}, {}, false});
  CHECK(ep8.experts == 256);
  CHECK(ep8.local_experts == 32);
  CHECK(ep8.recv_max == 96);
  const LayerConfig half = resized(preset("flash"), {{}, 32, {}, 3, false});
  CHECK(half.recv_max == 48);
  CHECK(half.layer_id == 3);
  CHECK_THROWS_WITH(resized(preset("flash"), {0, {}, {}, {}, false}), Contains("ranks is 0"));
  CHECK_THROWS_WITH(resized(preset("flash"), {{}, {}, 5, 10, false}), Contains("seq 5") && Contains("ratio 4"));
  CHECK_THROWS_AS(resized(preset("flash"), {{}, 0, {}, {}, false}), ConfigError);
}

TEST_CASE("all experts of the model can be spread over any number of ranks") {
  for (const std::uint32_t ranks : {1U, 2U, 4U, 8U}) {
    const LayerConfig c = resized(preset("pro"), {ranks, {}, {}, {}, true});
    CHECK(c.experts == 384);
    CHECK(c.local_experts == 384 / ranks);
    CHECK(c.recv_max == recv_max_of(c));
  }
  CHECK(resized(preset("flash"), {8, {}, {}, {}, true}).recv_max == 96);
  CHECK_THROWS_WITH(resized(preset("demo"), {3, {}, {}, {}, true}), Contains("16 experts") && Contains("3 ranks"));
}

TEST_CASE("an unknown preset is refused with the nearest name") {
  CHECK_THROWS_WITH(preset("flesh"), Contains("flesh") && Contains("'flash'"));
  CHECK_THROWS_WITH(preset("./nowhere.toml"), Contains("nowhere.toml"));
  CHECK_THROWS_WITH(preset("/"), Contains("is not a regular file"));
}

TEST_CASE("a preset file overrides its base") {
  const test::TemporaryDirectory dir;
  const auto path = dir.write(
      "mine.toml", "base = \"tiny\"\nbatch = 64\nroute_scale = 2.5\nlayers = 2\ncompress_ratios = [4, 128, 0]\n");
  const LayerConfig c = preset(path);
  CHECK(c.batch == 64);
  CHECK(c.recv_max == recv_max_of(c));
  CHECK(preset(dir.write("narrow.toml", "base = \"tiny\"\nrecv_max = 8\n")).recv_max == 8);
  CHECK(c.route_scale == 2.5F);
  CHECK(c.hidden == 256);
  CHECK(kind_of(c, 0) == AttentionKind::Csa);
}

TEST_CASE("a preset file without a base gives every field") {
  const test::TemporaryDirectory dir;
  std::string text;
  const LayerConfig small = preset("small");
  visit_fields(small, [&](std::string_view name, std::string_view, const auto& member) {
    if constexpr (std::is_same_v<std::decay_t<decltype(member)>, std::vector<std::uint32_t>>) {
      text += fmt::format("{} = [{}]\n", name, fmt::join(member, ", "));
    } else {
      text += fmt::format("{} = {}\n", name, member);
    }
  });
  CHECK(same(preset(dir.write("whole.toml", text)), small));
  const auto cut = text.find("window = ");
  text.erase(cut, text.find('\n', cut) + 1 - cut);
  CHECK_THROWS_WITH(preset(dir.write("cut.toml", text)), Contains("cut.toml") && Contains("'window' is missing"));
}

TEST_CASE("the dimensions that a run leaves in its directory are a preset") {
  const test::TemporaryDirectory dir;
  Metadata m;
  add_config(m, preset("tiny"));
  CHECK(same(preset(dir.write("layer.json", m.at("config") + "\n")), preset("tiny")));
  std::string renamed = m.at("config");
  renamed.replace(renamed.find("\"max_seq\""), 9, "\"max_positions\"");
  CHECK(same(preset(dir.write("layer.json", renamed)), preset("tiny")));
  renamed.replace(renamed.size() - 1, 1, ",\"max_seq\":512}");
  CHECK_THROWS_WITH(preset(dir.write("layer.json", renamed)), Contains("both 'max_seq' and 'max_positions'"));
  CHECK_THROWS_WITH(preset(dir.write("layer.json", "{\"B\":1,\"B\":2}")), Contains("names 'B' twice"));
  CHECK_THROWS_WITH(preset(dir.write("layer.json", "{}")), Contains("layer.json") && Contains("lacks 'n_ranks'"));
}

TEST_CASE("a preset file may spell a field as the golden files do, once") {
  const test::TemporaryDirectory dir;
  const std::string base = "base = \"tiny\"\n";
  CHECK(preset(dir.write("p.toml", base + "max_seq = 1024\nidx_topk = 16\n")).max_positions == 1024);
  CHECK_THROWS_WITH(preset(dir.write("p.toml", base + "max_seq = 1024\nmax_positions = 1024\n")),
                    Contains("p.toml:2: max_seq: the same field as 'max_positions'"));
}

TEST_CASE("mistakes in a preset file are named with file, line and key") {
  const test::TemporaryDirectory dir;
  const auto error_of = [&](const std::string& line) {
    return [&dir, line] { return preset(dir.write("bad.toml", "base = \"tiny\"\n" + line + "\n")); };
  };
  CHECK_THROWS_WITH(error_of("bach = 4")(), Contains("bad.toml:2: bach") && Contains("'batch'"));
  CHECK_THROWS_WITH(error_of("batch = \"4\"")(), Contains("bad.toml:2: batch") && Contains("integer"));
  CHECK_THROWS_WITH(error_of("batch = -1")(), Contains("batch"));
  CHECK_THROWS_WITH(error_of("batch = 0")(), Contains("batch is 0"));
  CHECK_THROWS_WITH(error_of("eps = nan")(), Contains("eps") && Contains("finite"));
  CHECK_THROWS_WITH(error_of("compress_ratios = 4")(), Contains("array"));
  CHECK_THROWS_WITH(error_of("experts = 9")(), Contains("experts 9") && Contains("local_experts 4"));
  CHECK_THROWS_WITH(error_of("compress_ratios = [4, 0]")(), Contains("2 entries") && Contains("layers = 43"));
  CHECK_THROWS_WITH(error_of("rope_dim = 64")(), Contains("rope_dim 64"));
  CHECK_THROWS_WITH(error_of("index_dim = 48")(), Contains("power of two"));
  CHECK_THROWS_WITH(error_of("batch = = 4")(), Contains("bad.toml:2"));
  CHECK_THROWS_WITH(preset(dir.write("base.toml", "base = \"tny\"\n")), Contains("'tny'") && Contains("'tiny'"));
}

TEST_CASE("metadata survives a round trip and contradictions are refused") {
  LayerConfig c = preset("tiny");
  c.layer_id = 10;
  Metadata m;
  add_config(m, c);
  CHECK(m.at("kind") == "csa");
  CHECK(same(config_from_metadata(m, "f"), c));
  CHECK(config_from_metadata(m, "f").eps == c.eps);

  // A file without the count of layers: the last ratio is the MTP head's.
  std::string config = m.at("config");
  const std::string count = "\"n_layers\":43,";
  REQUIRE(config.find(count) != std::string::npos);
  Metadata older = m;
  older["config"] = config.erase(config.find(count), count.size());
  CHECK(same(config_from_metadata(older, "f"), c));

  const auto broken = [&](const std::string& key, const std::string& value) {
    Metadata bad = m;
    bad[key] = value;
    return bad;
  };
  CHECK_THROWS_WITH(config_from_metadata(broken("layer_id", "ten"), "f"), Contains("f: ") && Contains("'ten'"));
  CHECK_THROWS_WITH(config_from_metadata(broken("kind", "hca"), "f"), Contains("'hca'") && Contains("'csa'"));
  CHECK_THROWS_WITH(config_from_metadata(broken("config", "{"), "f"), Contains("not valid JSON"));
  CHECK_THROWS_WITH(config_from_metadata(broken("config", "[]"), "f"), Contains("not a JSON object"));
  CHECK_THROWS_WITH(config_from_metadata(broken("config", "{}"), "f"), Contains("lacks 'n_ranks'"));
  CHECK_THROWS_WITH(config_from_metadata({}, "f"), Contains("'config' is missing"));
  std::string text = m.at("config");
  text.replace(text.find("\"D\":256"), 7, "\"D\":-56");
  CHECK_THROWS_WITH(config_from_metadata(broken("config", text), "f"), Contains("'D'") && Contains("-56"));
  CHECK_THROWS_WITH(config_from_metadata(
                        broken("config", m.at("config").substr(0, m.at("config").size() - 1) + ",\"toppk\":1}"), "f"),
                    Contains("'toppk'") && Contains("'topk'"));
}

}  // namespace
}  // namespace npu::orch
