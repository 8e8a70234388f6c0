#include "model/config/machine.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <sstream>

#include "isa/errors.hpp"
#include "isa/nearest_name.hpp"
#include "isa/shown_text.hpp"
#include "isa/text/names.hpp"
#include "model/config/machine_fields.hpp"
#include "model/config/toml_parser.hpp"
#include "model/machines/shipped_machines.hpp"

namespace npu::model {
namespace {

constexpr std::array<std::string_view, 5> kConfidences{"measured", "vendor", "model", "guess", "set"};
constexpr std::array<std::string_view, 3> kFigureKeys{"value", "confidence", "source"};
constexpr std::array<std::string_view, 3> kRootKeys{"name", "about", "base"};
constexpr std::string_view kSimulatorSuffix = "sim";  // a2a3sim is what tools of the real stack call a simulated a2a3

/// A figure as it was given, and by whom: "a2a3.toml:12" or "--set core.clock_mhz=1800".
struct Entry {
  double value = 0;
  std::string where, source{}, confidence{};
};

std::string number(double v) { return fmt::format("{}", v); }

std::string with_unit(const MachineField& f, const std::string& text) {
  return f.unit.empty() ? text : fmt::format("{} {}", text, f.unit);
}

std::string_view domain_text(Domain d) {
  switch (d) {
    case Domain::Real:
      return "a number";
    case Domain::Whole:
      return "a whole number";
    case Domain::PowerOfTwo:
      return "a power of two";
  }
  return "";
}

bool in_domain(const MachineField& f, double v) {
  if (!(v >= f.min && v <= f.max)) return false;  // also refuses nan
  int exponent = 0;
  switch (f.domain) {
    case Domain::Real:
      return true;
    case Domain::Whole:
      return v == std::floor(v);
    case Domain::PowerOfTwo:
      return std::frexp(v, &exponent) == 0.5;
  }
  return false;
}

std::string expectation(const MachineField& f) {
  return fmt::format("expected {} from {} to {} ({})", domain_text(f.domain), number(f.min),
                     with_unit(f, number(f.max)), f.meaning);
}

std::string_view section_of(std::string_view key) { return key.substr(0, key.find('.')); }
std::string_view name_in_section(std::string_view key) { return key.substr(key.find('.') + 1); }

std::vector<std::string_view> all_keys() {
  std::vector<std::string_view> keys;
  for (const MachineField& f : machine_fields()) keys.push_back(f.key);
  return keys;
}

const ShippedMachine* find_shipped(std::string_view name) {
  const auto shipped = shipped_machines();
  const auto found =
      std::find_if(shipped.begin(), shipped.end(), [&](const ShippedMachine& m) { return m.platform == name; });
  return found == shipped.end() ? nullptr : &*found;
}

/// Reads a file, the shipped one that it is based on, and the overrides; every message starts with the place that is at
/// fault.
class MachineReader {
 public:
  MachineReader(std::string file, std::string_view text) : file_{std::move(file)}, root_(parse_toml(text, file_)) {
    refuse_unknown_keys();
    const auto base = read_root("base");
    const std::vector<Entry> inherited = base ? inherit(*base) : std::vector<Entry>{};
    for (std::size_t i = 0; i < machine_fields().size(); ++i) {
      const MachineField& f = machine_fields()[i];
      const bool own = static_cast<bool>(root_[section_of(f.key)][name_in_section(f.key)]);
      entries_.push_back(own || !base ? read_entry(f) : inherited[i]);
    }
  }

  Machine read(const std::vector<std::string>& overrides) {
    for (const std::string& o : overrides) apply_override(o);
    Machine machine{};
    machine.arch.name = read_name();
    machine.about = read_root("about").value_or("");
    for (std::size_t i = 0; i < entries_.size(); ++i) set_field(machine, machine_fields()[i], entries_[i]);
    for (const MachineRule& r : machine_rules()) check_rule(machine, r);
    return machine;
  }

 private:
  std::string where(const toml::node& node) const { return fmt::format("{}:{}", file_, node.source().begin.line); }

  void refuse_unknown_keys() const {
    const std::vector<std::string_view> keys = all_keys();
    for (const auto& [section, node] : root_) {
      if (std::find(kRootKeys.begin(), kRootKeys.end(), section.str()) != kRootKeys.end()) continue;
      const toml::table* table = node.as_table();
      if (table == nullptr) {
        throw config_error("{}: unknown key '{}' (nearest: '{}')", where(node), isa::shown(section.str()),
                           isa::nearest_name(section.str(), keys));
      }
      for (const auto& [name, value] : *table) {
        const std::string key = fmt::format("{}.{}", section.str(), name.str());
        if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
          throw config_error("{}: unknown key '{}' (nearest: '{}')", where(value), isa::shown(key),
                             isa::nearest_name(key, keys));
        }
      }
    }
  }

