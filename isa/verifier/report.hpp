// Collects violations with the place where they were found.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "isa/program.hpp"
#include "isa/verifier.hpp"

namespace npu::isa {

class Report {
 public:
  explicit Report(const Program& program) : program_{&program} {}
  void add_instruction(std::size_t index, Violation violation);
  void add_tile(std::size_t index, Violation violation);
  void add_gm(std::size_t index, Violation violation);
  void add_program(Violation violation);
  [[nodiscard]] std::vector<Finding> take() { return std::move(findings_); }

 private:
  Finding& add(std::string subject, Violation violation);

  const Program* program_;
  std::vector<Finding> findings_;
};

}  // namespace npu::isa
