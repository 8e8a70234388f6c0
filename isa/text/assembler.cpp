#include "isa/text/assembler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "isa/errors.hpp"
#include "isa/text/diagnostics.hpp"
#include "isa/text/directives.hpp"
#include "isa/text/instruction_parser.hpp"
#include "isa/text/names.hpp"
#include "isa/verifier.hpp"

namespace npu::isa {
namespace {

struct Location {
  std::uint32_t line = 1, column = 1;
};

struct PendingBranch {
  std::size_t instruction;
  std::string label;
  Location at;
};

/// A part under construction, with the places of its pieces for diagnostics.
struct Part {
  Program program;
  SymbolTable symbols;
  std::map<std::string, std::uint32_t, std::less<>> labels;
  std::vector<PendingBranch> branches;
  Location begin;
  std::vector<Location> code, tiles, gms;
};

class Assembler {
 public:
  explicit Assembler(std::string_view file_name)
      : source_file_{name_error(file_name) ? std::string_view{} : file_name}, diagnostics_{file_name} {}

  KernelObject read(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      ++line_;
      read_line(text.substr(0, end));
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    for (Part& part : parts_) resolve_labels(part);
    if (parts_.empty()) diagnostics_.add(std::max(line_, 1U), 1, Stage::Parse, "neither a .cube nor a .vector part");
    diagnostics_.finish();
    for (const Part& part : parts_) report(check_structure(part.program), part);
    diagnostics_.finish();
    return build();
  }

  /// Reports what the verifier finds, at the places where the text says it.
  void check(const KernelObject& object, const ArchSpec& target) {
    for (const Finding& finding : verify(object, target)) {
      for (const Part& part : parts_) {
        if (finding.core == part.program.kind) report({finding}, part);
      }
    }
    diagnostics_.finish();
  }

 private:
  void read_line(std::string_view line) {
    try {
      const std::vector<Token> tokens = tokenize(line);
      TokenReader reader{tokens};
      read_statement(reader);
    } catch (const StatementError& error) {
      diagnostics_.add(line_, error.column, error.stage, error.message);
    }
  }

  void read_statement(TokenReader& tokens) {
    if (tokens.at_end()) return;
    const Token& first = tokens.expect_word("a directive, label or instruction");
    if (first.text[0] == '.') return read_directive(first, tokens);
    Part& part = current(first);
    if (tokens.accept(':')) {
      define_label(part, first);
      return read_statement(tokens);
    }
    ParsedInstruction parsed = parse_instruction(first, tokens, part.symbols, part.program);
    if (!parsed.label.empty()) {
      part.branches.push_back({part.program.code.size(), std::move(parsed.label), {line_, parsed.label_column}});
    }
    part.program.code.push_back(parsed.word);
    part.program.source_lines.push_back(line_);
    part.code.push_back({line_, first.column});
  }

  void read_directive(const Token& directive, TokenReader& tokens) {
    if (directive.text == ".kernel") return read_kernel(directive, tokens);
    if (directive.text == ".arg") return read_arg(directive, tokens);
    if (directive.text == ".cube") return begin_part(CoreKind::AIC, directive, tokens);
    if (directive.text == ".vector") return begin_part(CoreKind::AIV, directive, tokens);
    if (directive.text == ".tile") return read_tile(directive, tokens);
    if (directive.text == ".gm") return read_gm(directive, tokens);
    throw StatementError{directive.column, Stage::Parse, fmt::format("unknown directive `{}`", directive.text)};
  }

  void read_kernel(const Token& directive, TokenReader& tokens) {
    if (named_) throw StatementError{directive.column, Stage::Parse, "a second .kernel directive"};
    parse_kernel(tokens, object_);
    named_ = true;
  }

  void read_arg(const Token& directive, TokenReader& tokens) {
    ArgInfo arg = parse_arg(tokens);
    if (const auto error = argument_error(arg)) throw StatementError{directive.column, Stage::Shape, *error};
    if (!argument_names_.insert(arg.name).second) {
      throw StatementError{directive.column, Stage::Parse, fmt::format("argument `{}` is declared twice", arg.name)};
    }
    object_.args.push_back(std::move(arg));
  }

