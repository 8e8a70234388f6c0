// Anchors of silicon: reading them, and what their errors add up to.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "isa/errors.hpp"
#include "orchestration/validate/anchors.hpp"
#include "orchestration/validate/csv.hpp"
#include "orchestration/validate/run_anchors.hpp"
#include "orchestration/validate/validation.hpp"

namespace npu::orch {
namespace {

using Catch::Contains;

const std::string kHeader = "id,use,platform,workload,args,metric,measured,unit,tolerance,source,note\n";

TEST_CASE("quoted fields hold commas, line breaks and quotes, and lines are counted through them") {
  const auto rows = parse_csv(
      "\xef\xbb\xbf"
      "a,\"b,\"\"c\"\"\nd\",e\r\n\r\nlast,\n");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].fields == std::vector<std::string>{"a", "b,\"c\"\nd", "e"});
  CHECK(rows[0].line == 1);
  CHECK(rows[1].fields == std::vector<std::string>{"last", ""});
  CHECK(rows[1].line == 4);
}

TEST_CASE("a fault of a row leaves the rows behind it readable") {
  const auto rows = parse_csv("a,\"open\nb\"x\nc,\"d\"e\nf\n");
  REQUIRE(rows.size() == 3);
  CHECK_THAT(rows[0].error, Contains("text behind the quote"));
  const auto open = parse_csv("a,\"open\nb\nc\n");
  REQUIRE(open.size() == 3);
  CHECK_THAT(open[0].error, Contains("a quote that nothing closes"));
  CHECK(open[2].fields == std::vector<std::string>{"c"});
  CHECK(open[2].line == 3);
}

TEST_CASE("an anchor that cannot be read stays in the list with its line and the reason") {
  const auto anchors = parse_anchors(kHeader +
                                         "A1,micro,a2a3,copy,--rows 4,kernel.task_us,1.5,us,0.1,here,\n"
                                         "A2,micro,a2a3,copy,,kernel.task_us,zero,us,0.1,here,\n"
                                         "A3,micro,a2a3,copy,,kernel.task_us,1,us,x,here,\n"
                                         "A4,micro,a2a3\n"
                                         ",micro,a2a3,copy,,kernel.task_us,1,us,,here,\n"
                                         "A6,micro,a2a3,copy,,kernel.task_us,-1,us,,here,\n",
                                     "file.csv");
  REQUIRE(anchors.size() == 6);
  CHECK(anchors[0].error.empty());
  CHECK(anchors[0].measured == 1.5);
  CHECK(anchors[0].tolerance == 0.1);
  CHECK_THAT(anchors[1].error, Contains("measured 'zero' is no positive number"));
  CHECK_THAT(anchors[2].error, Contains("tolerance 'x' is no share"));
  CHECK_THAT(anchors[3].error, Contains("3 fields under 11 columns"));
  CHECK(anchors[3].line == 5);
  CHECK_THAT(anchors[4].error, Contains("may not be empty"));
  CHECK_THAT(anchors[5].error, Contains("no positive number"));
}

TEST_CASE("an anchor file without the columns that are needed, or without rows, is refused") {
  CHECK_THROWS_WITH(parse_anchors("id,use\nA,b\n", "x.csv"),
                    Contains("x.csv: line 1: the header has no column 'platform'"));
  CHECK_THROWS_WITH(parse_anchors("id,id,use\n", "x.csv"), Contains("column 'id' is there twice"));
  CHECK_THROWS_WITH(parse_anchors("", "x.csv"), Contains("no header"));
  CHECK_THROWS_WITH(parse_anchors(kHeader, "x.csv"), Contains("no anchors below the header"));
}

TEST_CASE("columns may come in any order, with others between them") {
  const auto anchors =
      parse_anchors("measured,extra,metric,args,workload,platform,use,id\n2,?,m,--a 1,copy,a2a3,micro,Z9\n", "x.csv");
  CHECK(anchors[0].error.empty());
  CHECK(anchors[0].id == "Z9");
  CHECK(anchors[0].measured == 2.0);
  CHECK_FALSE(anchors[0].tolerance);
}

TEST_CASE("every anchor that ships with npusim can be read, and ids are of one row and metric") {
  const auto anchors = parse_anchors(shipped_anchors(), "anchors");
  std::map<std::string, int> ids;
  for (const Anchor& anchor : anchors) {
    CHECK(anchor.error.empty());
    CHECK_FALSE(anchor.source.empty());
    CHECK(++ids[anchor.id] == 1);
  }
  CHECK(anchors.size() > 100);
}

