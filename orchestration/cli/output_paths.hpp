// No output of a command is one of its inputs or another output.
#pragma once

#include <string>
#include <vector>

#include "orchestration/cli/options.hpp"

namespace npu::cli {

/// A file or directory and what the user calls it by, for messages: "--trace t.json".
struct NamedPath {
  std::string name;
  std::string path;
};

struct CommandPaths {
  std::vector<NamedPath> inputs;
  std::vector<NamedPath> outputs;      ///< files
  std::vector<NamedPath> directories;  ///< that outputs lie in and that the command makes
};

/// What a command reads and writes, as far as the flags alone say.
[[nodiscard]] CommandPaths paths_of(const Options& options);

/// ConfigError naming both sides where an output is an input or another output: the same file by any name (links
/// included), or a file where a directory is to be.
void refuse_shared_paths(const CommandPaths& paths);

}  // namespace npu::cli