  void begin_part(CoreKind kind, const Token& directive, TokenReader& tokens) {
    if (!named_) throw StatementError{directive.column, Stage::Parse, "stands before .kernel"};
    for (const Part& part : parts_) {
      if (part.program.kind == kind)
        throw StatementError{directive.column, Stage::Parse, "a second " + directive.text + " part"};
    }
    Part& part = parts_.emplace_back();
    part.program.kind = kind;
    part.program.source_file = source_file_;
    part.program.name = tokens.at_end() ? object_.name : tokens.expect_name("part name").text;
    part.begin = {line_, directive.column};
    tokens.expect_end();
  }

  void read_tile(const Token& directive, TokenReader& tokens) {
    Part& part = current(directive);
    NamedTile parsed = parse_tile(tokens);
    if (!part.symbols.tiles.emplace(std::move(parsed.identifier), next_index(part.program.tiles.size(), directive))
             .second) {
      throw StatementError{directive.column, Stage::Parse, fmt::format("tile `{}` is declared twice", parsed.name)};
    }
    part.program.tiles.push_back(parsed.tile);
    part.program.tile_names.push_back(std::move(parsed.name));
    part.tiles.push_back({line_, directive.column});
  }

  void read_gm(const Token& directive, TokenReader& tokens) {
    Part& part = current(directive);
    const NamedGm parsed = parse_gm(tokens);
    if (!part.symbols.gms.emplace(parsed.identifier, next_index(part.program.gms.size(), directive)).second) {
      throw StatementError{directive.column, Stage::Parse,
                           fmt::format("view `{}` is declared twice", parsed.identifier)};
    }
    part.program.gms.push_back(parsed.gm);
    part.gms.push_back({line_, directive.column});
  }

  static std::uint16_t next_index(std::size_t count, const Token& directive) {
    if (count < kNoDescriptor - 1U) return static_cast<std::uint16_t>(count);
    throw StatementError{directive.column, Stage::Parse, fmt::format("more than {} descriptors", kNoDescriptor - 1)};
  }

  Part& current(const Token& at) {
    if (!parts_.empty()) return parts_.back();
    throw StatementError{at.column, Stage::Parse, "stands before .cube or .vector"};
  }

  static void define_label(Part& part, const Token& label) {
    if (!is_identifier(label.text)) {
      throw StatementError{label.column, Stage::Parse, fmt::format("label `{}` is not an identifier", label.text)};
    }
    if (!part.labels.emplace(label.text, static_cast<std::uint32_t>(part.program.code.size())).second) {
      throw StatementError{label.column, Stage::Parse, fmt::format("label `{}` is defined twice", label.text)};
    }
  }

  void resolve_labels(Part& part) {
    for (const PendingBranch& branch : part.branches) {
      const auto found = part.labels.find(branch.label);
      if (found == part.labels.end()) {
        diagnostics_.add(branch.at.line, branch.at.column, Stage::Parse,
                         fmt::format("unknown label `{}`", branch.label));
        continue;
      }
      part.program.code[branch.instruction].imm = static_cast<std::int32_t>(found->second);
    }
  }

  void report(const std::vector<Finding>& findings, const Part& part) {
    for (const Finding& f : findings) {
      const Location at = f.instruction ? part.code[*f.instruction]
                          : f.tile      ? part.tiles[*f.tile]
                          : f.gm        ? part.gms[*f.gm]
                                        : part.begin;
      diagnostics_.add(
          at.line, at.column, f.violation.stage,
          fmt::format("{}; limit: {}; way out: {}", f.violation.what, f.violation.limit, f.violation.way_out));
    }
  }

  KernelObject build() {
    for (const Part& part : parts_) {
      (part.program.kind == CoreKind::AIC ? object_.cube : object_.vector) = part.program;
    }
    return object_;
  }

  std::string source_file_;  ///< empty where the file's name may not stand in an object
  Diagnostics diagnostics_;
  KernelObject object_;
  std::set<std::string> argument_names_;
  std::vector<Part> parts_;
  std::uint32_t line_ = 0;
  bool named_ = false;
};

}  // namespace

KernelObject assemble(std::string_view text, std::string_view file_name) { return Assembler{file_name}.read(text); }

KernelObject assemble(std::string_view text, std::string_view file_name, const ArchSpec& target) {
  Assembler assembler{file_name};
  KernelObject object = assembler.read(text);
  assembler.check(object, target);
  return object;
}

}  // namespace npu::isa
