// Kernels of one part from a few lines of text, and the findings that the verifier has about them.
#pragma once

#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "isa/arch_spec.hpp"
#include "isa/text/assembler.hpp"
#include "isa/verifier.hpp"

namespace npu::isa {

/// Declarations and code of a part; halt is added.
struct Listing {
  std::string declarations, code;
};

inline KernelObject assembled(std::string_view part, const Listing& listing) {
  return assemble(".kernel k\n.arg x in f32\n" + std::string{part} + "\n" + listing.declarations + "\n" + listing.code +
                      "\n  halt\n",
                  "k.npu");
}

inline std::string all_findings(const KernelObject& object) {
  std::string text;
  for (const Finding& f : verify(object, a2a3_arch_spec())) text += to_string(f) + "\n";
  return text;
}

/// The only finding; fails the test when there are none or several.
inline std::string only_finding(const KernelObject& object) {
  const auto findings = verify(object, a2a3_arch_spec());
  INFO(all_findings(object));
  REQUIRE(findings.size() == 1);
  return to_string(findings.front());
}

struct RuleCase {
  std::string declarations, code, expected;
};

inline void check_each(std::string_view part, const std::string& declarations, const std::vector<RuleCase>& cases) {
  for (const RuleCase& c : cases) {
    INFO(c.declarations << c.code);
    CHECK_THAT(only_finding(assembled(part, {declarations + c.declarations, c.code})),
               Catch::Matchers::Contains(c.expected));
  }
}

}  // namespace npu::isa
