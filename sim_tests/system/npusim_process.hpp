// Runs npusim and looks at what it leaves.
#pragma once

#include <string>
#include <vector>

namespace npu::test {

struct Outcome {
  int status = -1;
  std::string text;  ///< stdout and stderr
};

[[nodiscard]] Outcome npusim(const std::string& arguments);
/// A shell command; `text` is its stdout alone.
[[nodiscard]] Outcome run_command(const std::string& command);

/// npusim ends with the status and says all of the messages.
void check_refused(int status, const std::string& arguments, const std::vector<std::string>& messages);
/// Exit status 2 and the message.
void check_usage_error(const std::string& arguments, const std::string& message);

}  // namespace npu::test
