// Directives that declare kernels, arguments, tiles and views. All functions throw StatementError.
#pragma once

#include "isa/program.hpp"
#include "isa/text/lexer.hpp"

namespace npu::isa {

/// NAME KIND DTYPE [rows= cols=]
[[nodiscard]] ArgInfo parse_arg(TokenReader& tokens);
/// NAME [blocks= start=each|together]
void parse_kernel(TokenReader& tokens, KernelObject& kernel);

struct NamedTile {
  std::string identifier;  ///< as the instructions write it
  std::string name;        ///< for tile_names
  TileDesc tile;
};
/// NAME SPACE DTYPE LAYOUT ROWSxCOLS [offset= pitch= valid= offset_reg= rows_reg= cols_reg= pad= name=]
/// The pitch defaults to the line rounded up to 32 bytes, the valid region to the whole tile.
[[nodiscard]] NamedTile parse_tile(TokenReader& tokens);

struct NamedGm {
  std::string identifier;
  GmDesc gm;
};
/// NAME DTYPE LAYOUT [base= offset= pitch= pitch_reg=]
[[nodiscard]] NamedGm parse_gm(TokenReader& tokens);

}  // namespace npu::isa