AnchorResult result(const std::string& id, const std::string& use, double measured, std::optional<double> simulated,
                    double tolerance = 0.1) {
  AnchorResult row;
  row.anchor.id = id;
  row.anchor.use = use;
  row.anchor.metric = "kernel.task_us";
  row.anchor.measured = measured;
  row.anchor.tolerance = tolerance;
  row.simulated = simulated;
  row.reason = simulated ? "" : "no such workload";
  return row;
}

TEST_CASE("totals hold median, 90th percentile, signed mean and worst row of what ran") {
  const std::vector<AnchorResult> rows{result("A1", "direct", 100, 101), result("A2", "direct", 100, 80),
                                       result("A3", "micro", 100, 103), result("A4", "direct", 100, std::nullopt)};
  const auto totals = totals_by_use(rows);
  const Total& direct = totals.at("direct");
  CHECK(direct.count == 2);
  CHECK(direct.not_run == 1);
  CHECK(direct.beyond == 1);
  CHECK(direct.median == Approx(0.105));
  CHECK(direct.p90 == Approx(0.01 + 0.9 * 0.19));
  CHECK(direct.mean == Approx(-0.095));
  CHECK(direct.worst == 1);
  CHECK(total_of(rows).count == 3);
  CHECK(totals_by_group(rows).at("A").count == 3);
  CHECK(rows[1].status() == "beyond tolerance");
  CHECK(rows[3].status() == "not run: no such workload");
}

TEST_CASE("consecutive variants of an experiment are compared by their ratio") {
  const std::vector<AnchorResult> rows{result("E1:a", "direct", 100, 100), result("E1:d", "direct", 400, 130),
                                       result("E1:b", "direct", 50, 70),   result("E2:a", "direct", 1, 1),
                                       result("E2:b", "direct", 2, 0.9),   result("D1:mte2", "direct", 1, 1),
                                       result("E3:a", "direct", 1, 1),     result("E3:b", "direct", 2, std::nullopt)};
  const auto pairs = pairs_of(rows);
  REQUIRE(pairs.size() == 4);
  CHECK(pairs[0].second == 2);
  CHECK(pairs[0].measured == 0.5);
  CHECK(pairs[0].has_right_sign());
  CHECK(pairs[0].has_right_size());  // log 0.7 / log 0.5 = 0.51
  CHECK(pairs[1].first == 2);
  CHECK(pairs[1].has_right_sign());
  CHECK_FALSE(pairs[1].has_right_size());
  CHECK_FALSE(pairs[2].has_right_sign());
  CHECK_FALSE(pairs[3].simulated);
}

TEST_CASE("a metric is a path of keys and positions in the summary") {
  const std::string json = R"({"kernel": {"pipe_us": {"mte2": 2.5}}, "cards": [{"us": 1}, {"us": 7}], "name": "x"})";
  CHECK(figure_at(json, "kernel.pipe_us.mte2") == 2.5);
  CHECK(figure_at(json, "cards.1.us") == 7);
  CHECK_THROWS_WITH(figure_at(json, "kernel.pipe_us.mte9"), Contains("summary.json has no mte9"));
  CHECK_THROWS_WITH(figure_at(json, "cards.2.us"), Contains("summary.json has no 2"));
  CHECK_THROWS_WITH(figure_at(json, "name"), Contains("metric name: no number"));
  CHECK_THROWS_WITH(figure_at("{", "name"), Contains("no summary that can be read"));
}

TEST_CASE("the JSON of a validation says null and why where a row did not run") {
  const std::vector<AnchorResult> rows{result("A1:a", "direct", 100, 101), result("A1:b", "micro", 10, std::nullopt)};
  const auto json = nlohmann::json::parse(validation_json(rows));
  CHECK(json["rows"][0]["error"].get<double>() == Approx(0.01));
  CHECK(json["rows"][0]["status"] == "ok");
  CHECK(json["rows"][1]["simulated"].is_null());
  CHECK(json["rows"][1]["status"] == "not run: no such workload");
  CHECK(json["totals"]["all"]["count"] == 1);
  CHECK(json["totals"]["micro"]["median"].is_null());
  CHECK(json["totals"]["direct"]["worst"]["id"] == "A1:a");
  CHECK(json["pairs"][0]["right_sign"].is_null());
}

}  // namespace
}  // namespace npu::orch
