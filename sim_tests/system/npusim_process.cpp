#include "sim_tests/system/npusim_process.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <thread>

#include "sim_tests/support/temporary_directory.hpp"

namespace npu::test {
namespace {

int status_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

}  // namespace

Outcome run_command(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Outcome outcome;
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    outcome.text.append(buffer.data(), n);
  outcome.status = status_of(pclose(pipe));
  return outcome;
}

Outcome npusim(const std::string& arguments) {
  return run_command(std::string{NPU_EXECUTABLE} + " " + arguments + " 2>&1");
}

nlohmann::json summary_of(const std::string& arguments) {
  const TemporaryDirectory directory;
  const Outcome outcome = npusim("run " + arguments + " --out " + directory.file("out"));
  CAPTURE(arguments, outcome.text);
  REQUIRE(outcome.status == 0);
  return nlohmann::json::parse(file_text(directory.file("out") + "/summary.json"));
}

RunningNpusim::RunningNpusim(const std::string& arguments, const std::string& log) : log_{log} {
  const std::string command = "exec " + std::string{NPU_EXECUTABLE} + " " + arguments + " >" + log + " 2>&1";
  process_ = ::fork();
  REQUIRE(process_ >= 0);
  if (process_ == 0) {
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
}

RunningNpusim::~RunningNpusim() {
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, &wait_status_, 0);
}

bool RunningNpusim::has_ended() {
  if (process_ >= 0 && ::waitpid(process_, &wait_status_, WNOHANG) == process_) process_ = -1;
  return process_ < 0;
}

bool RunningNpusim::wait_until(const std::function<bool()>& condition) {
  while (!condition()) {
    if (has_ended()) return condition();
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  return true;
}

void RunningNpusim::send(int signal) const { REQUIRE(::kill(process_, signal) == 0); }

Outcome RunningNpusim::wait() {
  while (!has_ended()) std::this_thread::sleep_for(std::chrono::milliseconds{5});
  return {status_of(wait_status_), file_text(log_)};
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

std::string file_text(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace npu::test
