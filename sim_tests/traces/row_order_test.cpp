#include "traces/row_order.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "traces/scope_pattern.hpp"

namespace npu::traces {

TEST_CASE("rows are ordered host, cards, links, and a core is followed by its pipes", "[traces][rows]") {
  const std::vector<TrackInfo> tracks{
      {TrackKind::Link, "link1to0", 1},
      {TrackKind::Pipe, "card0.aiv2.mte3", 0},
      {TrackKind::Pipe, "card0.aiv2.v", 0},
      {TrackKind::Pipe, "card0.aiv2.mte2", 0},
      {TrackKind::Pipe, "card0.aiv2.s", 0},
      {TrackKind::Core, "card0.aiv10", 0},
      {TrackKind::Core, "card0.aiv2", 0},
      {TrackKind::Core, "card1.aic0", 1},
      {TrackKind::Scheduler, "card0.sched1", 0},
      {TrackKind::Scheduler, "card0.sched0", 0},
      {TrackKind::Pipe, "card0.aic0.fix", 0},
      {TrackKind::Pipe, "card0.aic0.m", 0},
      {TrackKind::Pipe, "card0.aic0.mte1", 0},
      {TrackKind::Pipe, "card0.aic0.mte2", 0},
      {TrackKind::Pipe, "card0.aic0.s", 0},
      {TrackKind::Core, "card0.aic0", 0},
      {TrackKind::Orchestrator, "card0.orch", 0},
      {TrackKind::Link, "link0to1", 0},
      {TrackKind::Host, "host", 0},
  };
  std::vector<std::string> names;
  for (const std::size_t index : reading_order(tracks)) names.push_back(tracks[index].name);
  CHECK(names == std::vector<std::string>{"host", "card0.orch", "card0.sched0", "card0.sched1", "card0.aic0",
                                          "card0.aic0.s", "card0.aic0.mte2", "card0.aic0.mte1", "card0.aic0.m",
                                          "card0.aic0.fix", "card0.aiv2", "card0.aiv2.s", "card0.aiv2.mte2",
                                          "card0.aiv2.v", "card0.aiv2.mte3", "card0.aiv10", "card1.aic0", "link0to1",
                                          "link1to0"});
}

TEST_CASE("the pipes of a cluster are a group of their own beside the rows of their card", "[traces][rows]") {
  const TrackInfo pipe{TrackKind::Pipe, "card1.cluster2.aic.mte2", 1};
  const TrackInfo core{TrackKind::Core, "card1.cluster2.aic", 1};
  const TrackInfo link{TrackKind::Link, "link0to1", 0};
  const TrackInfo lone{TrackKind::Pipe, "v", 1};
  CHECK(group_of(pipe) == "card1.cluster2");
  CHECK(name_within(group_of(pipe), pipe) == "aic.mte2");
  CHECK(group_of(core) == "card1");
  CHECK(name_within(group_of(core), core) == "cluster2.aic");
  CHECK(name_within("card", core) == "card1.cluster2.aic");
  CHECK(group_of(link) == "links");
  CHECK(group_of(lone) == "card1");
}

TEST_CASE("scope patterns match names, scopes and alternatives", "[traces][scope]") {
  CHECK(ScopePattern{""}.matches("anything"));
  CHECK(ScopePattern{"card0"}.matches("card0.aic3.mte2"));
  CHECK_FALSE(ScopePattern{"card0"}.matches("card01.aic3"));
  CHECK(ScopePattern{"*.mte2"}.matches("card0.aic3.mte2"));
  CHECK_FALSE(ScopePattern{"*.mte2"}.matches("card0.aic3.mte1"));
  CHECK(ScopePattern{"card?.aic*"}.matches("card1.aic12.m"));
  CHECK_FALSE(ScopePattern{"card?.aic1"}.matches("card1.aic12.m"));
  CHECK(ScopePattern{"card0.aic*"}.matches("card0.cluster3.aic.m"));
  CHECK(ScopePattern{"card0.mte2"}.matches("card0.cluster3.aiv1.mte2"));
  CHECK_FALSE(ScopePattern{"card0.aic"}.matches("card0.cluster3.aiv0.m"));
  CHECK_FALSE(ScopePattern{"card0.aic"}.matches("card0aic"));
  CHECK_FALSE(ScopePattern{"card0.aic"}.matches("card0.cluster3xaic"));
  CHECK(ScopePattern{"host,link*"}.matches("link0to1"));
  CHECK(ScopePattern{"*a*b*c"}.matches("xxaxxbxxbxxc"));
  CHECK_FALSE(ScopePattern{"*a*b*c"}.matches("xxaxxbxxcx"));
}

}  // namespace npu::traces