  /// A text outside the sections, if it is given.
  std::optional<std::string> read_root(std::string_view key) const {
    const toml::node* node = root_.get(key);
    if (node == nullptr) return std::nullopt;
    const auto text = node->value_exact<std::string>();
    if (!text) throw config_error("{}: {}: expected a text in quotes", where(*node), key);
    return text;
  }

  std::string read_name() const {
    const auto name = read_root("name");
    if (!name) throw config_error("{}: missing key 'name' (text: name of the platform)", file_);
    if (const auto error = isa::name_error(*name)) throw config_error("{}: name {}", where(*root_.get("name")), *error);
    return *name;
  }

  /// The figures of a shipped machine.
  std::vector<Entry> inherit(const std::string& base) const {
    const ShippedMachine* machine = find_shipped(base);
    const std::string place = where(*root_.get("base"));
    if (machine == nullptr) {
      std::vector<std::string_view> names;
      for (const ShippedMachine& m : shipped_machines()) names.push_back(m.platform);
      throw config_error("{}: base '{}' is not a shipped machine (nearest: '{}')", place, isa::shown(base),
                         isa::nearest_name(base, names));
    }
    return MachineReader{fmt::format("{}.toml", base), machine->text}.entries_;
  }

  Entry read_entry(const MachineField& f) const {
    const toml::node_view<const toml::node> view = root_[section_of(f.key)][name_in_section(f.key)];
    if (!view) throw config_error("{}: missing key '{}': {}", file_, f.key, expectation(f));
    const toml::node& node = *view.node();
    Entry entry{.where = where(node)};
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      entry.value = read_number(f, node, entry.where);
      return entry;
    }
    for (const auto& [name, value] : *table) {
      if (std::find(kFigureKeys.begin(), kFigureKeys.end(), name.str()) == kFigureKeys.end()) {
        throw config_error("{}: unknown key '{}.{}' (nearest: '{}')", where(value), f.key, isa::shown(name.str()),
                           isa::nearest_name(name.str(), kFigureKeys));
      }
    }
    const toml::node* value = table->get("value");
    if (value == nullptr) throw config_error("{}: {}: missing 'value'", entry.where, f.key);
    entry.value = read_number(f, *value, entry.where);
    entry.source = read_text(f, *table, "source");
    entry.confidence = read_text(f, *table, "confidence");
    if (!entry.confidence.empty() &&
        std::find(kConfidences.begin(), kConfidences.end(), entry.confidence) == kConfidences.end()) {
      throw config_error("{}: {}: confidence '{}' is none of {}", entry.where, f.key, isa::shown(entry.confidence),
                         fmt::join(kConfidences, ", "));
    }
    return entry;
  }

  std::string read_text(const MachineField& f, const toml::table& table, std::string_view name) const {
    const toml::node* node = table.get(name);
    if (node == nullptr) return {};
    const auto text = node->value_exact<std::string>();
    if (!text) throw config_error("{}: {}: {} must be a text in quotes", where(*node), f.key, name);
    return *text;
  }

  static double read_number(const MachineField& f, const toml::node& node, const std::string& place) {
    if (const auto whole = node.value_exact<std::int64_t>()) return static_cast<double>(*whole);
    if (const auto real = node.value_exact<double>()) return *real;
    std::ostringstream type;
    type << node.type();
    throw config_error("{}: {} is a {}: {}", place, f.key, type.str(), expectation(f));
  }

