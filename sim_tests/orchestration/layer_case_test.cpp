// Golden files load into the table's form, survive saving, and are refused where they break it.
#include "orchestration/data/layer_case.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "isa/errors.hpp"
#include "orchestration/data/case_metadata.hpp"
#include "orchestration/data/compare.hpp"
#include "orchestration/data/generator.hpp"
#include "orchestration/data/presets.hpp"
#include "sim_tests/support/temporary_directory.hpp"

namespace npu::orch {
namespace {

using Catch::Matchers::Contains;

std::string golden(std::string_view name) { return fmt::format("{}/{}.safetensors", NPU_GOLDENS_DIR, name); }

std::vector<TensorRecord> records_of(const SafetensorsFile& f) {
  std::vector<TensorRecord> records;
  for (const Tensor& t : f.tensors) records.push_back({t.name(), t.dtype(), t.shape(), {t.bytes()}});
  return records;
}

TensorRecord& record(std::vector<TensorRecord>& records, std::string_view name) {
  return *std::find_if(records.begin(), records.end(), [&](const TensorRecord& r) { return r.name == name; });
}

TEST_CASE("the table names every tensor once and gives inputs an initialiser") {
  std::set<std::string_view> names;
  for (const TensorSpec& s : layer_tensors()) {
    INFO(s.name);
    CHECK(names.insert(s.name).second);
    CHECK(s.of_layer() != (s.name.starts_with("hc_head_") || s.name == "x_head"));
    CHECK((s.init != Init::None) == s.is_input());
    CHECK((s.name.starts_with("mid.")) == (s.role == Role::Intermediate));
    CHECK(&tensor_spec(s.name) == &s);
  }
  CHECK_THROWS_WITH(tensor_spec("x_hcc"), Contains("x_hcc") && Contains("'x_hc'"));
}

TEST_CASE("a step's stack, positions and indices come from the host, tables of the model do not") {
  for (const char* name : {"x_hc", "position_ids", "block_table", "input_ids"}) {
    CAPTURE(name);
    CHECK(tensor_spec(name).arrives_each_step());
  }
  for (const char* name : {"tid2eid", "wq_b", "kv_cache", "freqs_cos"}) {
    CAPTURE(name);
    CHECK_FALSE(tensor_spec(name).arrives_each_step());
  }
  CHECK(tensor_with(Trait::StackBefore).shape(preset("tiny")) == tensor_with(Trait::StackAfter).shape(preset("tiny")));
}

TEST_CASE("golden files hold exactly the table's tensors of their kind") {
  for (const std::string_view name :
       {"tiny-L0", "tiny-L3", "tiny-L10", "tiny-stress-L0", "tiny-stress-L3", "tiny-stress-L10", "small-stress-L0"}) {
    INFO(name);
    const LayerCase c = load_case(golden(name));
    CHECK(c.config.ranks == 2);
    std::set<std::string> missing;
    for (const TensorSpec& s : layer_tensors()) {
      if (!s.used_by(c.kind)) continue;
      if (s.is_input()) CHECK(c.inputs.at(std::string{s.name}).size() == 2);
      if (s.role != Role::Input && !c.expects(s.name)) missing.insert(std::string{s.name});
    }
    CHECK(missing == std::set<std::string>{"mid.attn.attention", "mid.moe.recv_route", "mid.moe.routed_y"});
    CHECK(c.input("x_hc", 1).shape() == Shape{c.config.tokens(), 4, c.config.hidden});
  }
}

TEST_CASE("the presets are the golden files' dimensions") {
  for (const auto& [file, name] : {std::pair{"tiny-L10", "tiny"}, std::pair{"small-stress-L0", "small"}}) {
    const LayerCase c = load_case(golden(file));
    auto p = preset(name);
    p.layer_id = c.config.layer_id;
    Metadata from_file;
    Metadata from_preset;
    add_config(from_file, c.config);
    add_config(from_preset, p);
    CHECK(from_preset == from_file);
  }
}

TEST_CASE("pools given by changed rows are split by rank") {
  const SafetensorsFile file = read_safetensors(golden("tiny-L10"));
  const LayerCase c = load_case(golden("tiny-L10"));
  const auto& changes = c.changes.at("cmp_kv");
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].rows.size() + changes[1].rows.size() == file.find("out.cmp_kv.rows")->elements());
  const Tensor& before = c.input("cmp_kv", 1);
  const auto all_rows = file.find("out.cmp_kv.rows")->as<std::int64_t>();
  CHECK(changes[1].rows.back() + before.row_count() == static_cast<std::uint64_t>(all_rows.back()));
  CHECK(changes[1].values.shape() == Shape{changes[1].rows.size(), 32});
  // The unchanged pool differs from the expectation in exactly these rows.
  const PoolComparison p = compare_pool(Exact{}, {&before, 1}, {&changes[1], 1}, {&before, 1});
  CHECK_FALSE(p.changed.pass);
  CHECK(p.untouched.pass);
}

