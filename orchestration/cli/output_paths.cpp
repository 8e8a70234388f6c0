#include "orchestration/cli/output_paths.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "isa/errors.hpp"
#include "orchestration/experiment/family.hpp"
#include "orchestration/experiment/program_file.hpp"
#include "traces/gtkwave_view.hpp"

namespace npu::cli {
namespace {

namespace fs = std::filesystem;

/// The file that a path names, existing or not.
struct Identity {
  std::optional<std::pair<dev_t, ino_t>> inode;  ///< of a regular file or directory
  fs::path place;                                ///< canonical as far as it exists

  [[nodiscard]] bool operator==(const Identity& other) const {
    return (inode && inode == other.inode) || place == other.place;
  }
};

/// None for what may be written many times over: terminals, /dev/null.
std::optional<Identity> identity_of(const std::string& path) {
  Identity identity;
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    if (S_ISCHR(status.st_mode)) return std::nullopt;
    identity.inode = {status.st_dev, status.st_ino};
  }
  std::error_code error;
  identity.place = fs::weakly_canonical(fs::absolute(path, error), error);
  if (error) identity.place = path;
  if (!identity.place.has_filename()) identity.place = identity.place.parent_path();
  return identity;
}

bool are_same(const NamedPath& a, const NamedPath& b) {
  const auto one = identity_of(a.path), other = identity_of(b.path);
  return one && other && *one == *other;
}

[[noreturn]] void refuse(const NamedPath& output, std::string_view what, const NamedPath& other) {
  throw config_error("{} would overwrite {} {}; choose another name for one of them", output.name, what, other.name);
}

NamedPath inside(std::string_view flag, const std::string& directory, std::string_view file) {
  const std::string path = (fs::path{directory} / file).string();
  return {fmt::format("{} {} ({})", flag, directory, file), path};
}

/// Names of shipped machines and presets are not paths.
bool is_path(const std::string& name) { return name.ends_with(".toml") || name.find('/') != std::string::npos; }

void add_inputs(CommandPaths& paths, const Options& o) {
  const auto add = [&](std::string_view flag, const std::string& path) {
    paths.inputs.push_back({fmt::format("{} {}", flag, path), path});
  };
  if (orch::is_program_file(o.workload)) add("the program", o.workload);
  if (!o.file.empty()) add("the input", o.file);
  if (is_path(o.platform)) add("--platform", o.platform);
  for (const auto& [word, texts] : o.flags.given()) {
    const std::string_view takes = orch::find_flag(word)->value;
    for (const std::string& text : texts) {
      if (takes == "FILE" || (takes == "NAME|FILE" && is_path(text))) add(word, text);
    }
  }
}

}  // namespace

CommandPaths paths_of(const Options& o) {
  CommandPaths paths;
  add_inputs(paths, o);
  const auto add = [&](std::string_view flag, const std::string& path) {
    paths.outputs.push_back({fmt::format("{} {}", flag, path), path});
  };
  if (!o.output.empty()) add("-o", o.output);
  if (o.trace) add("--trace", *o.trace);
  if (o.vcd) {
    add("--vcd", *o.vcd);
    if (const std::string view = traces::view_path(*o.vcd); !view.empty()) {
      paths.outputs.push_back({fmt::format("the view {} of --vcd", view), view});
    }
  }
  if (const std::optional<std::string> directory = o.flags.text("--save-data")) {
    paths.directories.push_back({fmt::format("the directory of --save-data {}", *directory), *directory});
    for (const char* file : {"expected.safetensors", "actual.safetensors"}) {
      paths.outputs.push_back(inside("--save-data", *directory, file));
    }
  }
  if (o.out) {
    paths.directories.push_back({fmt::format("the directory of --out {}", *o.out), *o.out});
    for (const char* file : {"summary.json", "machine.toml", "layer.json"}) {
      paths.outputs.push_back(inside("--out", *o.out, file));
    }
  }
  // A result on stdout that goes into a file. Two results of asm and disasm never meet there.
  struct stat status {};
  if (o.command == Command::Run && ::fstat(STDOUT_FILENO, &status) == 0 && S_ISREG(status.st_mode)) {
    paths.outputs.push_back({"stdout", "/dev/stdout"});
  }
  return paths;
}

void refuse_shared_paths(const CommandPaths& paths) {
  for (std::size_t i = 0; i < paths.outputs.size(); ++i) {
    const NamedPath& output = paths.outputs[i];
    for (const NamedPath& input : paths.inputs) {
      if (are_same(output, input)) refuse(output, "what is read:", input);
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (are_same(output, paths.outputs[j])) refuse(output, "another output:", paths.outputs[j]);
    }
    for (const NamedPath& directory : paths.directories) {
      // The directory, or one that it lies in, would be this file.
      const auto file = identity_of(output.path), made = identity_of(directory.path);
      if (!file || !made) continue;
      for (fs::path at = made->place; at.has_relative_path(); at = at.parent_path()) {
        if (at == file->place) refuse(output, "another output:", directory);
      }
    }
  }
  for (const NamedPath& directory : paths.directories) {
    for (const NamedPath& input : paths.inputs) {
      if (are_same(directory, input)) refuse(directory, "what is read:", input);
    }
  }
}

}  // namespace npu::cli
