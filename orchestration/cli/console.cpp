#include "orchestration/cli/console.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace npu::cli {
namespace {

int stdout_failure = 0;  ///< errno of the first write that failed

int descriptor_of(Stream stream) { return stream == Stream::Out ? STDOUT_FILENO : STDERR_FILENO; }

void remember_failure() {
  if (stdout_failure == 0) stdout_failure = errno != 0 ? errno : EIO;
}

}  // namespace

void open_standard_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // Takes the lowest free number, which is this one; opened for reading, it fails whoever prints.
    if (::fcntl(descriptor, F_GETFD) == -1) static_cast<void>(::open("/dev/null", O_RDONLY));
  }
}

void print_text(Stream stream, std::string_view text) {
  errno = 0;
  const bool is_out = stream == Stream::Out;
  const std::size_t done = std::fwrite(text.data(), 1, text.size(), is_out ? stdout : stderr);
  if (is_out && done != text.size()) remember_failure();
}

void print_error(std::string_view text) {
  print(Stream::Err, "{} {}\n", coloured(Stream::Err, Colour::Red, "npusim:"), text);
}

void print_warning(std::string_view text) {
  print(Stream::Err, "{} {}\n", coloured(Stream::Err, Colour::Yellow, "npusim: warning:"), text);
}

bool flush_stdout() {
  errno = 0;
  if (std::fflush(stdout) != 0) remember_failure();
  if (stdout_failure == 0) return true;
  if (stdout_failure != EPIPE) {
    print_error(fmt::format("stdout: cannot be written ({})", std::generic_category().message(stdout_failure)));
  }
  return false;
}

std::string coloured(Stream stream, Colour colour, std::string_view text) {
  constexpr std::string_view kCodes[] = {"31", "32", "33"};
  const char* const unwanted = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  const bool shows = ::isatty(descriptor_of(stream)) == 1 && (unwanted == nullptr || *unwanted == '\0') &&
                     terminal != nullptr && std::string_view{terminal} != "dumb";
  if (!shows) return std::string{text};
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<std::size_t>(colour)], text);
}

}  // namespace npu::cli
