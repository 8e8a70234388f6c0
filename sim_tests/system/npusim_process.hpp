// Runs npusim and looks at what it leaves.
#pragma once

#include <sys/types.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace npu::test {

struct Outcome {
  int status = -1;   ///< as a shell has it: 128 and the number of the signal that ended it
  std::string text;  ///< stdout and stderr
};

[[nodiscard]] Outcome npusim(const std::string& arguments);
/// A shell command; `text` is its stdout alone.
[[nodiscard]] Outcome run_command(const std::string& command);

/// summary.json of `npusim run` with these arguments, which ends with status 0.
[[nodiscard]] nlohmann::json summary_of(const std::string& arguments);

/// npusim as it runs.
class RunningNpusim {
 public:
  /// `log` is a file for stdout and stderr.
  RunningNpusim(const std::string& arguments, const std::string& log);
  ~RunningNpusim();
  RunningNpusim(const RunningNpusim&) = delete;
  RunningNpusim& operator=(const RunningNpusim&) = delete;

  /// Waits until the condition holds or npusim has ended; whether it holds.
  [[nodiscard]] bool wait_until(const std::function<bool()>& condition);
  void send(int signal) const;
  /// The end.
  [[nodiscard]] Outcome wait();

 private:
  [[nodiscard]] bool has_ended();

  pid_t process_ = -1;
  std::string log_;
  int wait_status_ = 0;
};

/// npusim ends with the status and says all of the messages.
void check_refused(int status, const std::string& arguments, const std::vector<std::string>& messages);
/// Exit status 2 and the message.
void check_usage_error(const std::string& arguments, const std::string& message);

/// Content of a file; empty where there is none.
[[nodiscard]] std::string file_text(const std::string& path);

}  // namespace npu::test
