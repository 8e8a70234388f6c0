#include <catch2/catch.hpp>

#include "isa/errors.hpp"
#include "model/system/task_graph.hpp"
#include "sim_tests/support/card_bench.hpp"

using namespace npu;
using namespace npu::model;
using Catch::Matchers::Contains;
using npu::test::in;
using npu::test::out;
using Ids = std::vector<std::uint32_t>;

namespace {

/// Tasks with any mixture of directions: the kernel only reads, so nothing about directions is refused.
class GraphBench {
 public:
  explicit GraphBench(const GraphLimits& limits = {}) : graph{limits} {}

  std::uint32_t submit(std::vector<TensorArg> tensors, std::vector<TaskId> after = {}) {
    const auto n = static_cast<std::uint32_t>(tensors.size());
    while (kernels.size() <= n) {
      kernels.push_back(test::make_kernel("k", false, true, static_cast<std::uint32_t>(kernels.size())));
    }
    return static_cast<std::uint32_t>(graph.submit(test::task(kernels[n], 1, std::move(tensors), std::move(after))));
  }
  Ids complete(std::uint32_t task) {
    Ids ready;
    graph.mark_running(task);
    graph.complete(task, ready);
    return ready;
  }
  [[nodiscard]] const Ids& producers(std::uint32_t task) const { return graph.task(task).producers; }

  TaskGraph graph;
  std::deque<isa::KernelObject> kernels;  ///< by number of arguments; references stay
};

}  // namespace

TEST_CASE("A reader depends on the last writer of its bytes, not on earlier writers or other readers") {
  GraphBench b;
  const auto w0 = b.submit({out(0, 100)});
  const auto w1 = b.submit({out(0, 100)});
  const auto r0 = b.submit({in(0, 100)});
  const auto r1 = b.submit({in(99, 1)});
  const auto other = b.submit({in(100, 10)});
  CHECK(b.producers(w0).empty());
  CHECK(b.producers(w1) == Ids{w0});
  CHECK(b.producers(r0) == Ids{w1});
  CHECK(b.producers(r1) == Ids{w1});
  CHECK(b.producers(other).empty());
}

TEST_CASE("A later write of a sub-range splits the region of the earlier writer") {
  GraphBench b;
  const auto whole = b.submit({out(0, 100)});
  const auto middle = b.submit({out(40, 20)});
  CHECK(b.producers(middle) == Ids{whole});
  CHECK(b.producers(b.submit({in(0, 40)})) == Ids{whole});
  CHECK(b.producers(b.submit({in(60, 40)})) == Ids{whole});
  CHECK(b.producers(b.submit({in(45, 5)})) == Ids{middle});
  CHECK(b.producers(b.submit({in(39, 2)})) == Ids{whole, middle});
  CHECK(b.producers(b.submit({in(0, 100)})) == Ids{whole, middle});
}

TEST_CASE("A write over the borders of several regions replaces what it covers and keeps the rest") {
  GraphBench b;
  const auto a = b.submit({out(0, 10)});
  const auto c = b.submit({out(10, 10)});
  const auto d = b.submit({out(20, 10)});
  const auto over = b.submit({out(5, 20)});
  CHECK(b.producers(over) == Ids{a, c, d});
  CHECK(b.producers(b.submit({in(0, 5)})) == Ids{a});
  CHECK(b.producers(b.submit({in(5, 20)})) == Ids{over});
  CHECK(b.producers(b.submit({in(25, 5)})) == Ids{d});
}

TEST_CASE("Write after read makes no edge, NoDep neither makes nor takes edges, after makes one") {
  GraphBench b;
  const auto reader = b.submit({in(0, 10)});
  const auto writer = b.submit({out(0, 10)});
  CHECK(b.producers(writer).empty());
  const auto blind = b.submit({{GmAddress{0}, isa::Bytes{10}, Direction::NoDep}});
  CHECK(b.producers(blind).empty());
  CHECK(b.producers(b.submit({in(0, 10)})) == Ids{writer});
  const auto ordered = b.submit({out(50, 10)}, {TaskId{reader}, TaskId{writer}, TaskId{reader}});
  CHECK(b.producers(ordered) == Ids{reader, writer});
}

TEST_CASE("An in-out argument depends on the last writer and becomes the last writer") {
  GraphBench b;
  const auto first = b.submit({out(0, 10)});
  const auto update = b.submit({{GmAddress{0}, isa::Bytes{10}, Direction::InOut}});
  CHECK(b.producers(update) == Ids{first});
  CHECK(b.producers(b.submit({in(0, 10)})) == Ids{update});
}

