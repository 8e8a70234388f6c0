#include "isa/text/directives.hpp"

#include <fmt/format.h>

#include <limits>
#include <set>
#include <span>

#include "isa/text/names.hpp"
#include "isa/units.hpp"

namespace npu::isa {
namespace {

constexpr std::uint32_t kDefaultPitchGranule = 32;  ///< bytes; a UB block

template <class Enum>
Enum parse_enum(const Token& token, std::span<const std::string_view> names, std::string_view what, Stage stage) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == token.text) return static_cast<Enum>(i);
  }
  throw StatementError{token.column, stage,
                       fmt::format("unknown {} `{}`; one of {}", what, token.text, fmt::join(names, ", "))};
}

template <class Unsigned>
Unsigned parse_unsigned(const Token& token, std::string_view text) {
  return static_cast<Unsigned>(parse_integer(token, text, 0, std::numeric_limits<Unsigned>::max()));
}

struct Extents {
  std::uint16_t rows, cols;
};
Extents parse_extents(const Token& token) {
  const std::size_t x = token.text.find('x');
  if (x == std::string::npos) {
    throw StatementError{token.column, Stage::Parse, fmt::format("expected ROWSxCOLS, found `{}`", token.text)};
  }
  const std::string_view text = token.text;
  return {parse_unsigned<std::uint16_t>(token, text.substr(0, x)),
          parse_unsigned<std::uint16_t>(token, text.substr(x + 1))};
}

const Token& identifier(TokenReader& tokens, std::string_view what) {
  const Token& token = tokens.expect_word(what);
  if (!is_identifier(token.text)) {
    throw StatementError{token.column, Stage::Parse, fmt::format("{} `{}` is not an identifier", what, token.text)};
  }
  return token;
}

/// Calls set(key, value) for each key=value up to the end of the line; `set` returns false for an unknown key.
template <class Set>
void parse_keys(TokenReader& tokens, Set set) {
  std::set<std::string> seen;
  while (!tokens.at_end()) {
    const Token& key = tokens.expect_word("key=value");
    tokens.expect('=');
    const Token& value = tokens.take();
    if (!seen.insert(key.text).second) {
      throw StatementError{key.column, Stage::Parse, fmt::format("`{}` is given twice", key.text)};
    }
    const bool is_name = key.text == "name" && value.kind == TokenKind::String;
    if ((value.kind != TokenKind::Word && !is_name) || !set(key.text, value)) {
      throw StatementError{key.column, Stage::Parse,
                           fmt::format("`{}={}` is not understood here", key.text, value.text)};
    }
  }
}

void set_default_pitch(TileDesc& tile) {
  const std::uint64_t elements = is_column_major(tile.layout) ? tile.rows : tile.cols;
  tile.pitch = static_cast<std::uint32_t>(round_up(elements * size_of(tile.dtype), kDefaultPitchGranule));
}

bool set_tile_key(NamedTile& out, const std::string& key, const Token& value) {
  TileDesc& t = out.tile;
  if (key == "name" && value.kind == TokenKind::String) {
    out.name = value.text;
  } else if (key == "offset") {
    t.offset = parse_unsigned<std::uint32_t>(value, value.text);
  } else if (key == "pitch") {
    t.pitch = parse_unsigned<std::uint32_t>(value, value.text);
  } else if (key == "valid") {
    const auto [rows, cols] = parse_extents(value);
    t.valid_rows = rows;
    t.valid_cols = cols;
  } else if (key == "offset_reg") {
    t.offset_reg = parse_register(value, value.text);
  } else if (key == "rows_reg") {
    t.valid_rows_reg = parse_register(value, value.text);
  } else if (key == "cols_reg") {
    t.valid_cols_reg = parse_register(value, value.text);
  } else if (key == "pad") {
    t.pad = parse_enum<Pad>(value, kPadNames, "pad", Stage::Parse);
  } else {
    return false;
  }
  return true;
}

bool set_gm_key(GmDesc& g, const std::string& key, const Token& value) {
  if (key == "base") {
    g.base_reg = parse_register(value, value.text);
  } else if (key == "offset") {
    g.offset = parse_integer(value, value.text, std::numeric_limits<std::int64_t>::min(),
                             std::numeric_limits<std::int64_t>::max());
  } else if (key == "pitch") {
    g.pitch = parse_unsigned<std::uint32_t>(value, value.text);
  } else if (key == "pitch_reg") {
    g.pitch_reg = parse_register(value, value.text);
  } else {
    return false;
  }
  return true;
}

}  // namespace

ArgInfo parse_arg(TokenReader& tokens) {
  ArgInfo arg;
  arg.name = tokens.expect_name("argument name").text;
  arg.kind = parse_enum<ArgKind>(tokens.expect_word("argument kind"), kArgKindNames, "argument kind", Stage::Parse);
  arg.dtype = parse_enum<DType>(tokens.expect_word("dtype"), kDTypeNames, "dtype", Stage::Type);
  parse_keys(tokens, [&](const std::string& key, const Token& value) {
    if (key != "rows" && key != "cols") return false;
    (key == "rows" ? arg.rows : arg.cols) = parse_unsigned<std::uint32_t>(value, value.text);
    return true;
  });
  return arg;
}

void parse_kernel(TokenReader& tokens, KernelObject& kernel) {
  kernel.name = tokens.expect_name("kernel name").text;
  parse_keys(tokens, [&](const std::string& key, const Token& value) {
    if (key == "blocks") {
      kernel.blocks =
          static_cast<std::uint32_t>(parse_integer(value, value.text, 1, std::numeric_limits<std::uint32_t>::max()));
    } else if (key == "start" && (value.text == "together" || value.text == "each")) {
      kernel.sync_start = value.text == "together";
    } else {
      return false;
    }
    return true;
  });
}

NamedTile parse_tile(TokenReader& tokens) {
  NamedTile out;
  out.identifier = out.name = identifier(tokens, "tile name").text;
  TileDesc& t = out.tile;
  t.space = parse_enum<Space>(tokens.expect_word("space"), kSpaceNames, "space", Stage::Target);
  t.dtype = parse_enum<DType>(tokens.expect_word("dtype"), kDTypeNames, "dtype", Stage::Type);
  t.layout = parse_enum<Layout>(tokens.expect_word("layout"), kLayoutNames, "layout", Stage::Layout);
  const auto [rows, cols] = parse_extents(tokens.expect_word("ROWSxCOLS"));
  t.rows = t.valid_rows = rows;
  t.cols = t.valid_cols = cols;
  set_default_pitch(t);
  parse_keys(tokens, [&](const std::string& key, const Token& value) { return set_tile_key(out, key, value); });
  return out;
}

NamedGm parse_gm(TokenReader& tokens) {
  NamedGm out;
  out.identifier = identifier(tokens, "view name").text;
  out.gm.dtype = parse_enum<DType>(tokens.expect_word("dtype"), kDTypeNames, "dtype", Stage::Type);
  out.gm.layout = parse_enum<Layout>(tokens.expect_word("layout"), kLayoutNames, "layout", Stage::Layout);
  parse_keys(tokens, [&](const std::string& key, const Token& value) { return set_gm_key(out.gm, key, value); });
  return out;
}

}  // namespace npu::isa
