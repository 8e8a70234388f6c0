#include "isa/verifier/flow_rules.hpp"

#include <fmt/format.h>

#include <map>
#include <tuple>

#include "isa/instructions/instruction_table.hpp"

namespace npu::isa {
namespace {

struct FlagUse {
  std::optional<std::uint32_t> first_set, first_wait;
};
using Pair = std::tuple<std::uint16_t, std::uint16_t>;
using FlagKey = std::tuple<std::uint16_t, std::uint16_t, std::int32_t>;

std::string flag_name(const FlagKey& key) {
  const auto& [set, wait, id] = key;
  return fmt::format("flag ({}, {}, {})", name_of(static_cast<Pipe>(set)), name_of(static_cast<Pipe>(wait)), id);
}

bool is_flag(const Instruction& ins) { return ins.opcode == Opcode::SetFlag || ins.opcode == Opcode::WaitFlag; }

void note(FlagUse& use, const Instruction& ins, std::uint32_t index) {
  auto& first = ins.opcode == Opcode::SetFlag ? use.first_set : use.first_wait;
  if (!first) first = index;
}

struct FlagUses {
  std::map<FlagKey, FlagUse> fixed;
  std::map<Pair, FlagUse> by_register;  ///< only those whose id comes from a register
  std::map<Pair, FlagUse> pairs;        ///< all of a pair
};

/// Sets minus waits of one flag in program order before each halt, if that number does not depend on the path taken.
struct HaltBalance {
  std::uint32_t halt;
  std::int64_t open;
};
std::vector<HaltBalance> balances_at_halt(const Program& program, const FlagKey& key) {
  const auto& [set, wait, id] = key;
  std::vector<std::optional<std::int64_t>> open(program.code.size());
  std::vector<std::uint32_t> work{0};
  std::vector<HaltBalance> halts;
  open[0] = 0;
  while (!work.empty()) {
    const std::uint32_t at = work.back();
    work.pop_back();
    const Instruction& ins = program.code[at];
    std::int64_t after = *open[at];
    if (is_flag(ins) && ins.t0 == set && ins.t1 == wait && ins.imm == id)
      after += ins.opcode == Opcode::SetFlag ? 1 : -1;
    if (ins.opcode == Opcode::Halt) halts.push_back({at, after});
    for (const std::uint32_t next : successors(program, at)) {
      if (!open[next]) {
        open[next] = after;
        work.push_back(next);
      } else if (*open[next] != after) {
        return {};  // depends on the path: left to the model
      }
    }
  }
  return halts;
}

std::string pair_name(const Pair& pair) {
  return fmt::format("flags ({}, {}) with an id in a register", name_of(static_cast<Pipe>(std::get<0>(pair))),
                     name_of(static_cast<Pipe>(std::get<1>(pair))));
}

std::optional<FlowFinding> unpaired(const std::string& name, const FlagUse& use) {
  if (!use.first_set) {
    return FlowFinding{use.first_wait,
                       {Stage::Target, name + " waited but never set", "every wait has its set",
                        "add the set_flag, or drop the wait"}};
  }
  if (!use.first_wait) {
    return FlowFinding{use.first_set,
                       {Stage::Target, name + " set but never waited", "every set has its wait",
                        "add the wait_flag, or drop the set"}};
  }
  return std::nullopt;
}

void add_unbalanced(const Program& program, const FlagKey& key, std::vector<FlowFinding>& findings) {
  for (const HaltBalance& halt : balances_at_halt(program, key)) {
    if (halt.open == 0) continue;
    const bool left_set = halt.open > 0;
    findings.push_back(
        {halt.halt,
         {Stage::Target,
          fmt::format("{} is {} {} times more often than {}", flag_name(key), left_set ? "set" : "waited",
                      left_set ? halt.open : -halt.open, left_set ? "waited" : "set"),
          "as many waits as sets at halt", left_set ? "wait for it after the loop" : "set it before the loop"}});
  }
}

}  // namespace

std::vector<std::uint32_t> successors(const Program& program, std::uint32_t index) {
  const Instruction& ins = program.code[index];
  std::vector<std::uint32_t> next;
  if (ins.opcode == Opcode::Halt) return next;
  if (ins.opcode == Opcode::Br || ins.opcode == Opcode::BrCmp) next.push_back(static_cast<std::uint32_t>(ins.imm));
  if (ins.opcode != Opcode::Br && index + 1 < program.code.size()) next.push_back(index + 1);
  return next;
}

std::vector<FlowFinding> check_control_flow(const Program& program) {
  if (program.code.empty()) {
    return {{std::nullopt, {Stage::Target, "program has no instructions", "a program ends in halt", "add a halt"}}};
  }
  std::vector<FlowFinding> findings;
  const Opcode last = program.code.back().opcode;
  const auto last_index = static_cast<std::uint32_t>(program.code.size() - 1);
  if (last != Opcode::Halt && last != Opcode::Br) {
    findings.push_back({last_index,
                        {Stage::Target, "control falls off the end of the program",
                         "the last instruction is halt or br", "add a halt"}});
    return findings;
  }
  std::vector<bool> reached(program.code.size());
  std::vector<std::uint32_t> work{0};
  reached[0] = true;
  while (!work.empty()) {
    const std::uint32_t at = work.back();
    work.pop_back();
    if (program.code[at].opcode == Opcode::Halt) return findings;
    for (const std::uint32_t next : successors(program, at)) {
      if (!reached[next]) work.push_back(next);
      reached[next] = true;
    }
  }
  findings.push_back(
      {std::nullopt, {Stage::Target, "no halt can be reached", "a program ends in halt", "leave the loop"}});
  return findings;
}

std::vector<FlowFinding> check_flags(const Program& program) {
  FlagUses uses;
  for (std::uint32_t i = 0; i < program.code.size(); ++i) {
    const Instruction& ins = program.code[i];
    if (!is_flag(ins)) continue;
    note(uses.pairs[{ins.t0, ins.t1}], ins, i);
    if (ins.r0 != 0) {
      note(uses.by_register[{ins.t0, ins.t1}], ins, i);
    } else {
      note(uses.fixed[{ins.t0, ins.t1, ins.imm}], ins, i);
    }
  }
  std::vector<FlowFinding> findings;
  for (const auto& [key, use] : uses.fixed) {
    const auto other = uses.by_register.find({std::get<0>(key), std::get<1>(key)});
    const bool joined = other != uses.by_register.end();
    FlagUse all = use;
    if (joined && other->second.first_set) all.first_set = other->second.first_set;
    if (joined && other->second.first_wait) all.first_wait = other->second.first_wait;
    if (auto finding = unpaired(flag_name(key), all)) {
      findings.push_back(std::move(*finding));
    } else if (!joined) {
      add_unbalanced(program, key, findings);
    }
  }
  for (const auto& [pair, use] : uses.by_register) {
    if (auto finding = unpaired(pair_name(pair), uses.pairs.at(pair))) findings.push_back(std::move(*finding));
  }
  return findings;
}

}  // namespace npu::isa
