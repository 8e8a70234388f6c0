#include "orchestration/validate/run_anchors.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <system_error>
#include <thread>
#include <tuple>

#include "isa/errors.hpp"
#include "isa/shown_text.hpp"
#include "isa/stop_signal.hpp"

namespace npu::orch {
namespace {

namespace fs = std::filesystem;

/// A directory for the files of the runs, gone with it.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "npusim-validate-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw config_error("validate: no directory for its runs can be made at {} ({}); set TMPDIR to another place",
                         name, std::generic_category().message(errno));
    }
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] fs::path of_run(std::size_t run) const { return path_ / fmt::format("{}", run); }

 private:
  fs::path path_;
};

struct Run {
  std::vector<std::string> words;  ///< of the command line, behind the executable
  std::vector<std::size_t> rows;   ///< positions of the anchors that it serves
};

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream{text};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::vector<Run> runs_of(const std::vector<Anchor>& anchors) {
  std::vector<Run> runs;
  std::map<std::vector<std::string>, std::size_t> known;
  for (std::size_t i = 0; i < anchors.size(); ++i) {
    const Anchor& a = anchors[i];
    if (!a.error.empty()) continue;
    std::vector<std::string> words{"run", a.workload, "--platform", a.platform};
    const std::vector<std::string> args = words_of(a.args);
    words.insert(words.end(), args.begin(), args.end());
    if (std::find(args.begin(), args.end(), "--mode") == args.end()) words.insert(words.end(), {"--mode", "timing"});
    const auto [found, is_new] = known.try_emplace(words, runs.size());
    if (is_new) runs.push_back({std::move(words), {}});
    runs[found->second].rows.push_back(i);
  }
  return runs;
}

pid_t start(const std::string& executable, const Run& run, const fs::path& directory) {
  std::vector<std::string> words{executable};
  words.insert(words.end(), run.words.begin(), run.words.end());
  words.insert(words.end(), {"--skip-golden", "--out", directory.string()});
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  const std::string errors = directory.string() + ".err";
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t process = -1;
  const int error = ::posix_spawn(&process, executable.c_str(), &files, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) {
    throw config_error("validate: {} cannot be started ({})", executable, std::generic_category().message(error));
  }
  return process;
}

std::string text_of(const fs::path& file) {
  std::ifstream stream{file, std::ios::binary};
  std::ostringstream text;
  text << stream.rdbuf();
  return std::move(text).str();
}

/// Why a run failed: what it said, without its name.
std::string failure_of(int status, const std::string& errors) {
  if (WIFSIGNALED(status)) return fmt::format("ended by signal {}", WTERMSIG(status));
  constexpr std::string_view kName = "npusim: ";
  std::string line = errors.substr(0, errors.find('\n'));
  if (line.starts_with(kName)) line.erase(0, kName.size());
  return line.empty() ? fmt::format("exit status {}", WEXITSTATUS(status)) : line;
}

void take_results(const Run& run, const fs::path& directory, int status, std::vector<AnchorResult>& results) {
  const bool failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
  const std::string reason = failed ? failure_of(status, text_of(directory.string() + ".err")) : "";
  const std::string summary = failed ? "" : text_of(directory / "summary.json");
  for (const std::size_t row : run.rows) {
    AnchorResult& result = results[row];
    if (failed) {
      result.reason = reason;
      continue;
    }
    try {
      result.simulated = figure_at(summary, result.anchor.metric);
    } catch (const ConfigError& error) {
      result.reason = error.what();
    }
  }
  std::error_code ignored;
  fs::remove_all(directory, ignored);
}

/// Processes that go on; ends and awaits those that are left.
class Processes {
 public:
  Processes() = default;
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;
  ~Processes() {
    for (const auto& [process, run] : running_) ::kill(process, SIGTERM);
    for (const auto& [process, run] : running_) ::waitpid(process, nullptr, 0);
  }
  [[nodiscard]] std::size_t count() const { return running_.size(); }
  void add(pid_t process, std::size_t run) { running_[process] = run; }

  struct Ended {
    std::size_t run;
    int status;
  };
  /// The next that ends. Throws Interrupted where a signal ends this process.
  [[nodiscard]] Ended wait() {
    for (;;) {
      throw_if_stopped();
      for (const auto& [process, run] : running_) {
        int status = 0;
        if (::waitpid(process, &status, WNOHANG) != process) continue;
        const Ended ended{run, status};
        running_.erase(process);
        return ended;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
  }

 private:
  std::map<pid_t, std::size_t> running_;
};

}  // namespace

std::vector<AnchorResult> run_anchors(const std::vector<Anchor>& anchors, const AnchorRuns& options) {
  std::vector<AnchorResult> results;
  for (const Anchor& anchor : anchors) {
    AnchorResult& result = results.emplace_back();
    result.anchor = anchor;
    if (!anchor.error.empty()) result.reason = fmt::format("line {}: {}", anchor.line, anchor.error);
  }
  const std::vector<Run> runs = runs_of(anchors);
  const Scratch scratch;
  Processes processes;
  std::size_t next = 0;
  for (std::size_t done = 0; done < runs.size(); ++done) {
    for (; next < runs.size() && processes.count() < options.jobs; ++next) {
      throw_if_stopped();
      processes.add(start(options.executable, runs[next], scratch.of_run(next)), next);
    }
    const Processes::Ended ended = processes.wait();
    take_results(runs[ended.run], scratch.of_run(ended.run), ended.status, results);
    if (options.on_progress) options.on_progress(done + 1, runs.size());
  }
  return results;
}

double figure_at(std::string_view json, std::string_view path) {
  const nlohmann::json all = nlohmann::json::parse(json, nullptr, false);
  if (all.is_discarded()) throw config_error("the run left no summary that can be read");
  const nlohmann::json* at = &all;
  std::string_view rest = path;
  while (!rest.empty()) {
    const std::string key{rest.substr(0, rest.find('.'))};
    rest.remove_prefix(std::min(key.size() + 1, rest.size()));
    const nlohmann::json* found = nullptr;
    if (at->is_object() && at->contains(key)) found = &at->at(key);
    if (at->is_array() && !key.empty() && key.size() < 9 && key.find_first_not_of("0123456789") == std::string::npos &&
        std::stoul(key) < at->size()) {
      found = &at->at(std::stoul(key));
    }
    if (found == nullptr) throw config_error("metric {}: summary.json has no {}", path, isa::shown(key));
    at = found;
  }
  if (!at->is_number()) throw config_error("metric {}: no number", path);
  return at->get<double>();
}

}  // namespace npu::orch
