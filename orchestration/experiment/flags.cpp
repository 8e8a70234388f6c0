#include "orchestration/experiment/flags.hpp"

#include <charconv>

#include "isa/errors.hpp"

namespace npu::orch {

std::optional<std::string> FlagValues::text(std::string_view word) const {
  const auto found = values_.find(word);
  return found == values_.end() ? std::nullopt : std::optional{found->second.back()};
}

std::optional<std::uint32_t> FlagValues::number(std::string_view word) const {
  const std::optional<std::string> given = text(word);
  if (!given) return std::nullopt;
  std::uint32_t value = 0;
  const char* const end = given->data() + given->size();
  const auto [rest, error] = std::from_chars(given->data(), end, value);
  NPU_ASSERT(error == std::errc{} && rest == end, "the command line has checked the number");
  return value;
}

std::vector<std::string> FlagValues::all(std::string_view word) const {
  const auto found = values_.find(word);
  return found == values_.end() ? std::vector<std::string>{} : found->second;
}

}  // namespace npu::orch
