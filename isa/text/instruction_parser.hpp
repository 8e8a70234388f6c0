// One instruction statement to one instruction word.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "isa/program.hpp"
#include "isa/text/lexer.hpp"

namespace npu::isa {

/// Names that the instructions of a part may use.
struct SymbolTable {
  std::map<std::string, std::uint16_t, std::less<>> tiles, gms;
};

struct ParsedInstruction {
  Instruction word;
  std::string label;  ///< branch target, resolved when the part is complete; else empty
  std::uint32_t label_column = 0;
};

/// Throws StatementError. The program holds the tiles declared so far.
[[nodiscard]] ParsedInstruction parse_instruction(const Token& mnemonic, TokenReader& tokens,
                                                  const SymbolTable& symbols, const Program& program);

}  // namespace npu::isa
