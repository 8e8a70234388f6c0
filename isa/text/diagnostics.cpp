#include "isa/text/diagnostics.hpp"

#include <fmt/format.h>

#include "isa/errors.hpp"

namespace npu::isa {

void Diagnostics::add(std::uint32_t line, std::uint32_t column, Stage stage, std::string_view message) {
  messages_.push_back(fmt::format("{}:{}:{}: {}: {}", file_name_, line, column, name_of(stage), message));
  if (messages_.size() < kLimit) return;
  messages_.push_back(fmt::format("{}: further errors are not shown", file_name_));
  finish();
}

void Diagnostics::finish() const {
  if (!messages_.empty()) throw ProgramError{fmt::format("{}", fmt::join(messages_, "\n"))};
}

}  // namespace npu::isa
