#include "sim_tests/system/npusim_process.hpp"

#include <sys/wait.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>

namespace npu::test {

Outcome run_command(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Outcome outcome;
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    outcome.text.append(buffer.data(), n);
  outcome.status = WEXITSTATUS(pclose(pipe));
  return outcome;
}

Outcome npusim(const std::string& arguments) {
  return run_command(std::string{NPU_EXECUTABLE} + " " + arguments + " 2>&1");
}

void check_refused(int status, const std::string& arguments, const std::vector<std::string>& messages) {
  const Outcome outcome = npusim(arguments);
  CAPTURE(arguments, outcome.text);
  CHECK(outcome.status == status);
  for (const std::string& message : messages) {
    CAPTURE(message);
    CHECK(outcome.text.find(message) != std::string::npos);
  }
}

void check_usage_error(const std::string& arguments, const std::string& message) {
  check_refused(2, arguments, {message});
}

}  // namespace npu::test