  void apply_override(const std::string& text) {
    const std::string place = "--set " + isa::shown(text);
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) throw config_error("{}: expected section.key=value", place);
    const std::string_view key = std::string_view{text}.substr(0, equals);
    const auto fields = machine_fields();
    const auto field = std::find_if(fields.begin(), fields.end(), [&](const MachineField& f) { return f.key == key; });
    if (field == fields.end()) {
      const std::vector<std::string_view> keys = all_keys();
      throw config_error("{}: unknown key '{}' (nearest: '{}')", place, isa::shown(key), isa::nearest_name(key, keys));
    }
    Entry& entry = entries_[static_cast<std::size_t>(field - fields.begin())];
    const std::string_view given = std::string_view{text}.substr(equals + 1);
    toml::table table;
    try {
      table = parse_toml(fmt::format("value = {}", given), place);
    } catch (const ConfigError&) {
      throw config_error("{}: '{}' is not a number: {}", place, isa::shown(given), expectation(*field));
    }
    entry = {read_number(*field, *table.get("value"), place), place, place, "set"};
  }

  static void set_field(Machine& machine, const MachineField& f, const Entry& entry) {
    if (!in_domain(f, entry.value)) {
      throw config_error("{}: {} = {}: {}", entry.where, f.key, number(entry.value), expectation(f));
    }
    f.set(machine, entry.value);
    machine.figures.push_back({.key = std::string{f.key},
                               .value = number(entry.value),
                               .source = entry.source,
                               .overridden = entry.confidence == "set",
                               .confidence = entry.confidence,
                               .unit = std::string{f.unit},
                               .meaning = std::string{f.meaning}});
  }

  void check_rule(const Machine& machine, const MachineRule& rule) const {
    if (rule.holds(machine)) return;
    const auto describe = [&](std::string_view key) {
      const auto fields = machine_fields();
      const auto f = std::find_if(fields.begin(), fields.end(), [&](const MachineField& x) { return x.key == key; });
      const Entry& entry = entries_[static_cast<std::size_t>(f - fields.begin())];
      return std::pair{entry.where, fmt::format("{} = {}", key, with_unit(*f, number(entry.value)))};
    };
    const auto [place, figure] = describe(rule.key);
    const auto [other_place, other] = describe(rule.other);
    throw config_error("{}: {} {} {} ({})", place, figure, rule.relation, other, other_place);
  }

  std::string file_;
  toml::table root_;
  std::vector<Entry> entries_;  // one per field, in table order
};

bool is_path(std::string_view platform) {
  return platform.ends_with(".toml") || platform.find('/') != std::string_view::npos;
}

std::string toml_text(std::string_view text) {
  std::ostringstream out;
  out << toml::value<std::string>{std::string{text}};
  return out.str();
}

}  // namespace

Machine load_machine(std::string_view platform, const std::vector<std::string>& overrides) {
  if (is_path(platform)) {
    const std::string path{platform};
    return MachineReader{path, read_toml_file(path)}.read(overrides);
  }
  std::string_view name = platform;
  if (name.ends_with(kSimulatorSuffix)) name.remove_suffix(kSimulatorSuffix.size());
  if (const ShippedMachine* m = find_shipped(name)) {
    return MachineReader{fmt::format("{}.toml", name), m->text}.read(overrides);
  }
  throw config_error(
      "platform '{}' is not shipped; there is {} (each also with '{}' behind it), or give the path of a "
      ".toml machine file",
      platform, fmt::join(shipped_platforms(), ", "), kSimulatorSuffix);
}

std::vector<std::string> shipped_platforms() {
  std::vector<std::string> names;
  for (const ShippedMachine& m : shipped_machines()) names.emplace_back(m.platform);
  return names;
}

std::string effective_toml(const Machine& machine) {
  std::string out = fmt::format("name = {}\n", toml_text(machine.arch.name));
  if (!machine.about.empty()) out += fmt::format("about = {}\n", toml_text(machine.about));
  std::string_view section;
  for (const Figure& f : machine.figures) {
    if (section != section_of(f.key)) {
      section = section_of(f.key);
      out += fmt::format("\n[{}]\n", section);
    }
    out += fmt::format("{} = {{value = {}", name_in_section(f.key), f.value);
    if (!f.confidence.empty()) out += fmt::format(", confidence = {}", toml_text(f.confidence));
    if (!f.source.empty()) out += fmt::format(", source = {}", toml_text(f.source));
    out += fmt::format("}}  # {}\n", f.unit.empty() ? f.meaning : fmt::format("{}: {}", f.unit, f.meaning));
  }
  return out;
}

std::uint64_t cycles_of_ns(const Params& params, double ns) {
  // A product that should be whole may come out an ulp above: that is not another cycle.
  constexpr double kRounding = 1e-12;
  return static_cast<std::uint64_t>(std::ceil(ns * params.clock.core_mhz / 1000 * (1 - kRounding)));
}
double us_of_cycles(const Params& params, std::uint64_t cycles) {
  return static_cast<double>(cycles) / params.clock.core_mhz;
}
double bytes_per_cycle(const Params& params, double gb_per_s) { return gb_per_s * 1000 / params.clock.core_mhz; }

}  // namespace npu::model