TEST_CASE("whole pools become the changed rows of the golden file") {
  const LayerCase golden_case = load_case(golden("tiny-stress-L10"));
  LayerCase c = golden_case;
  c.changes.clear();
  for (const auto& [name, changes] : golden_case.changes) {
    for (std::uint32_t r = 0; r < 2; ++r) {
      const Tensor& before = golden_case.input(name, r);
      Tensor after = Tensor::zeros(name, before.dtype(), before.shape());
      std::ranges::copy(before.bytes(), after.writable_bytes().begin());
      const auto row_bytes = static_cast<std::ptrdiff_t>(before.row_length() * isa::size_of(before.dtype()));
      for (std::size_t i = 0; i < changes[r].rows.size(); ++i) {
        const auto row = changes[r].values.bytes().begin() + static_cast<std::ptrdiff_t>(i) * row_bytes;
        std::copy(row, row + row_bytes,
                  after.writable_bytes().begin() + static_cast<std::ptrdiff_t>(changes[r].rows[i]) * row_bytes);
      }
      c.expected[name].push_back(std::move(after));
    }
  }
  pools_to_changes(c);
  CHECK(c.expected.contains("kv_cache"));
  REQUIRE(c.changes.size() == golden_case.changes.size());
  for (const auto& [name, changes] : golden_case.changes) {
    CHECK_FALSE(c.expected.contains(name));
    for (std::uint32_t r = 0; r < 2; ++r) {
      CHECK(c.changes.at(name)[r].rows == changes[r].rows);
      CHECK(compare(Exact{}, changes[r].values, c.changes.at(name)[r].values).pass);
    }
  }
}

TEST_CASE("a saved case loads again with the same bits") {
  const test::TemporaryDirectory dir;
  for (const std::string_view name : {"tiny-L10", "tiny-stress-L3"}) {
    const LayerCase a = load_case(golden(name));
    save_case(a, dir.file("copy"));
    const LayerCase b = load_case(dir.file("copy"));
    CHECK(b.provenance == a.provenance);
    REQUIRE(b.inputs.size() == a.inputs.size());
    REQUIRE(b.expected.size() == a.expected.size());
    for (const auto& [tensor, ranks] : a.inputs) CHECK(compare_ranks(Exact{}, ranks, b.inputs.at(tensor)).pass);
    for (const auto& [tensor, ranks] : a.expected) CHECK(compare_ranks(Exact{}, ranks, b.expected.at(tensor)).pass);
    for (const auto& [tensor, ranks] : a.changes) {
      for (std::size_t r = 0; r < ranks.size(); ++r) {
        CHECK(ranks[r].rows == b.changes.at(tensor)[r].rows);
        CHECK(compare(Exact{}, ranks[r].values, b.changes.at(tensor)[r].values).pass);
      }
    }
  }
}

TEST_CASE("a file that breaks the table is refused with tensor, expected and got") {
  const test::TemporaryDirectory dir;
  const SafetensorsFile good = read_safetensors(golden("tiny-L10"));
  const std::string path = dir.file("broken");
  const auto load_with = [&](const auto& change) {
    auto records = records_of(good);
    change(records);
    write_safetensors(path, good.metadata, records);
    return [path] { return load_case(path); };
  };
  CHECK_NOTHROW(load_with([](auto&) {})());
  CHECK_THROWS_WITH(
      load_with([](auto& r) {
        record(r, "in.wq_a").shape = {2, 64, 256};
      })(),
      Contains("broken") && Contains("'in.wq_a'") && Contains("bf16 [2, 256, 64]") && Contains("bf16 [2, 64, 256]"));
  CHECK_THROWS_WITH(load_with([](auto& r) { record(r, "out.x_next").dtype = isa::DType::F16; })(),
                    Contains("'out.x_next'") && Contains("expected bf16") && Contains("got f16"));
  CHECK_THROWS_WITH(load_with([](auto& r) { record(r, "in.x_hc").name = "in.xhc"; })(),
                    Contains("'in.xhc' is unknown") && Contains("'in.x_hc'"));
  CHECK_THROWS_WITH(load_with([](auto& r) { std::erase_if(r, [](const auto& x) { return x.name == "in.cmp_kv"; }); })(),
                    Contains("'in.cmp_kv' is missing") && Contains("[2, 40, 16, 1, 32]"));
  CHECK_THROWS_WITH(
      load_with([](auto& r) { std::erase_if(r, [](const auto& x) { return x.name == "out.cmp_kv.vals"; }); })(),
      Contains("out.cmp_kv.vals"));
  const std::vector<std::int32_t> positions(32, 512);
  CHECK_THROWS_WITH(
      load_with([&](auto& r) { record(r, "in.position_ids").parts = {std::as_bytes(std::span{positions})}; })(),
      Contains("'in.position_ids'") && Contains("element 0 is 512") && Contains("0..511"));
  const std::vector<std::int64_t> slots(32, -2);
  CHECK_THROWS_WITH(
      load_with([&](auto& r) { record(r, "in.ori_slot_mapping").parts = {std::as_bytes(std::span{slots})}; })(),
      Contains("is -2") && Contains("-1..127"));
  const std::vector<std::int64_t> rows(14, 3);
  CHECK_THROWS_WITH(
      load_with([&](auto& r) { record(r, "out.cmp_kv.rows").parts = {std::as_bytes(std::span{rows})}; })(),
      Contains("must ascend"));
  const std::int32_t layer = 12;
  CHECK_THROWS_WITH(load_with([&](auto& r) {
                      record(r, "in.layer_id").parts = {std::as_bytes(std::span{&layer, 1})};
                    })(),
                    Contains("'in.layer_id' is 12") && Contains("is 10"));
}

TEST_CASE("a workload that does not want a tensor does not need it in the file") {
  const test::TemporaryDirectory dir;
  auto config = preset("tiny");
  const TensorFilter wanted = [](std::string_view name) { return !name.starts_with("routed_"); };
  save_case(generate_case(config, {.seed = 1, .start_pos = {}, .wanted = wanted, .threads = 0}), dir.file("part"));
  CHECK_THROWS_WITH(load_case(dir.file("part")), Contains("in.routed_w1"));
  const LayerCase c = load_case(dir.file("part"), wanted);
  CHECK_THROWS_WITH(c.input("routed_w1", 0), Contains("no input 'routed_w1'"));
  CHECK_THROWS_WITH(c.result("x_next", 0), Contains("no expected result 'x_next'"));
}

}  // namespace
}  // namespace npu::orch
