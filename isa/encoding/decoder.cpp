#include <array>

#include "isa/encoding/byte_io.hpp"
#include "isa/encoding/format.hpp"
#include "isa/encoding/object_file.hpp"
#include "isa/instructions/instruction_form.hpp"
#include "isa/text/names.hpp"
#include "isa/verifier.hpp"

namespace npu::isa {
namespace {

constexpr std::array<std::string_view, 8> kSectionNames{"args",  "part name",  "code",         "tiles",
                                                        "views", "tile names", "source lines", "source file"};

template <class Enum>
Enum get_enum(ByteReader& in, std::size_t count, std::string_view what) {
  const std::size_t at = in.offset();
  const auto value = in.get<std::uint8_t>();
  if (value >= count) throw program_error("{}: offset {}: unknown {} {}", in.file_name(), at, what, value);
  return static_cast<Enum>(value);
}

void get(ByteReader& in, Instruction& ins) {
  const std::size_t at = in.offset();
  ins.opcode = get_enum<Opcode>(in, kOpcodeCount, "opcode");
  ins.mode = in.get<std::uint8_t>();
  ins.t0 = in.get<std::uint16_t>();
  ins.t1 = in.get<std::uint16_t>();
  ins.t2 = in.get<std::uint16_t>();
  ins.r0 = in.get<std::uint8_t>();
  ins.r1 = in.get<std::uint8_t>();
  ins.r2 = in.get<std::uint8_t>();
  ins.r3 = in.get<std::uint8_t>();
  ins.imm = in.get<std::int32_t>();
  if (const auto error = form_error(ins)) throw program_error("{}: offset {}: {}", in.file_name(), at, *error);
}

void get(ByteReader& in, TileDesc& t) {
  t.space = get_enum<Space>(in, kSpaceCount, "space");
  t.dtype = get_enum<DType>(in, kDTypeNames.size(), "dtype");
  t.layout = get_enum<Layout>(in, kLayoutNames.size(), "layout");
  t.pad = get_enum<Pad>(in, kPadNames.size(), "pad");
  t.offset = in.get<std::uint32_t>();
  t.pitch = in.get<std::uint32_t>();
  t.rows = in.get<std::uint16_t>();
  t.cols = in.get<std::uint16_t>();
  t.valid_rows = in.get<std::uint16_t>();
  t.valid_cols = in.get<std::uint16_t>();
  for (std::uint8_t* r : {&t.offset_reg, &t.valid_rows_reg, &t.valid_cols_reg}) {
    *r = get_enum<std::uint8_t>(in, kRegisterCount, "register");
  }
}

void get(ByteReader& in, GmDesc& g) {
  g.dtype = get_enum<DType>(in, kDTypeNames.size(), "dtype");
  g.layout = get_enum<Layout>(in, kLayoutNames.size(), "layout");
  g.base_reg = get_enum<std::uint8_t>(in, kRegisterCount, "register");
  g.pitch_reg = get_enum<std::uint8_t>(in, kRegisterCount, "register");
  g.pitch = in.get<std::uint32_t>();
  g.offset = in.get<std::int64_t>();
}

std::string get_name(ByteReader& in) {
  const std::size_t at = in.offset();
  std::string name = in.get_string();
  if (const auto error = name_error(name)) throw program_error("{}: offset {}: name {}", in.file_name(), at, *error);
  return name;
}

void get(ByteReader& in, ArgInfo& arg) {
  const std::size_t at = in.offset();
  arg.name = get_name(in);
  arg.kind = get_enum<ArgKind>(in, kArgKindNames.size(), "argument kind");
  arg.dtype = get_enum<DType>(in, kDTypeNames.size(), "dtype");
  arg.rows = in.get<std::uint32_t>();
  arg.cols = in.get<std::uint32_t>();
  if (const auto error = argument_error(arg)) throw program_error("{}: offset {}: {}", in.file_name(), at, *error);
}

void get(ByteReader& in, std::string& name) { name = get_name(in); }
void get(ByteReader& in, std::uint32_t& line) { line = in.get<std::uint32_t>(); }

/// The next section, which must be the given one. Memory is reserved only for elements that its bytes can hold.
template <class T>
std::vector<T> get_section(ByteReader& in, Section section, Owner owner, std::size_t min_element_bytes) {
  const std::size_t at = in.offset();
  const auto found_section = in.get<std::uint8_t>();
  const auto found_owner = in.get<std::uint8_t>();
  const std::string_view name = kSectionNames[index_of(section)];
  if (found_section != index_of(section) || found_owner != index_of(owner)) {
    throw config_error("{}: offset {}: section {} of part {} where {} ({} of part {}) is expected", in.file_name(), at,
                       found_section, found_owner, name, index_of(section), index_of(owner));
  }
  const auto count = in.get<std::uint32_t>();
  const auto size = in.get<std::uint32_t>();
  ByteReader payload = in.sub_reader(size);
  if (count > size / min_element_bytes) {
    throw config_error("{}: offset {}: section {} of {} bytes cannot hold {} elements", in.file_name(), at, name, size,
                       count);
  }
  std::vector<T> elements(count);
  for (T& element : elements) get(payload, element);
  if (payload.remaining() != 0) {
    throw config_error("{}: offset {}: section {} has {} bytes after its last element", in.file_name(),
                       payload.offset(), name, payload.remaining());
  }
  return elements;
}

/// A section of one string.
std::string get_only_name(ByteReader& in, Section section, Owner owner) {
  const std::size_t at = in.offset();
  auto names = get_section<std::string>(in, section, owner, kMinNameBytes);
  if (names.size() != 1) {
    throw config_error("{}: offset {}: a part has {} sections {}", in.file_name(), at, names.size(),
                       kSectionNames[index_of(section)]);
  }
  return std::move(names.front());
}

Program get_part(ByteReader& in, Owner owner) {
  const std::size_t at = in.offset();
  Program program;
  program.kind = owner == Owner::Cube ? CoreKind::AIC : CoreKind::AIV;
  program.name = get_only_name(in, Section::PartName, owner);
  program.code = get_section<Instruction>(in, Section::Code, owner, kCodeBytes);
  program.tiles = get_section<TileDesc>(in, Section::Tiles, owner, kTileBytes);
  program.gms = get_section<GmDesc>(in, Section::Gms, owner, kGmBytes);
  program.tile_names = get_section<std::string>(in, Section::TileNames, owner, kMinNameBytes);
  program.source_lines = get_section<std::uint32_t>(in, Section::SourceLines, owner, kLineBytes);
  program.source_file = get_only_name(in, Section::SourceFile, owner);
  if (const auto findings = check_structure(program); !findings.empty()) {
    throw program_error("{}: offset {}: {}", in.file_name(), at, to_string(findings.front()));
  }
  return program;
}

/// Checks magic, version, size and checksum. Returns the kernel kind; `in` stands before the target profile.
std::uint8_t get_header(ByteReader& in) {
  for (const char c : kObjectMagic) {
    const std::size_t at = in.offset();
    if (in.get<char>() != c)
      throw config_error("{}: offset {}: not a kernel object (magic NPUO missing)", in.file_name(), at);
  }
  const auto version = in.get<std::uint16_t>();
  if (version != kObjectVersion) {
    throw config_error(
        "{}: offset 4: version {} is unknown; this npusim reads version {}; assemble the text again, or build the "
        "kernel again with "
        "--compile-only --out",
        in.file_name(), version, kObjectVersion);
  }
  const auto kind = in.get<std::uint8_t>();
  if (kind == 0 || kind > (kHasCube | kHasVector))
    throw config_error("{}: offset 6: kernel kind {} is unknown", in.file_name(), kind);
  if (const auto reserved = in.get<std::uint8_t>(); reserved != 0) {
    throw config_error("{}: offset 7: reserved byte is {}", in.file_name(), reserved);
  }
  const auto stated = in.get<std::uint32_t>();
  const std::size_t actual = in.offset() + in.remaining();
  if (stated != actual)
    throw config_error("{}: offset 8: states {} bytes, the file has {}", in.file_name(), stated, actual);
  const auto sum = in.get<std::uint32_t>();
  if (const auto found = checksum(in.rest()); found != sum) {
    throw config_error("{}: offset {}: checksum {:#010x} does not match the content ({:#010x})", in.file_name(),
                       kObjectChecksumOffset, sum, found);
  }
  return kind;
}

}  // namespace

KernelObject decode(std::span<const std::byte> bytes, std::string_view file_name) {
  ByteReader in{bytes, file_name};
  const std::uint8_t kind = get_header(in);
  static_cast<void>(get_name(in));  // target profile
  KernelObject object;
  object.name = get_name(in);
  const std::size_t launch = in.offset();
  object.blocks = in.get<std::uint32_t>();
  if (object.blocks == 0) throw program_error("{}: offset {}: a task has at least 1 block", file_name, launch);
  object.sync_start = get_enum<std::uint8_t>(in, kSyncStart + 1, "launch") == kSyncStart;
  object.args = get_section<ArgInfo>(in, Section::Args, Owner::Kernel, kMinArgBytes);
  if ((kind & kHasCube) != 0) object.cube = get_part(in, Owner::Cube);
  if ((kind & kHasVector) != 0) object.vector = get_part(in, Owner::Vector);
  if (in.remaining() != 0) {
    throw config_error("{}: offset {}: {} bytes after the last section", file_name, in.offset(), in.remaining());
  }
  return object;
}

std::string decode_target(std::span<const std::byte> bytes, std::string_view file_name) {
  ByteReader in{bytes, file_name};
  static_cast<void>(get_header(in));
  return get_name(in);
}

}  // namespace npu::isa
