// Runs npusim and looks at what it leaves.
#pragma once

#include <string>

namespace npu::test {

struct Outcome {
  int status = -1;
  std::string text;  ///< stdout and stderr
};

[[nodiscard]] Outcome npusim(const std::string& arguments);
/// Exit status 2 and the message.
void check_usage_error(const std::string& arguments, const std::string& message);

}  // namespace npu::test
