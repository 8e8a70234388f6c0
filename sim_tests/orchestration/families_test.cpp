// Families of experiments: every name and every flag has an owner, and a flag means the same to all who take it.
#include <catch2/catch.hpp>
#include <set>

#include "isa/errors.hpp"
#include "orchestration/experiment/family.hpp"

namespace npu::orch {
namespace {

std::string refusal(std::string_view workload, std::string_view word, Use use = Use::Run) {
  FlagValues flags;
  flags.add(word, "1");
  try {
    refuse_foreign_flags(workload, flags, use);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a workload belongs to the one family that lists it") {
  for (const Family* family : families()) {
    for (const WorkloadName& workload : family->workloads()) {
      CAPTURE(workload.name);
      CHECK(&family_of(workload.name) == family);
      CHECK_FALSE(workload.summary.empty());
      for (const Family* other : families()) CHECK(other->has(workload.name) == (other == family));
    }
  }
  CHECK(&family_of("some/k.npuo") == &program_family());
}

TEST_CASE("a flag that several families take is declared alike by all of them") {
  for (const Family* family : families()) {
    std::set<std::string_view> words;
    for (const FlagSpec& spec : family->flags) {
      CAPTURE(spec.word);
      CHECK(words.insert(spec.word).second);
      CHECK((spec.kind == FlagKind::Switch) == spec.value.empty());
      CHECK_FALSE(spec.summary.empty());
      // Flags whose values differ from workload to workload are in the help of the workload alone.
      CHECK((!spec.group.empty() || family->takes != nullptr));
      const FlagSpec& first = *find_flag(spec.word);
      CHECK(first.kind == spec.kind);
      CHECK(first.value == spec.value);
      CHECK(first.summary == spec.summary);
      CHECK(first.fallback == spec.fallback);
    }
  }
}

TEST_CASE("every family takes its own flags and refuses the others by the name of their owners") {
  for (const Family* family : families()) {
    const auto names = family->workloads();
    const std::string_view workload = names.empty() ? "k.npu" : names.front().name;
    for (const Family* owner : families()) {
      for (const FlagSpec& spec : owner->flags) {
        CAPTURE(workload, spec.word);
        bool takes = false;
        for (const FlagSpec& own : family->flags) {
          takes = takes || (own.word == spec.word && (family->takes == nullptr || family->takes(workload, own)));
        }
        const std::string text = refusal(workload, spec.word);
        CHECK(text.empty() == takes);
        if (takes) continue;
        CHECK(text.find(std::string{spec.word} + " belongs to ") == 0);
        for (const WorkloadName& other : owner->takes == nullptr ? std::vector<WorkloadName>{} : owner->workloads()) {
          CHECK((text.find(other.name) != std::string::npos || !owner->takes(other.name, spec)));
        }
        CHECK((owner->takes != nullptr || text.find(owner->title) != std::string::npos));
        CHECK(text.find(std::string{workload} + " takes " + std::string{family->flags.front().word}) !=
              std::string::npos);
      }
    }
  }
}

TEST_CASE("the budget of kernels takes the flags alone that decide which kernels there are") {
  CHECK(refusal("decode-layer", "--batch", Use::Fit).empty());
  CHECK(refusal("decode-step", "--layers", Use::Fit).empty());
  CHECK(refusal("k.npu", "--preset", Use::Fit) ==
        "--preset belongs to the workloads of a layer and decode-step; k.npu takes none of these flags");
}

}  // namespace npu::orch
