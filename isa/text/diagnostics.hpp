// Collects assembler diagnostics; the user sees many of them at once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "isa/violation.hpp"

namespace npu::isa {

class Diagnostics {
 public:
  static constexpr std::size_t kLimit = 20;

  explicit Diagnostics(std::string_view file_name) : file_name_{file_name} {}
  /// Throws ProgramError at once when the limit is reached.
  void add(std::uint32_t line, std::uint32_t column, Stage stage, std::string_view message);
  /// Throws ProgramError with one line per diagnostic, if there are any.
  void finish() const;

 private:
  std::string file_name_;
  std::vector<std::string> messages_;
};

}  // namespace npu::isa
