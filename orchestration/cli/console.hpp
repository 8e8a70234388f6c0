// stdout and stderr of the process: printing that never throws, failures that the exit status tells, colours.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace npu::cli {

enum class Stream : std::uint8_t { Out, Err };
enum class Colour : std::uint8_t { Red, Green, Yellow };

/// Makes sure that no file of the run takes the place of a standard stream that the caller has closed. Call first.
void open_standard_streams();

/// A write that fails is remembered; flush_stdout() tells.
void print_text(Stream stream, std::string_view text);
template <class... Args>
void print(Stream stream, fmt::format_string<Args...> f, Args&&... args) {
  print_text(stream, fmt::format(f, std::forward<Args>(args)...));
}

/// Whether all of stdout has arrived; else says on stderr why not, except to a reader that has gone away.
[[nodiscard]] bool flush_stdout();

/// "npusim: TEXT" and "npusim: warning: TEXT" as lines on stderr, what comes before the text in colour on a terminal.
void print_error(std::string_view text);
void print_warning(std::string_view text);

/// The text in colour where the stream is a terminal and NO_COLOR is not set (no-color.org).
[[nodiscard]] std::string coloured(Stream stream, Colour colour, std::string_view text);

}  // namespace npu::cli
