#include "orchestration/cli/failure.hpp"

#include <fmt/format.h>

#include <csignal>
#include <new>

#include "isa/errors.hpp"
#include "isa/stop_signal.hpp"
#include "orchestration/cli/signals.hpp"
#include "orchestration/data/mapped_file.hpp"

namespace npu::cli {
namespace {

constexpr int kSignalBase = 128;  ///< exit status of a process that a signal ended, as shells have it

Failure config_failure(std::string text) { return {kConfigError, "config", "usage or configuration", std::move(text)}; }

}  // namespace

Failure failure_of(const std::exception& error) {
  if (const std::string file = orch::MappedFile::shrunk(); !file.empty()) {
    return config_failure(fmt::format("{}: became shorter while it was read; give a file that nobody writes", file));
  }
  if (const int number = stop_signal; number != 0) {
    return {kSignalBase + number, "interrupted", fmt::format("interrupted by {}", signal_name(number)), error.what()};
  }
  if (dynamic_cast<const TimeLimit*>(&error) != nullptr) {
    return {kHang, "time_limit", "beyond --max-us", error.what()};
  }
  if (dynamic_cast<const Deadlock*>(&error) != nullptr) return {kHang, "hang", "hang", error.what()};
  if (dynamic_cast<const ProgramError*>(&error) != nullptr) {
    return {kIllegalProgram, "illegal", "illegal program or does not fit", error.what()};
  }
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
    return config_failure(
        "the host has no memory left; choose a smaller preset, --batch, --seq or --ep, or --mode timing, which holds "
        "no weights");
  }
  return config_failure(error.what());
}

}  // namespace npu::cli
