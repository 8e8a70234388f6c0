#include "isa/text/instruction_parser.hpp"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <limits>
#include <vector>

#include "isa/errors.hpp"
#include "isa/instructions/instruction_form.hpp"
#include "isa/nearest_name.hpp"
#include "isa/text/names.hpp"

namespace npu::isa {
namespace {

std::string mode_list(ModeKind kind) {
  std::string text;
  for (std::size_t i = 0; i < mode_count(kind); ++i) {
    const std::string_view name = mode_name(kind, static_cast<std::uint8_t>(i));
    if (!name.empty()) text += fmt::format("{}.{}", text.empty() ? "" : ", ", name);
  }
  return text;
}

/// Opcode and mode of "tcvt.rint", "tmatmul.acc", "halt".
Instruction parse_mnemonic(const Token& token) {
  const std::string_view text = token.text;
  Instruction ins;
  std::string_view mode;
  auto opcode = opcode_from_mnemonic(text);
  if (!opcode) {
    const std::size_t dot = text.rfind('.');
    if (dot != std::string_view::npos) {
      opcode = opcode_from_mnemonic(text.substr(0, dot));
      mode = text.substr(dot + 1);
    }
  }
  if (!opcode) {
    std::vector<std::string_view> mnemonics;
    for (const OpInfo& row : instruction_table()) mnemonics.push_back(row.mnemonic);
    throw StatementError{token.column, Stage::Parse,
                         fmt::format("unknown instruction `{}`, nearest is `{}`", text, nearest_name(text, mnemonics))};
  }
  const OpInfo& info = op_info(*opcode);
  const auto value = mode_from_name(info.mode, mode);
  if (!value || (mode.empty() && text.ends_with('.'))) {
    const std::string modes = mode_list(info.mode);
    throw StatementError{token.column, Stage::Parse,
                         modes.empty() ? fmt::format("{} has no attribute `.{}`", info.mnemonic, mode)
                                       : fmt::format("{} takes one of {}, found `{}`", info.mnemonic, modes, text)};
  }
  ins.opcode = *opcode;
  ins.mode = *value;
  return ins;
}

/// Signed decimal, or hexadecimal as the 32-bit pattern.
std::int32_t parse_immediate(const Token& token, std::string_view text) {
  const bool pattern = text.starts_with("0x");
  const std::int64_t hi = pattern ? std::int64_t{std::numeric_limits<std::uint32_t>::max()}
                                  : std::int64_t{std::numeric_limits<std::int32_t>::max()};
  return static_cast<std::int32_t>(parse_integer(token, text, std::numeric_limits<std::int32_t>::min(), hi));
}

std::int32_t parse_float_bits(const Token& token) {
  std::string_view digits = token.text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  float value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    throw StatementError{token.column, Stage::Type,
                         fmt::format("expected a float for this tile, found `{}`", token.text)};
  }
  return std::bit_cast<std::int32_t>(value);
}

bool is_register_name(std::string_view text) {
  return text.size() >= 2 && text[0] == 'r' && text[1] >= '0' && text[1] <= '9';
}

class OperandParser {
 public:
  OperandParser(Instruction& ins, TokenReader& tokens, const SymbolTable& symbols, const Program& program)
      : ins_{ins}, tokens_{tokens}, symbols_{symbols}, program_{program} {}

