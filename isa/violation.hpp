// A broken rule of the instruction set, without the place where it was broken.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace npu::isa {

/// Which kind of rule refused; the stage of an assembler diagnostic.
enum class Stage : std::uint8_t { Parse, Type, Shape, Layout, Target };
inline constexpr std::array<std::string_view, 5> kStageNames{"parse", "type", "shape", "layout", "target"};
[[nodiscard]] constexpr std::string_view name_of(Stage s) { return kStageNames[static_cast<std::size_t>(s)]; }

struct Violation {
  Stage stage = Stage::Parse;
  std::string what;     ///< what the program does
  std::string limit;    ///< what is allowed
  std::string way_out;  ///< what the programmer can do
};

}  // namespace npu::isa
