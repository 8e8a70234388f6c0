#include "model/interconnect/flow_set.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <random>

namespace npu::model {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double given(const std::vector<double>& caps, double rate) {
  return std::accumulate(caps.begin(), caps.end(), 0.0,
                         [&](double sum, double cap) { return sum + std::min(cap, rate); });
}

/// 0 .. n - 1.
std::uint32_t pick(std::mt19937& random, std::uint32_t n) { return static_cast<std::uint32_t>(random()) % n; }

struct Job {
  std::uint32_t id;
  std::uint64_t start;
  double bytes, cap;
};

/// Cycle at which each job ends, the jobs of a cycle being added in the order of the list.
std::map<std::uint32_t, std::uint64_t> finish_times(double capacity, const std::vector<Job>& jobs) {
  FlowSet flows{capacity};
  std::map<std::uint32_t, std::uint64_t> ends;
  std::vector<std::uint32_t> finished;
  std::vector<bool> started(jobs.size());
  while (ends.size() < jobs.size()) {
    std::uint64_t now = flows.next_finish();
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (!started[i]) now = std::min(now, jobs[i].start);
    }
    flows.advance(now, finished);
    for (const std::uint32_t id : finished) ends[id] = now;
    finished.clear();
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (started[i] || jobs[i].start != now) continue;
      started[i] = true;
      flows.add(jobs[i].id, jobs[i].bytes, jobs[i].cap);
    }
    flows.divide();
  }
  return ends;
}

std::vector<Job> random_jobs(std::uint32_t seed, std::uint32_t count) {
  std::mt19937 random{seed};
  std::vector<Job> jobs;
  for (std::uint32_t i = 0; i < count; ++i) {
    jobs.push_back({i, pick(random, 50), 1.0 + pick(random, 5000), 1.0 + pick(random, 40)});
  }
  return jobs;
}

}  // namespace

TEST_CASE("flows share the capacity equally when no cap binds", "[flow]") {
  CHECK(fair_rate(60, std::vector<double>{100, 100, 100}) == 20);
}

TEST_CASE("what a capped flow leaves goes to the others", "[flow]") {
  // 4 takes its cap; (60 - 4) / 2 = 28 for each of the rest.
  CHECK(fair_rate(60, std::vector<double>{4, 50, 50}) == 28);
  // 4 and 20 take their caps; 36 are left for the third.
  CHECK(fair_rate(60, std::vector<double>{4, 20, 50}) == 36);
}

TEST_CASE("the division is unbounded when all caps fit", "[flow]") {
  CHECK(fair_rate(60, std::vector<double>{10, 20, 30}) == kInfinity);
  CHECK(fair_rate(60, {}) == kInfinity);
}

TEST_CASE("the sum of the rates is the capacity or the sum of the caps, whichever is less", "[flow]") {
  std::mt19937 random{1};
  for (int round = 0; round < 200; ++round) {
    std::vector<double> caps(1 + pick(random, 72));
    for (double& cap : caps) cap = 0.1 + pick(random, 1000) / 7.0;
    std::sort(caps.begin(), caps.end());
    const double capacity = 1 + pick(random, 3000);
    const double expected = std::min(capacity, std::accumulate(caps.begin(), caps.end(), 0.0));
    CHECK(given(caps, fair_rate(capacity, caps)) == Approx(expected).epsilon(1e-12));  // 72 roundings of 1e-16
  }
}

TEST_CASE("another flow raises nobody's rate", "[flow]") {
  std::mt19937 random{2};
  for (int round = 0; round < 200; ++round) {
    std::vector<double> caps(1 + pick(random, 40));
    for (double& cap : caps) cap = 1 + pick(random, 100);
    std::sort(caps.begin(), caps.end());
    const double before = fair_rate(500, caps);
    const double extra = 1 + pick(random, 100);
    caps.insert(std::upper_bound(caps.begin(), caps.end(), extra), extra);
    CHECK(fair_rate(500, caps) <= before);
  }
}

TEST_CASE("a flow alone takes bytes over cap, rounded up to a cycle", "[flow]") {
  CHECK(finish_times(100, {{0, 5, 1000, 10}}).at(0) == 105);
  CHECK(finish_times(100, {{0, 5, 1001, 10}}).at(0) == 106);
  CHECK(finish_times(100, {{0, 5, 1, 10}}).at(0) == 6);
  CHECK(finish_times(8, {{0, 5, 1000, 10}}).at(0) == 130);  // the resource is slower than the port
}

TEST_CASE("a flow speeds up when another ends", "[flow]") {
  // 0..20: 10 each, flow 0 is through. 20..30: flow 1 has 300 - 200 = 100 left, at its cap of 20 five cycles.
  const auto ends = finish_times(20, {{0, 0, 200, 20}, {1, 0, 300, 20}});
  CHECK(ends.at(0) == 20);
  CHECK(ends.at(1) == 25);
}

TEST_CASE("a flow slows down when another joins", "[flow]") {
  // 0..5: 20 per cycle, 100 of 200 done; then 10 per cycle each.
  const auto ends = finish_times(20, {{0, 0, 200, 20}, {1, 5, 50, 20}});
  CHECK(ends.at(1) == 10);
  CHECK(ends.at(0) == 5 + 5 + 3);  // 100 - 50 left at cycle 10, 20 per cycle: 2.5 cycles
}

TEST_CASE("rounding errors do not cost a cycle", "[flow]") {
  // A third of a cycle's share each: 0.1 + 0.2 style sums must still end at 30.
  const auto ends = finish_times(1, {{0, 0, 10, 1}, {1, 0, 10, 1}, {2, 0, 10, 1}});
  CHECK(ends == std::map<std::uint32_t, std::uint64_t>{{0, 30}, {1, 30}, {2, 30}});
}

TEST_CASE("the bytes of all flows pass in at least bytes over capacity cycles", "[flow]") {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    const auto jobs = random_jobs(seed, 40);
    const auto ends = finish_times(50, jobs);
    double bytes = 0;
    for (const Job& job : jobs) {
      bytes += job.bytes;
      CHECK(static_cast<double>(ends.at(job.id) - job.start) >= std::ceil(job.bytes / job.cap));
    }
    const auto last = std::max_element(ends.begin(), ends.end(), [](auto a, auto b) { return a.second < b.second; });
    CHECK(static_cast<double>(last->second) >= bytes / 50);
  }
}

TEST_CASE("a busy resource passes its capacity in every cycle", "[flow]") {
  // 40 flows of equal size and a cap above their share: no cycle is lost but the last.
  std::vector<Job> jobs;
  for (std::uint32_t i = 0; i < 40; ++i) jobs.push_back({i, 0, 1003, 50});
  for (const auto& [id, end] : finish_times(50, jobs)) CHECK(end == 803);  // 40 * 1003 / 50 = 802.4
}

TEST_CASE("end times do not depend on the order in which simultaneous flows start", "[flow]") {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    auto jobs = random_jobs(seed, 60);
    const auto expected = finish_times(100, jobs);
    std::shuffle(jobs.begin(), jobs.end(), std::mt19937{seed});
    CHECK(finish_times(100, jobs) == expected);
  }
}

TEST_CASE("another flow lets nobody end earlier", "[flow]") {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    auto jobs = random_jobs(seed, 30);
    const auto before = finish_times(80, jobs);
    jobs.push_back({30, seed, 2000, 25});
    const auto after = finish_times(80, jobs);
    for (const auto& [id, end] : before) CHECK(after.at(id) >= end);
  }
}

}  // namespace npu::model
