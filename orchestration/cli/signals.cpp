#include "orchestration/cli/signals.hpp"

#include <csignal>
#include <string>

#include "isa/stop_signal.hpp"

namespace npu::cli {
namespace {

extern "C" void ask_to_stop(int number) {
  int none = 0;
  if (stop_signal.compare_exchange_strong(none, number)) return;
  std::signal(number, SIG_DFL);
  std::raise(number);
}

/// Without SA_RESTART: a call that waits, for the reader of a FIFO, returns.
void handle(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, nullptr);
}

}  // namespace

void ignore_write_signals() {
  handle(SIGPIPE, SIG_IGN);
  handle(SIGXFSZ, SIG_IGN);
}

void catch_stop_signals() {
  handle(SIGINT, ask_to_stop);
  handle(SIGTERM, ask_to_stop);
  struct sigaction hangup {};
  sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) handle(SIGHUP, ask_to_stop);
}

std::string signal_name(int number) {
  const char* const name = ::sigabbrev_np(number);
  return name == nullptr ? "signal " + std::to_string(number) : std::string{"SIG"} + name;
}

}  // namespace npu::cli
