#include "isa/encoding/byte_io.hpp"
#include "isa/encoding/format.hpp"
#include "isa/encoding/object_file.hpp"
#include "isa/verifier.hpp"

namespace npu::isa {
namespace {

template <class Enum>
void put_enum(ByteWriter& out, Enum e) {
  out.put(static_cast<std::uint8_t>(e));
}

void put(ByteWriter& out, const Instruction& ins) {
  put_enum(out, ins.opcode);
  out.put(ins.mode);
  out.put(ins.t0);
  out.put(ins.t1);
  out.put(ins.t2);
  out.put(ins.r0);
  out.put(ins.r1);
  out.put(ins.r2);
  out.put(ins.r3);
  out.put(ins.imm);
}

void put(ByteWriter& out, const TileDesc& t) {
  put_enum(out, t.space);
  put_enum(out, t.dtype);
  put_enum(out, t.layout);
  put_enum(out, t.pad);
  out.put(t.offset);
  out.put(t.pitch);
  out.put(t.rows);
  out.put(t.cols);
  out.put(t.valid_rows);
  out.put(t.valid_cols);
  out.put(t.offset_reg);
  out.put(t.valid_rows_reg);
  out.put(t.valid_cols_reg);
}

void put(ByteWriter& out, const GmDesc& g) {
  put_enum(out, g.dtype);
  put_enum(out, g.layout);
  out.put(g.base_reg);
  out.put(g.pitch_reg);
  out.put(g.pitch);
  out.put(g.offset);
}

void put(ByteWriter& out, const ArgInfo& arg) {
  out.put_string(arg.name);
  put_enum(out, arg.kind);
  put_enum(out, arg.dtype);
  out.put(arg.rows);
  out.put(arg.cols);
}

void put(ByteWriter& out, const std::string& text) { out.put_string(text); }
void put(ByteWriter& out, std::uint32_t line) { out.put(line); }

template <class T>
void put_section(ByteWriter& out, Section section, Owner owner, const std::vector<T>& elements) {
  ByteWriter payload;
  for (const T& element : elements) put(payload, element);
  put_enum(out, section);
  put_enum(out, owner);
  out.put(static_cast<std::uint32_t>(elements.size()));
  out.put(static_cast<std::uint32_t>(payload.size()));
  out.append(payload.bytes());
}

void put_part(ByteWriter& out, Owner owner, const Program& program) {
  put_section(out, Section::PartName, owner, std::vector<std::string>{program.name});
  put_section(out, Section::Code, owner, program.code);
  put_section(out, Section::Tiles, owner, program.tiles);
  put_section(out, Section::Gms, owner, program.gms);
  put_section(out, Section::TileNames, owner, program.tile_names);
  put_section(out, Section::SourceLines, owner, program.source_lines);
  put_section(out, Section::SourceFile, owner, std::vector<std::string>{program.source_file});
}

}  // namespace

std::vector<std::byte> encode(const KernelObject& object, std::string_view target) {
  require_structure(object);
  ByteWriter body;
  body.put_string(target);
  body.put_string(object.name);
  body.put(object.blocks);
  body.put(static_cast<std::uint8_t>(object.sync_start ? kSyncStart : 0));
  put_section(body, Section::Args, Owner::Kernel, object.args);
  if (object.cube) put_part(body, Owner::Cube, *object.cube);
  if (object.vector) put_part(body, Owner::Vector, *object.vector);

  ByteWriter file;
  for (const char c : kObjectMagic) file.put(c);
  file.put(kObjectVersion);
  file.put(static_cast<std::uint8_t>((object.cube ? kHasCube : 0) | (object.vector ? kHasVector : 0)));
  file.put(std::uint8_t{0});  // reserved
  file.put(static_cast<std::uint32_t>(kObjectChecksumOffset + sizeof(std::uint32_t) + body.size()));
  NPU_ASSERT(file.size() == kObjectChecksumOffset, "header layout");
  file.put(checksum(body.bytes()));
  file.append(body.bytes());
  return file.take();
}

}  // namespace npu::isa
