#include "orchestration/cli/commands.hpp"

#include "isa/encoding/object_file.hpp"
#include "isa/errors.hpp"
#include "isa/text/assembler.hpp"
#include "isa/text/disassembler.hpp"
#include "orchestration/cli/console.hpp"
#include "orchestration/cli/output_paths.hpp"
#include "orchestration/data/mapped_file.hpp"
#include "traces/output_file.hpp"

namespace npu::cli {

int assemble_file(const Options& o) {
  refuse_shared_paths(paths_of(o));
  const model::Machine machine = model::load_machine(o.platform, o.machine_overrides);
  const auto file = orch::MappedFile::open(o.file);
  const std::string_view text{reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size()};
  const auto object = isa::assemble(text, o.file, machine.arch);
  traces::OutputFile out{o.output};
  out.write(isa::encode(object, machine.arch.name));
  out.finish();
  return 0;
}

int disassemble_file(const Options& o) {
  refuse_shared_paths(paths_of(o));
  const auto file = orch::MappedFile::open(o.file);
  const std::string text = isa::to_text(isa::decode(file->bytes(), o.file));
  if (o.output.empty()) {
    print_text(Stream::Out, text);
  } else {
    traces::write_file(o.output, text);
  }
  return 0;
}

int show_config(const Options& o) {
  const model::Machine machine = model::load_machine(o.platform, o.machine_overrides);
  for (const model::Figure& f : machine.figures) {
    print(Stream::Out, "{:36} {:>14} {:18} {:10} {}{}\n", f.key, f.value, f.unit, f.confidence, f.source,
          f.overridden ? " (overridden)" : "");
  }
  return 0;
}

int diff_configs(const Options& o) {
  const model::Machine a = model::load_machine(o.platform_a, o.machine_overrides);
  const model::Machine b = model::load_machine(o.platform_b, o.machine_overrides);
  for (std::size_t i = 0; i < a.figures.size(); ++i) {
    const model::Figure &fa = a.figures[i], &fb = b.figures[i];  // both have every key, in the same order
    if (fa.value == fb.value) continue;
    print(Stream::Out, "{:36} {:>12} {:>12} {:10} {:10} {}\n", fa.key, fa.value, fb.value, fa.unit, fb.confidence,
          fb.source);
  }
  return 0;
}

}  // namespace npu::cli
