// Signals that end a run.
#pragma once

#include <string>

namespace npu::cli {

/// A reader that goes away and a file that outgrows its limit are failed writes, no signals.
void ignore_write_signals();

/// From here on SIGINT, SIGTERM and (unless the caller ignores it, as nohup does) SIGHUP set stop_signal, so that a run
/// ends with closed files; the second of them ends the process at once.
void catch_stop_signals();

/// "SIGINT".
[[nodiscard]] std::string signal_name(int number);

}  // namespace npu::cli