  /// Column and name of a label operand are left in `out`.
  void parse(const OperandSpec& spec, ParsedInstruction& out) {
    switch (spec.kind) {
      case OperandKind::RegDst:
      case OperandKind::RegSrc: {
        const Token& token = tokens_.expect_word("a register");
        return set_register_field(ins_, spec.field, parse_register(token, token.text));
      }
      case OperandKind::Imm:
        return parse_imm(spec);
      case OperandKind::Label: {
        const Token& token = tokens_.expect_word("a label");
        out.label = token.text;
        out.label_column = token.column;
        return;
      }
      case OperandKind::Scalar:
        return parse_scalar();
      case OperandKind::FlagId:
        return parse_flag_id();
      case OperandKind::PipeName:
        return parse_pipe(spec.field);
      case OperandKind::TileDst:
      case OperandKind::TileSrc:
      case OperandKind::TileInOut:
        return set_descriptor_field(ins_, spec.field, lookup(symbols_.tiles, "tile"));
      case OperandKind::GmSrc:
      case OperandKind::GmDst:
        return set_descriptor_field(ins_, spec.field, lookup(symbols_.gms, "gm view"));
    }
    NPU_ASSERT(false, "operand kind without a parser");
  }

 private:
  std::uint16_t lookup(const std::map<std::string, std::uint16_t, std::less<>>& table, std::string_view what) {
    const Token& token = tokens_.expect_word(what);
    const auto found = table.find(token.text);
    if (found != table.end()) return found->second;
    throw StatementError{token.column, Stage::Parse, fmt::format("unknown {} `{}`", what, token.text)};
  }

  void parse_imm(const OperandSpec& spec) {
    if (is_bias_operand(ins_.opcode, spec.kind)) {
      ins_.imm = lookup(symbols_.tiles, "bias tile");
      return;
    }
    const Token& token = tokens_.expect_word("an immediate");
    ins_.imm = parse_immediate(token, token.text);
  }

  void parse_scalar() {
    const Token& token = tokens_.expect_word("a register or a number");
    if (is_register_name(token.text)) {
      ins_.r0 = parse_register(token, token.text);
      if (ins_.r0 == 0) throw StatementError{token.column, Stage::Parse, "r0 as scalar operand; write 0"};
      return;
    }
    const bool bits = token.text.starts_with("0x") || !is_float(program_.tiles[ins_.t0].dtype);
    ins_.imm = bits ? parse_immediate(token, token.text) : parse_float_bits(token);
  }

  /// ID, rN, or rN+ID.
  void parse_flag_id() {
    const Token* token = &tokens_.expect_word("a flag id");
    if (is_register_name(token->text)) {
      ins_.r0 = parse_register(*token, token->text);
      if (ins_.r0 == 0) throw StatementError{token->column, Stage::Parse, "r0 as flag id; write 0"};
      if (tokens_.at_end()) return;
      token = &tokens_.expect_word("an offset");
      if (token->text[0] != '+' && token->text[0] != '-') {
        throw StatementError{token->column, Stage::Parse, fmt::format("expected +ID, found `{}`", token->text)};
      }
    }
    ins_.imm = parse_immediate(*token, token->text);
  }

  void parse_pipe(Field field) {
    const Token& token = tokens_.expect_word("a pipe");
    if (token.text == "all" && ins_.opcode == Opcode::PipeBarrier)
      return set_descriptor_field(ins_, field, kNoDescriptor);
    for (std::size_t i = 0; i < kPipeCount; ++i) {
      if (kPipeNames[i] == token.text) return set_descriptor_field(ins_, field, static_cast<std::uint16_t>(i));
    }
    throw StatementError{token.column, Stage::Target,
                         fmt::format("unknown pipe `{}`; one of {}", token.text, fmt::join(kPipeNames, ", "))};
  }

  Instruction& ins_;
  TokenReader& tokens_;
  const SymbolTable& symbols_;
  const Program& program_;
};

}  // namespace

ParsedInstruction parse_instruction(const Token& mnemonic, TokenReader& tokens, const SymbolTable& symbols,
                                    const Program& program) {
  ParsedInstruction out;
  out.word = parse_mnemonic(mnemonic);
  OperandParser parser{out.word, tokens, symbols, program};
  bool first = true;
  for (const OperandSpec& spec : op_info(out.word.opcode).operands) {
    if (!first) tokens.expect(',');
    first = false;
    parser.parse(spec, out);
  }
  tokens.expect_end();
  return out;
}

}  // namespace npu::isa
