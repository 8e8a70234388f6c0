#include "isa/verifier.hpp"

#include <fmt/format.h>

#include <iterator>
#include <set>

#include "isa/errors.hpp"
#include "isa/instructions/instruction_form.hpp"
#include "isa/operation.hpp"
#include "isa/tile_rules.hpp"
#include "isa/verifier/argument_rules.hpp"
#include "isa/verifier/flow_rules.hpp"
#include "isa/verifier/operand_rules.hpp"
#include "isa/verifier/report.hpp"

namespace npu::isa {
namespace {

constexpr std::size_t kListedFindings = 10;

void check_descriptors(const Program& program, const ArchSpec& arch, Report& report) {
  for (std::size_t i = 0; i < program.tiles.size(); ++i) {
    const TileDesc& tile = program.tiles[i];
    auto violation = check_tile(tile, program.kind, arch);
    if (!violation) violation = check_placement(tile, arch);
    if (violation) report.add_tile(i, std::move(*violation));
  }
  for (std::size_t i = 0; i < program.gms.size(); ++i) {
    if (auto violation = check_gm(program.gms[i])) report.add_gm(i, std::move(*violation));
  }
}

/// The first rule that the instruction breaks: a wrong space makes types and shapes meaningless, and so on.
std::optional<Violation> check_instruction(std::uint32_t index, const Program& program, const ArchSpec& arch) {
  const Instruction& ins = program.code[index];
  if (auto v = check_fields(ins, program, arch)) return v;
  if (auto v = check_spaces(ins, program, arch)) return v;
  if (auto v = check_types(ins, program)) return v;
  if (auto v = check_layouts(ins, program)) return v;
  Operation ignored;
  return resolve(program, index, nullptr, arch, ignored);
}

void append(std::vector<Finding>& all, std::vector<Finding> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

/// Ids that a part sets or waits for; a register id stands for all of them.
struct CrossFlags {
  std::set<std::int32_t> ids;
  bool any = false;
  [[nodiscard]] bool may_contain(std::int32_t id) const { return any || ids.contains(id); }
};
CrossFlags cross_flags(const Program& program, Opcode op) {
  CrossFlags flags;
  for (const Instruction& ins : program.code) {
    if (ins.opcode != op) continue;
    flags.any = flags.any || ins.r0 != 0;
    flags.ids.insert(ins.imm);
  }
  return flags;
}

void check_cross_flags(const Program& program, const Program* peer, Report& report) {
  for (std::size_t i = 0; i < program.code.size(); ++i) {
    const Instruction& ins = program.code[i];
    const bool sets = ins.opcode == Opcode::SetCross;
    if (!sets && ins.opcode != Opcode::WaitCross) continue;
    if (peer == nullptr) {
      report.add_instruction(i, {Stage::Target, "cross-core flag in a kernel of one part", "mixed kernels only",
                                 "add the other part, or synchronise through global memory"});
    } else if (ins.r0 == 0 && !cross_flags(*peer, sets ? Opcode::WaitCross : Opcode::SetCross).may_contain(ins.imm)) {
      report.add_instruction(
          i, {Stage::Target,
              fmt::format("cross-core flag {} {}", ins.imm, sets ? "set but never waited" : "waited but never set"),
              "the other part has the counterpart", "add it, or drop this one"});
    }
  }
}

}  // namespace

std::string to_string(const Finding& f) {
  return fmt::format("program {} ({}){}{}: {}; limit: {}; way out: {}", f.program, name_of(f.core),
                     f.subject.empty() ? "" : ", ", f.subject, f.violation.what, f.violation.limit,
                     f.violation.way_out);
}

std::vector<Finding> verify(const Program& program, const ArchSpec& arch) {
  if (auto structural = check_structure(program); !structural.empty()) return structural;
  Report report{program};
  check_descriptors(program, arch, report);
  for (std::uint32_t i = 0; i < program.code.size(); ++i) {
    if (auto violation = check_instruction(i, program, arch)) report.add_instruction(i, std::move(*violation));
  }
  for (auto* check : {check_control_flow, check_flags}) {
    if (program.code.empty() && check == check_flags) continue;
    for (FlowFinding& found : check(program)) {
      if (found.instruction) {
        report.add_instruction(*found.instruction, std::move(found.violation));
      } else {
        report.add_program(std::move(found.violation));
      }
    }
  }
  return report.take();
}

std::vector<Finding> verify(const KernelObject& object, const ArchSpec& arch) {
  std::vector<Finding> findings;
  bool structural = false;
  for (const auto* part : {&object.cube, &object.vector}) {
    if (!*part) continue;
    structural = structural || !check_structure(**part).empty();
    append(findings, verify(**part, arch));
  }
  if (structural) return findings;
  bool names_checked = false;  // the first part reports what concerns the kernel
  for (const auto* part : {&object.cube, &object.vector}) {
    if (!*part) continue;
    const auto& peer = part == &object.cube ? object.vector : object.cube;
    Report report{**part};
    if (!names_checked) check_argument_names(object.args, report);
    names_checked = true;
    check_argument_uses(**part, object.args, report);
    check_cross_flags(**part, peer ? &*peer : nullptr, report);
    append(findings, report.take());
  }
  return findings;
}

void require_legal(const KernelObject& object, const ArchSpec& arch) {
  require_structure(object);
  const std::vector<Finding> findings = verify(object, arch);
  if (findings.empty()) return;
  std::string text = fmt::format("kernel {} is not legal on {}", object.name, arch.name);
  for (std::size_t i = 0; i < findings.size() && i < kListedFindings; ++i) text += "\n  " + to_string(findings[i]);
  if (findings.size() > kListedFindings) text += fmt::format("\n  and {} more", findings.size() - kListedFindings);
  throw ProgramError{text};
}

}  // namespace npu::isa