TEST_CASE("A task becomes ready when its last producer completes; completed writers make no edges") {
  GraphBench b;
  const auto left = b.submit({out(0, 10)});
  const auto right = b.submit({out(10, 10)});
  const auto join = b.submit({in(0, 20)});
  CHECK(b.graph.task(join).state == TaskState::Pending);
  CHECK(b.complete(right).empty());
  CHECK(b.graph.missing(join) == Ids{left});
  CHECK(b.complete(left) == Ids{join});
  CHECK(b.graph.task(join).state == TaskState::Ready);
  CHECK(b.graph.live_writers(GmAddress{0}, 20).empty());
  const auto late = b.submit({in(0, 10)}, {TaskId{left}});
  CHECK(b.producers(late).empty());
  CHECK(b.graph.task(late).state == TaskState::Ready);
}

TEST_CASE("Completion of a writer leaves the bytes of others to them") {
  GraphBench b;
  const auto whole = b.submit({out(0, 100), out(50, 100)});
  const auto part = b.submit({out(40, 20)});
  (void)b.complete(whole);
  CHECK(b.graph.live_writers(GmAddress{0}, 200) == Ids{part});
}

TEST_CASE("Slots of the task window return in submission order, when all consumers have completed") {
  GraphBench b{{.task_window = 3}};
  const auto slow = b.submit({out(0, 10)});
  const auto fast = b.submit({out(10, 10)});
  const auto user = b.submit({in(0, 10)});
  CHECK_FALSE(b.graph.has_slot());
  (void)b.complete(fast);
  CHECK_FALSE(b.graph.has_slot());  // the oldest task pins the ring
  (void)b.complete(slow);
  CHECK(b.graph.task(slow).state == TaskState::Completed);  // its consumer has not run
  CHECK_FALSE(b.graph.has_slot());
  (void)b.complete(user);
  CHECK(b.graph.first_unconsumed() == 3);
  CHECK(b.graph.has_slot());
}

TEST_CASE("Dependency entries are counted, spill beyond the inline producers, and return") {
  GraphBench b{{.dependency_pool = 4, .inline_producers = 2}};
  for (std::uint64_t i = 0; i < 3; ++i) b.submit({out(10 * i, 10)});
  b.submit({in(0, 30)});  // 3 edges, 1 spilled
  CHECK(b.graph.pool_used() == 4);
  CHECK_THROWS_WITH(b.submit({in(0, 10)}), Contains("DEP_POOL_OVERFLOW (4)") && Contains("4 of 4"));
  for (std::uint32_t i = 0; i < 3; ++i) (void)b.complete(i);
  CHECK(b.graph.pool_used() == 0);
}

TEST_CASE("A map of too many live regions is refused") {
  GraphBench b{{.tensor_map = 2}};
  b.submit({out(0, 100)});
  CHECK_THROWS_WITH(b.submit({out(10, 10)}), Contains("TENSORMAP_OVERFLOW (11)"));  // 3 pieces
}

TEST_CASE("Arguments that do not fit the kernel are refused with the runtime's error name") {
  TaskGraph g{GraphLimits{}};
  isa::KernelObject k = test::make_kernel("matmul", true, false, 1, 1);
  k.args.push_back({"n", isa::ArgKind::Scalar});
  TaskSpec good = test::task(k, 1, {in(0, 8), out(8, 8)});
  good.scalars = {7};
  CHECK(static_cast<std::uint32_t>(g.submit(good)) == 0);
  CHECK(g.task(0).args == std::vector<std::int64_t>{0, 8, 7});

  const auto refused = [&](auto change, const char* text) {
    TaskSpec bad = good;
    change(bad);
    CHECK_THROWS_AS(g.submit(bad), ProgramError);
    CHECK_THROWS_WITH(g.submit(bad), Contains("INVALID_ARGS (5)") && Contains(text));
  };
  refused([](TaskSpec& t) { t.kernel = nullptr; }, "no kernel");
  refused([](TaskSpec& t) { t.blocks = 0; }, "0 blocks");
  refused([](TaskSpec& t) { t.scalars.clear(); }, "2 tensors and 0 scalars, kernel 'matmul' takes 2 and 1");
  refused([](TaskSpec& t) { t.tensors.resize(25); }, "limits are 24 and 16");
  refused([](TaskSpec& t) { t.tensors[1].direction = Direction::In; }, "tensor 1 ('out0') as In");
  refused([](TaskSpec& t) { t.after = {TaskId{1}}; }, "after task 1, but only 1");
  CHECK(g.size() == 1);
}
